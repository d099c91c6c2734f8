// The last requests of this worker, told to the primary whenever it asks (src/dashboard/server/tail.ts).
import { isWatchQuestion, TAIL_CHANNEL } from '../../dashboard/server/tail.ts';
import type { RequestTail } from '../../http/observability/request-tail.ts';
import type { WorkerLink } from '../worker-link.ts';

export function answerTail(
  link: Pick<WorkerLink, 'send' | 'onMessage' | 'slot'>,
  tail: Pick<RequestTail, 'take'>,
): void {
  link.onMessage(TAIL_CHANNEL, (body) => {
    if (!isWatchQuestion(body)) return;
    const { lines, skipped } = tail.take();
    const told = lines.map((line) => ({ ...line, slot: link.slot }));
    link.send(TAIL_CHANNEL, { say: 'lines', lines: told, skipped });
  });
  link.send(TAIL_CHANNEL, { say: 'here' });
}

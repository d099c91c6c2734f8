// A notice as the body of a POST: for Slack (and what understands its incoming webhooks: Mattermost, Discord with
// /slack) or as plain JSON. Names of routes and statements may be in it, never addresses that visitors typed.
import type { Notice, Severity } from './alerts.ts';

export type AlertFormat = 'slack' | 'json';

/** Who says it. */
export interface Sender {
  readonly host: string;
  readonly version: string;
}

/** Slack refuses a section above 3,000 characters. */
const MAX_TEXT = 2000;
const colours: Readonly<Record<Severity | 'resolved', string>> = {
  info: '#3b82f6',
  warning: '#d97706',
  critical: '#dc2626',
  resolved: '#16a34a',
};

export function messageOf(notice: Notice, sender: Sender, format: AlertFormat): string {
  return JSON.stringify(format === 'slack' ? forSlack(notice, sender) : plain(notice, sender));
}

function plain({ state, alert, untold }: Notice, { host, version }: Sender) {
  const { id, code, severity, says, figures, raisedAtMs, resolvedAtMs } = alert;
  return {
    id,
    code,
    state,
    severity,
    message: cut(says),
    figures,
    raisedAt: new Date(raisedAtMs).toISOString(),
    resolvedAt: resolvedAtMs === undefined ? null : new Date(resolvedAtMs).toISOString(),
    untold,
    host,
    version,
  };
}

function forSlack({ state, alert, untold }: Notice, { host, version }: Sender) {
  const { code, severity, says, figures, raisedAtMs, resolvedAtMs } = alert;
  const head =
    state === 'raised' ? severity : `resolved after ${duration((resolvedAtMs ?? raisedAtMs) - raisedAtMs)}`;
  const text = escaped(`[${head}] ${code} on ${host}: ${cut(says)}`);
  const about = [
    ...Object.entries(figures).map(([name, value]) => `${name}: ${value}`),
    ...(untold === 0 ? [] : [`${untold} more alerts were not told`]),
    `version ${version}`,
  ];
  return {
    text,
    attachments: [
      {
        color: colours[state === 'resolved' ? 'resolved' : severity],
        blocks: [
          { type: 'section', text: { type: 'mrkdwn', text } },
          { type: 'context', elements: [{ type: 'mrkdwn', text: escaped(cut(about.join(' | '))) }] },
        ],
      },
    ],
  };
}

/** Else `<!channel>` in the name of a page would call everybody. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

function duration(ms: number): string {
  if (ms < 60_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

// The dashboard's script: it fills the places of the shell (src/dashboard/page/shell.ts) with what the server tells.
import { showAdvice, showAlerts } from './advice.ts';
import { resetCharts, showCharts, wireCharts } from './charts.ts';
import { byId } from './dom.ts';
import { wireExplain } from './explain.ts';
import { showLink, showMasthead, wireMasthead } from './masthead.ts';
import { showPages, wirePages } from './pages.ts';
import { wirePurge } from './purge.ts';
import { Stream } from './stream.ts';
import { showTail, wireTail } from './tail.ts';
import { showTiers } from './tiers.ts';
import { showTiles } from './tiles.ts';
import { showWorkers } from './workers.ts';

wireMasthead();
wireCharts();
wirePages();
wireExplain();
wirePurge();
wireTail();

const parts = [
  showMasthead,
  showAlerts,
  showTiles,
  showCharts,
  showWorkers,
  showTiers,
  showAdvice,
  showPages,
  showTail,
];

new Stream({
  greeting: (greeting) => {
    byId('logout').hidden = !greeting.hasSession;
    resetCharts(greeting);
  },
  frame: (frame) => {
    for (const show of parts) show(frame);
  },
  state: showLink,
  // The same address then shows the form to log in.
  shutOut: () => location.reload(),
});

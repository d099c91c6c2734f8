// Prints the closing line from the runner's own report and exits 1 unless everything held.
// A failed step that the report cannot know of (lint, smoke ...) counts as one failure each.
import { readFileSync } from 'node:fs';

const [file, failedSteps] = process.argv.slice(2);
let report = {
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numFailedTestSuites: 0,
};
let missing = 0;
try {
  report = JSON.parse(readFileSync(file, 'utf8'));
} catch {
  missing = 1;
}
// A test file that cannot be loaded fails as a suite without failing a test.
const failedTests = Math.max(report.numFailedTests, report.success === false ? 1 : 0);
const otherSteps = Math.max(0, Number(failedSteps) - (failedTests > 0 || missing ? 1 : 0));
const failed = failedTests + otherSteps + missing;
process.stdout.write(
  `${report.numPassedTests} passed, ${failed} failed, ${report.numPendingTests + (report.numTodoTests ?? 0)} skipped\n`,
);
process.exit(failed > 0 || Number(failedSteps) > 0 || report.numPassedTests === 0 ? 1 : 0);

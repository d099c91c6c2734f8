// The order of the test files on a machine that has not run them yet: those that take long begin first, so that none of
// them is left running alone at the end. Vitest knows no better then than the size of a file.
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** From about half a minute down to ten seconds. A name that is no more does no harm. */
const LONG = [
  'test/drills/drills.test.ts',
  'test/coherence/coherence.test.ts',
  'test/drills/overload.drill.test.ts',
  'src/embedded/postgres.test.ts',
  'test/cluster/cluster.test.ts',
  'test/deploy/dockerfile.test.ts',
  'workers/services.test.ts',
  'test/monitor/dashboard.browser.test.ts',
  'test/cache/stampede-real.test.ts',
  'test/deploy/nginx.test.ts',
  'test/monitor/alerts.test.ts',
  'test/security/attacks.test.ts',
  'test/security/crowd.test.ts',
  'test/telemetry/blocked-log.test.ts',
  'test/security/xss.property.test.ts',
  'src/invalidation/redis/redis-bus.test.ts',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const index = LONG.findIndex((file) => moduleId.endsWith(`/${file}`));
      return index === -1 ? LONG.length : index;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

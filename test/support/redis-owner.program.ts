// Owns a private Redis until it is killed. Arguments: the server program, the folder.
import { systemClock } from '../../src/core/clock.ts';
import { PrivateRedis } from '../../src/embedded/redis.ts';

const [, , program = '', folder = ''] = process.argv;
await PrivateRedis.start({ program, folder, maxMemoryMb: 16, clock: systemClock });
process.send?.('up');

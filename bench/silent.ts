import type { Logger } from '../src/core/log.ts';

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

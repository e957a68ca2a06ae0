// The log of a replayed agent: nobody reads it, because what it did is on the bus.
import type { LogPort } from '../ports/log-port.ts';

export const silentLog: LogPort = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

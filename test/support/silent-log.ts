// A LogPort that says nothing, for tests whose subject is not the log.
import type { LogPort } from '../../src/ports/log-port.ts';

const nothing = (): void => undefined;

export const silentLog: LogPort = { debug: nothing, info: nothing, warn: nothing, error: nothing };

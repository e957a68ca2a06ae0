// The demo's own log: the lines of json-log in a file, so that the screen stays with the table. Kept when the demo fails.
import { appendFileSync } from 'node:fs';
import { createJsonLog } from '../adapters/json-log.ts';
import type { LogPort } from '../ports/log-port.ts';

/** Lines are written at once: a demo that is killed leaves what it knew. */
export function fileLog(path: string): LogPort {
  return createJsonLog({ level: 'debug', destination: { write: (line) => appendFileSync(path, line) } });
}

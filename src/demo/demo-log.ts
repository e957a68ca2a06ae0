// The demo's own log: JSON lines in a file, so that the screen stays with the table. Kept when the demo fails.
import { appendFileSync } from 'node:fs';
import type { LogFields, LogPort } from '../ports/log-port.ts';

/** Lines are written at once: a demo that is killed leaves what it knew. */
export function fileLog(path: string): LogPort {
  const write = (level: string) => (event: string, fields: LogFields = {}): void => {
    appendFileSync(path, `${JSON.stringify({ at: new Date().toISOString(), level, event, ...fields })}\n`);
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

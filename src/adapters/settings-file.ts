// Reads the few files that settings name, before anything else runs. Everything later goes through FilesPort.
import { readFileSync, statSync } from 'node:fs';
import type { FileFault } from '../ports/faults.ts';
import { fail, ok, type Result } from '../ports/result.ts';

/** No configuration, certificate or key is larger. */
const bytesMax = 1_048_576;

/** @returns the text as UTF-8; `too-large` beyond 1 MiB */
export function readSettingsFile(path: string): Result<string, FileFault> {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) return fail({ kind: 'failed', path, message: 'is a directory' });
    if (stats.size > bytesMax) return fail({ kind: 'too-large', path, message: `is larger than ${bytesMax} bytes`, bytesMax });
    return ok(readFileSync(path, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException; // Node's file functions throw nothing else
    if (code === 'ENOENT') return fail({ kind: 'not-found', path, message: 'no such file' });
    if (code === 'EACCES' || code === 'EPERM') return fail({ kind: 'not-permitted', path, message: 'not permitted' });
    return fail({ kind: 'failed', path, message });
  }
}

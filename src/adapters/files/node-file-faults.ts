// Node's file errors to FileFaults. The one place that knows errno names.
import type { FileFault } from '../../ports/faults.ts';
import { fail, ok, type Result } from '../../ports/result.ts';

/** @param error whatever a call of node:fs threw */
export function fileFault(error: unknown, path: string): FileFault {
  const code = errorCode(error);
  const message = `${path}: ${sentenceOf(code, error)}`;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR': return { kind: 'not-found', path, message };
    case 'EACCES':
    case 'EPERM':
    case 'EROFS': return { kind: 'not-permitted', path, message };
    case 'ENOSPC':
    case 'EDQUOT': return { kind: 'no-space', path, message };
    default: return { kind: 'failed', path, message };
  }
}

export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

const sentences: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file or directory'],
  ['ENOTDIR', 'a part of the path is not a directory'],
  ['EISDIR', 'is a directory'],
  ['EEXIST', 'exists already'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'operation not permitted'],
  ['EROFS', 'read-only file system'],
  ['ENOSPC', 'no space left on the device'],
  ['EDQUOT', 'disk quota exceeded'],
  ['EBUSY', 'busy; something is mounted there'],
  ['ELOOP', 'is a symbolic link, or too many of them'],
  ['EMFILE', 'too many open files'],
]);

function sentenceOf(code: string, error: unknown): string {
  return sentences.get(code) ?? (error instanceof Error ? error.message : String(error));
}

/** What `act` gives, or the fault that what it threw stands for. @param subject the path that the fault names */
export async function answer<T>(subject: string, act: () => Promise<T>): Promise<Result<T, FileFault>> {
  try {
    return ok(await act());
  } catch (error) {
    return fail(fileFault(error, subject));
  }
}

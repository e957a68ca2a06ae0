// FilesPort around another: counts what is written to the disk and how often it is synced, because flash wears. Changes nothing else.
import type { FileFault } from '../ports/faults.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { Result } from '../ports/result.ts';
import type { MetricsRegistry } from './metrics-registry.ts';

/** Below the root directory, by their first folder; everything else is `other`. */
const areas: ReadonlySet<string> = new Set(['cache', 'outbox', 'admin-pods', 'pods']);

/**
 * Bytes are those of the contents handed in: what the file system adds for names and journals is its own.
 * An atomic write counts two syncs, of the file and of its folder.
 */
export function meterFiles(files: FilesPort, registry: MetricsRegistry, rootDirectory: string): FilesPort {
  const bytes = registry.counter('mqlet_disk_written_bytes_total', 'Bytes written to the disk by this program, by folder of the root directory.');
  const synced = registry.counter('mqlet_disk_files_synced_total', 'Files and folders synced to the disk by this program, by folder of the root directory.');
  const count = async (path: string, content: Uint8Array | string, syncs: number, answer: Promise<Result<void, FileFault>>): Promise<Result<void, FileFault>> => {
    const written = await answer;
    if (!written.ok) return written;
    const first = path.startsWith(`${rootDirectory}/`) ? (path.slice(rootDirectory.length + 1).split('/')[0] ?? '') : '';
    const labels = { area: areas.has(first) ? first : 'other' };
    if (content.length > 0) bytes.add(labels, typeof content === 'string' ? Buffer.byteLength(content) : content.byteLength);
    if (syncs > 0) synced.add(labels, syncs);
    return written;
  };
  return {
    list: (directory) => files.list(directory),
    read: (path, options) => files.read(path, options),
    readEnd: (path, options) => files.readEnd(path, options),
    makeFile: (path, options) => files.makeFile(path, options),
    writeAtomic: (path, content, options) => count(path, content, 2, files.writeAtomic(path, content, options)),
    append: (path, content, options) => count(path, content, 1, files.append(path, content, options)),
    makeDirectory: (path, options) => files.makeDirectory(path, options),
    removeFile: (path, options) => count(path, '', options?.durable === true ? 1 : 0, files.removeFile(path, options)),
    removeTree: (path) => files.removeTree(path),
    usage: (path, options) => files.usage(path, options),
    watch: (path, changed) => files.watch(path, changed),
  };
}

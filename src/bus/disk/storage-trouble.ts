// What may be wrong with what the node keeps on its disk, in the words of the node's condition.
import type { FileFault } from '../../ports/faults.ts';

/** What is kept: secrets and config maps, pods of the cloud, statuses of pods, resources granted to pods, the node, events on their way. */
export type StorageArea = 'objects' | 'pods' | 'statuses' | 'allocations' | 'node' | 'outbox';

/** `reason` as a condition has it; `message` one line that names the file. */
export interface StorageTrouble {
  readonly reason: 'DiskFull' | 'DiskReadOnly' | 'DiskFailed' | 'FilesDamaged';
  readonly message: string;
}

export function troubleOf({ kind, message }: FileFault): StorageTrouble {
  switch (kind) {
    case 'no-space': return { reason: 'DiskFull', message };
    case 'not-permitted': return { reason: 'DiskReadOnly', message };
    case 'not-found':
    case 'too-large':
    case 'failed': return { reason: 'DiskFailed', message };
    default: return kind satisfies never;
  }
}

// When StopPodSandbox has finished: its last act is to remove the sandbox's network namespace, a file below containerd's state.
// No event tells it, and the daemon's own answer cannot be seen from outside.
import { readdirSync, watch } from 'node:fs';
import path from 'node:path';
import { wallMs } from './wall-clock.ts';

export interface NetnsWatch {
  /** Wall milliseconds of the removals since the watch began, in order. */
  readonly removedAtMs: readonly number[];
  close(): void;
}

export function watchNetns(containerdStateDirectory: string): NetnsWatch {
  const directory = path.join(containerdStateDirectory, 'io.containerd.grpc.v1.cri', 'netns');
  const removedAtMs: number[] = [];
  let present = new Set(readdirSync(directory));
  const watcher = watch(directory, () => {
    const atMs = wallMs();
    const now = new Set(readdirSync(directory));
    for (const name of present) if (!now.has(name)) removedAtMs.push(atMs);
    present = now;
  });
  return { removedAtMs, close: () => watcher.close() };
}

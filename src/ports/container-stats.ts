// What containers use, as a runtime tells it.
import type { ContainerId, PodUid } from './pod-types.ts';

/** What one container uses now. A figure is absent where the runtime does not tell. */
export interface ContainerStats {
  readonly id: ContainerId;
  readonly podUid: PodUid;
  readonly name: string;
  /** Memory in use less file cache that has not been touched lately. */
  readonly workingSetBytes?: number;
  /** All memory that is charged to it. */
  readonly memoryBytes?: number;
  readonly rssBytes?: number;
  /** Of one core, since it began; `atMs` is when the kernel was asked. */
  readonly cpuNanoSeconds?: number;
  readonly cpuAtMs?: number;
  /** Of the writable layer. */
  readonly layerBytes?: number;
  readonly layerInodes?: number;
}

// What the cloud side saw of each pod, and when: the first status Running and Ready, and the deletion of the object.
import type { PodStatus } from '../src/ports/pod-types.ts';
import { containerIdOf, isRunningAndReady, type SeenWrite, type StandInCloud } from './stand-in-cloud.ts';

export interface ReadyPod {
  /** Wall milliseconds at the broker, of the first status Running and Ready. */
  readonly atMs: number;
  /** Of the first status Running, ready or not. */
  readonly runningAtMs: number;
  readonly containerId: string;
}

interface Waiter {
  runningAtMs?: number;
  readonly ready: (pod: ReadyPod) => void;
  readonly gone: (atMs: number) => void;
}

/** Beyond it a measurement has failed. */
const waitMsMax = 180_000;

export class PodJournal {
  readonly #waiters = new Map<string, Waiter>();

  constructor(cloud: StandInCloud) {
    cloud.watch((write) => this.#seen(write));
  }

  /** Call before the pod is published. Each promise rejects when it takes too long. */
  expect(name: string): { readonly ready: Promise<ReadyPod>; readonly gone: Promise<number> } {
    let waiter: Waiter = { ready: () => undefined, gone: () => undefined };
    const ready = bounded(`${name} Running and Ready`, new Promise<ReadyPod>((resolve) => {
      waiter = { ...waiter, ready: resolve };
    }));
    // Whoever waits for several pods hears of the first failure; the others must not end the process before the teardown.
    ready.catch(() => undefined);
    const gone = new Promise<number>((resolve) => {
      waiter = { ...waiter, gone: resolve };
    });
    this.#waiters.set(name, waiter);
    return { ready, gone };
  }

  #seen({ atMs, objectType, operateType, name, status }: SeenWrite): void {
    if (objectType !== 'pod') return;
    const waiter = this.#waiters.get(name);
    if (waiter === undefined) return;
    if (operateType === 'delete') {
      this.#waiters.delete(name);
      waiter.gone(atMs);
    } else if (status?.phase === 'Running') {
      waiter.runningAtMs ??= atMs;
      if (isRunningAndReady(status)) waiter.ready({ atMs, runningAtMs: waiter.runningAtMs, containerId: containerIdOf(status as PodStatus) ?? '' }); // Ready is a status.
    }
  }
}

export async function bounded<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${waitMsMax / 1000} s: ${what}`)), waitMsMax);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

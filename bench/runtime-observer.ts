// When what happened in containerd, by the stamps containerd itself puts on its events. The same clock for the daemon's pods and
// for the bare calls, so that neither depends on who asked whom when. Listens on a connection of its own.
import { openChannel } from '../src/adapters/cri/cri-channel.ts';
import { loadMethods } from '../src/adapters/cri/cri-methods.ts';
import { SystemClock } from '../src/adapters/system-clock.ts';
import type { Stoppable } from '../src/ports/result.ts';

export type Moment = 'created' | 'started' | 'exited' | 'deleted';

export interface RuntimeObserver extends Stoppable {
  /** Wall milliseconds; resolves at once for what has happened already. Rejects when it has not happened in time. */
  moment(what: Moment, id: string): Promise<number>;
  /** Events seen so far; tells a quiet runtime from a busy one. */
  count(): number;
}

const topics: Readonly<Record<string, Moment>> = {
  '/containers/create': 'created', '/tasks/start': 'started', '/tasks/exit': 'exited', '/containers/delete': 'deleted',
};
/** Beyond it a measurement has failed. */
const waitMsMax = 180_000;

/** Envelope of containerd's events, with the stamp that the daemon has no use for. */
interface StampedEnvelope {
  readonly topic: string;
  readonly timestamp: { readonly seconds: string; readonly nanos: number } | null;
  readonly event: { readonly type_url: string; readonly value: Buffer } | null;
}

export async function startRuntimeObserver(endpoint: string): Promise<RuntimeObserver> {
  const methods = loadMethods();
  const channel = openChannel(endpoint, new SystemClock());
  const stream = channel.stream(methods.events('Subscribe'), { filters: Object.keys(topics).map((topic) => `namespace==k8s.io,topic=="${topic}"`) });
  const moments = new Map<string, number>();
  const waiting = new Map<string, (atMs: number) => void>();
  // Creation and deletion both carry the identity in their first field.
  const decoders = { task: methods.payload('containerd.events.TaskExit'), container: methods.payload('containerd.events.ContainerDelete') };
  stream.on('error', () => undefined);
  stream.on('data', (data: object) => {
    // The decoder of Subscribe yields Envelope.
    const { topic, timestamp, event } = data as StampedEnvelope;
    const what = topics[topic];
    if (what === undefined || event === null || timestamp === null) return;
    const decode = what === 'created' || what === 'deleted' ? decoders.container : what === 'started' ? methods.payload('containerd.events.TaskStart') : decoders.task;
    const payload = decode?.(event.value) as { readonly containerId?: string; readonly id?: string } | undefined; // Of these three messages each has one or both.
    const id = payload?.containerId ?? payload?.id;
    if (payload === undefined || id === undefined || (what === 'exited' && payload.id !== id)) return;
    const key = `${what} ${id}`;
    const atMs = Number(timestamp.seconds) * 1_000 + timestamp.nanos / 1e6;
    if (!moments.has(key)) moments.set(key, atMs);
    waiting.get(key)?.(atMs);
    waiting.delete(key);
  });
  return {
    count: () => moments.size,
    moment: (what, id) => {
      const key = `${what} ${id}`;
      const known = moments.get(key);
      if (known !== undefined) return Promise.resolve(known);
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`containerd did not report ${what} of ${id} within ${waitMsMax / 1000} s`)), waitMsMax);
        waiting.set(key, (atMs) => {
          clearTimeout(timer);
          resolve(atMs);
        });
      });
    },
    stop: async () => {
      stream.cancel();
      channel.close();
    },
  };
}

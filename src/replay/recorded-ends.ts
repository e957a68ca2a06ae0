// How the containers of a recording ended, from the statuses the node told: a simulated runtime lets them end so again. Pure.
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import { ToldObjects } from './told-objects.ts';
import type { Transcript } from './transcript.ts';
import { type Said, textOf, type Wire } from './wire/wire.ts';

export interface RecordedEnd {
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  /** From start to end; whole seconds, as statuses tell them. */
  readonly ranMs: number;
  /** The node had said that it stops the container: it did not end by itself. */
  readonly stopped: boolean;
}

/** By pod, container and number of restarts before: `shop/web app 0`. */
export type RecordedEnds = ReadonlyMap<string, RecordedEnd>;

export function endKey(pod: { readonly namespace: string; readonly name: string }, container: string, restarts: number): string {
  return `${pod.namespace}/${pod.name} ${container} ${restarts}`;
}

const lists = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const;

export function recordedEnds({ steps }: Transcript, wire: Wire): RecordedEnds {
  const told = new ToldObjects(wire.name);
  const ends = new Map<string, RecordedEnd>();
  /** Containers whose end the node has announced, until they run again. */
  const stopping = new Set<string>();
  for (const step of steps) {
    if (step.kind !== 'told') continue;
    for (const said of step.facts.said) {
      noteAnnounced(stopping, said);
      if (!said.object.startsWith('Pod ')) continue;
      told.tell(said, step);
      const [namespace = '', name = ''] = said.object.slice('Pod '.length).split('/');
      const status = told.statusOf(said.object);
      for (const list of lists) noteEnds({ ends, stopping }, { namespace, name }, status?.[list]);
    }
  }
  return ends;
}

const containerPath = /^spec\.\w*[cC]ontainers\{(.+)\}$/;

function noteAnnounced(stopping: Set<string>, { object, value: { involvedObject, reason } }: Said): void {
  if (!object.startsWith('Event ') || !isJsonObject(involvedObject)) return;
  const container = containerPath.exec(textOf(involvedObject.fieldPath))?.[1];
  if (container === undefined) return;
  const key = endKey({ namespace: textOf(involvedObject.namespace), name: textOf(involvedObject.name) }, container, 0);
  if (reason === 'Killing') stopping.add(key);
  if (reason === 'Started') stopping.delete(key);
}

interface Noted {
  readonly ends: Map<string, RecordedEnd>;
  readonly stopping: ReadonlySet<string>;
}

function noteEnds({ ends, stopping }: Noted, pod: { readonly namespace: string; readonly name: string }, statuses: unknown): void {
  for (const status of (Array.isArray(statuses) ? statuses : []).filter(isJsonObject)) {
    const { name, restartCount, state, lastState } = status;
    const restarts = typeof restartCount === 'number' ? restartCount : 0;
    const [now, last] = [endOf(state), endOf(lastState)];
    const note = (end: Omit<RecordedEnd, 'stopped'> | undefined, count: number): void => {
      const key = endKey(pod, textOf(name), count);
      // Told again later, it is the same end.
      if (end !== undefined && count >= 0) ends.set(key, { ...end, stopped: ends.get(key)?.stopped ?? stopping.has(endKey(pod, textOf(name), 0)) });
    };
    note(now, restarts);
    // The count tells of the instance that runs now: the last one had one restart less.
    note(last, restarts - 1);
  }
}

function endOf(state: unknown): Omit<RecordedEnd, 'stopped'> | undefined {
  const terminated = isJsonObject(state) ? state.terminated : undefined;
  if (!isJsonObject(terminated) || typeof terminated.exitCode !== 'number') return undefined;
  const { exitCode, reason, startedAt, finishedAt } = terminated as JsonObject & { readonly exitCode: number }; // Its type was just looked at.
  const ranMs = Date.parse(textOf(finishedAt)) - Date.parse(textOf(startedAt));
  return { exitCode, outOfMemory: reason === 'OOMKilled', ranMs: Number.isFinite(ranMs) && ranMs > 0 ? ranMs : 0 };
}

const imageMessage = /^(?:Container image|Pulling image) "([^"]+)"( already present on machine)?/;

/** Images that needed no pull then: the first word of them was that they are there. */
export function recordedImages({ steps }: Transcript): readonly string[] {
  const wasThere = new Map<string, boolean>();
  for (const step of steps) {
    if (step.kind !== 'told') continue;
    for (const { object, value } of step.facts.said) {
      const [, image, there] = object.startsWith('Event ') ? (imageMessage.exec(textOf(value.message)) ?? []) : [];
      if (image !== undefined && !wasThere.has(image)) wasThere.set(image, there !== undefined);
    }
  }
  return [...wasThere].flatMap(([image, there]) => (there ? [image] : []));
}

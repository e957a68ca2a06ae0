// Manifests of static pods, made from the mirror pods that a recording saw: the wire brings no files. Pure.
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import { configHashAnnotation, configMirrorAnnotation, configSeenAnnotation, configSourceAnnotation, staticPodName } from '../bus/ingress/static-pod.ts';
import type { Step, Transcript } from './transcript.ts';
import { type Said, textOf } from './wire/wire.ts';

/** A manifest appears or changes; or, without content, goes. */
export interface ManifestChange {
  /** Milliseconds since the recording began. */
  readonly sinceMs: number;
  /** Name of the file. */
  readonly file: string;
  readonly content: string | undefined;
}

/** From a change of a file to what the node tells of it: it waits for the writer to be done, and longer where a file has gone. */
const noticedMs = { changed: 80, gone: 200 } as const;
/** A mirror pod that comes back so soon was replaced: its manifest had not gone. */
const replacedMsMax = 60_000;
const marks: ReadonlySet<string> = new Set([configHashAnnotation, configMirrorAnnotation, configSeenAnnotation, configSourceAnnotation]);

/** A manifest changes or goes when the node begins to stop the pod, which it tells before it deletes the mirror pod. */
export function recordedManifests({ steps }: Transcript, nodeName: string): readonly ManifestChange[] {
  const changes: ManifestChange[] = [];
  /** What the manifest of each mirror pod holds by now. */
  const contents = new Map<string, string | undefined>();
  const stopping = new Map<string, Step>();
  const note = (object: string, { sinceMs }: Step, content: string | undefined): void => {
    if (contents.get(object) === content) return;
    contents.set(object, content);
    const file = `${object.slice('Pod '.length).replace('/', '_')}.json`;
    changes.push({ sinceMs: Math.max(0, sinceMs - (content === undefined ? noticedMs.gone : noticedMs.changed)), file, content });
  };
  for (const [index, step] of steps.entries()) {
    if (step.kind !== 'told') continue;
    for (const said of step.facts.said) {
      noteStopping(stopping, said, step);
      const { object } = said;
      const content = contentOf(said, nodeName);
      if (content !== undefined) note(object, step, content);
      if (said.verb === 'gone' && contents.get(object) !== undefined) note(object, stopping.get(object) ?? step, nextContent(steps, index, object, nodeName));
    }
  }
  return changes;
}

const eventOfPod = /^Event of (Pod .+): (Killing|Started)$/;

function noteStopping(stopping: Map<string, Step>, { object }: Said, step: Step): void {
  const [, pod, reason] = eventOfPod.exec(object) ?? [];
  if (pod === undefined) return;
  if (reason === 'Killing') stopping.set(pod, stopping.get(pod) ?? step);
  else stopping.delete(pod);
}

/** What the mirror pod that takes the place of a deleted one was made from; undefined where none does. */
function nextContent(steps: readonly Step[], from: number, object: string, nodeName: string): string | undefined {
  const goneMs = steps[from]?.sinceMs ?? 0;
  for (const step of steps.slice(from + 1)) {
    if (step.sinceMs - goneMs > replacedMsMax) return undefined;
    const said = step.kind === 'told' ? step.facts.said.find((each) => each.object === object) : undefined;
    if (said !== undefined) return contentOf(said, nodeName);
  }
  return undefined;
}

function contentOf({ object, verb, value }: Said, nodeName: string): string | undefined {
  const manifest = verb === 'whole' && object.startsWith('Pod ') ? manifestOf(value, nodeName) : undefined;
  // A file that ends with a line is taken for whole.
  return manifest === undefined ? undefined : `${JSON.stringify(manifest)}\n`;
}

/** What the agent adds to a static pod is taken away again; its UID is kept, so that it is the same pod. */
function manifestOf({ metadata, spec }: JsonObject, nodeName: string): JsonObject | undefined {
  if (!isJsonObject(metadata) || !isJsonObject(spec) || !isJsonObject(metadata.annotations)) return undefined;
  const { name, namespace, labels, annotations } = metadata;
  const hash = annotations[configHashAnnotation];
  const suffix = staticPodName('', nodeName);
  if (annotations[configMirrorAnnotation] === undefined || typeof hash !== 'string' || !textOf(name).endsWith(suffix)) return undefined;
  const { nodeName: _nodeName, tolerations, ...rest } = spec;
  return {
    apiVersion: 'v1', kind: 'Pod',
    metadata: {
      name: textOf(name).slice(0, -suffix.length), namespace: textOf(namespace), uid: hash, ...(labels === undefined ? {} : { labels }),
      annotations: Object.fromEntries(Object.entries(annotations).filter(([mark]) => !marks.has(mark))),
    },
    spec: { ...rest, ...(Array.isArray(tolerations) ? { tolerations: tolerations.filter((each: unknown) => !isOurs(each)) } : {}) },
  };
}

function isOurs(toleration: unknown): boolean {
  return isJsonObject(toleration) && toleration.operator === 'Exists' && toleration.effect === 'NoExecute' && toleration.key === undefined;
}

// Which running pods can be taken over: manifests get the UID under which their pods run, containers the hash we would give them. Pure.
import { Document, parseAllDocuments } from 'yaml';
import { staticPodName } from '../bus/ingress/static-pod.ts';
import { fullImageName } from '../machines/decide/image-name.ts';
import { containerHash, hashAnnotation } from '../machines/decide/runtime-labels.ts';
import type { AdoptedContainer } from '../ports/adopted-containers.ts';
import type { ListedSandbox, ObservedContainer } from '../ports/runtime-port.ts';

/** Aliases in a manifest; more is an attempt to blow it up. */
const aliasCountMax = 100;

/** What runs now, of all agents. */
export interface RunningWorld {
  readonly sandboxes: readonly ListedSandbox[];
  readonly containers: readonly ObservedContainer[];
}

/** A pod that is wanted, and what of it matters here. */
export interface WantedPod {
  readonly namespace: string;
  /** As the runtime knows it: of a static pod with the node's name behind. */
  readonly name: string;
  readonly uid: string;
  readonly containers: readonly { readonly name: string; readonly image: string }[];
}

export interface CarriedManifest {
  readonly text: string;
  readonly pods: readonly WantedPod[];
}

/**
 * The manifest with the UIDs of its running pods. Comments and order stay; a document that is no pod stays as it is.
 * @param text a manifest in YAML or JSON, of one or more documents
 */
export function carryManifest(text: string, nodeName: string, { sandboxes }: RunningWorld): CarriedManifest {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return { text, pods: [] };
  const pods: WantedPod[] = [];
  let changed = false;
  // What has errors cannot be written again: the file stays as it is, and its pods begin anew.
  const isBroken = documents.some(({ errors }) => errors.length > 0);
  for (const document of documents) {
    const wanted = wantedOf(document, nodeName);
    if (wanted === undefined) continue;
    const running = sandboxes.find((one) => one.state === 'ready' && one.namespace === wanted.namespace && one.name === wanted.name);
    const uid = wanted.uid || (isBroken ? '' : running?.podUid ?? '');
    if (wanted.uid === '' && uid !== '') {
      document.setIn(['metadata', 'uid'], uid);
      changed = true;
    }
    pods.push({ ...wanted, uid });
  }
  return { text: changed ? documents.map((document) => String(document)).join('') : text, pods };
}

function wantedOf(document: Document, nodeName: string): WantedPod | undefined {
  if (document.errors.length > 0) return undefined;
  const object: unknown = document.toJS({ maxAliasCount: aliasCountMax });
  if (!isRecord(object) || object['kind'] !== 'Pod') return undefined;
  const { metadata, spec } = object;
  if (!isRecord(metadata) || typeof metadata['name'] !== 'string' || !isRecord(spec)) return undefined;
  return {
    namespace: typeof metadata['namespace'] === 'string' ? metadata['namespace'] : 'default',
    name: staticPodName(metadata['name'], nodeName),
    uid: typeof metadata['uid'] === 'string' ? metadata['uid'] : '',
    containers: [...containersIn(spec['initContainers']), ...containersIn(spec['containers'])],
  };
}

export function containersIn(list: unknown): WantedPod['containers'] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((one: unknown) => (isRecord(one) && typeof one['name'] === 'string' ? [{ name: one['name'], image: typeof one['image'] === 'string' ? one['image'] : '' }] : []));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What becomes of the pods that run now. Each list holds lines for people. */
export interface TakeOver {
  readonly adopted: readonly AdoptedContainer[];
  /** Go on without a restart. */
  readonly kept: readonly string[];
  /** Go on after one restart of the named containers. */
  readonly restarted: readonly string[];
  /** Run, and are in no manifest and no cache: they end, unless the cloud side names them. */
  readonly unknown: readonly string[];
  /** Are wanted and do not run now. */
  readonly absent: readonly string[];
}

export function planTakeOver(wanted: readonly WantedPod[], { sandboxes, containers }: RunningWorld): TakeOver {
  const adopted: AdoptedContainer[] = [];
  const [kept, restarted, unknown, absent]: string[][] = [[], [], [], []];
  const byUid = new Map(wanted.map((pod) => [pod.uid, pod]));
  const ready = sandboxes.filter(({ state }) => state === 'ready');
  for (const pod of wanted) if (pod.uid === '' || !ready.some(({ podUid }) => podUid === pod.uid)) absent?.push(`${pod.namespace}/${pod.name}`);
  for (const { podUid, namespace, name } of ready) {
    const pod = byUid.get(podUid);
    const place = `${namespace}/${name}`;
    if (pod === undefined) {
      unknown?.push(place);
      continue;
    }
    const losers: string[] = [];
    for (const container of containers.filter((one) => one.podUid === podUid && one.state === 'running')) {
      const definition = pod.containers.find((one) => one.name === container.name);
      const was = container.annotations[hashAnnotation];
      if (definition === undefined || was === undefined) losers.push(`${container.name} (${definition === undefined ? 'not in its definition' : 'without the other agent\'s hash'})`);
      else if (!sameImage(definition.image, container.image)) losers.push(`${container.name} (runs ${container.image}, ${definition.image} is wanted)`);
      else if (was !== containerHash(definition)) adopted.push({ id: container.id, was, hash: containerHash(definition) });
    }
    if (losers.length === 0) kept?.push(place);
    else restarted?.push(`${place}: ${losers.join(', ')}`);
  }
  return { adopted, kept: kept ?? [], restarted: restarted ?? [], unknown: unknown ?? [], absent: absent ?? [] };
}

/** A runtime that only knows an ID says nothing against it. */
function sameImage(wanted: string, running: string): boolean {
  return running === '' || /^sha256:/.test(running) || fullImageName(wanted) === fullImageName(running);
}

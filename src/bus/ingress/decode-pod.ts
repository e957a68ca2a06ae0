// The one place where input becomes a pod: an object from the wire or the bytes of a manifest, to DesiredPods and faults.
// It never throws for what it is given, touches no world, and keeps nothing of its input.
import type { InputFault } from '../../ports/faults.ts';
import type { DesiredPod, PodSource, PodUid } from '../../ports/pod-types.ts';
import { applyPodDefaults } from './pod-defaults.ts';
import type { TakenPod } from './pod-parts.ts';
import { podType } from './pod-schema.ts';
import { element, field, type Path, Problems } from './problems.ts';
import { readYaml, type YamlDocument } from './read-yaml.ts';
import { bindLocalPod, identifyLocalPod, markSource } from './static-pod.ts';
import { takeObject } from './take-object.ts';
import { validatePod } from './validate-pod.ts';

/** A manifest file. Larger is refused; as in kubelet. */
export const manifestBytesMax = 10 * 1_024 * 1_024;

/** What the answer of the API server says about a pod, and nobody here reads beyond what is known. */
const quietFields: ReadonlySet<string> = new Set(['status']);

export interface DecodeContext {
  /** File path, topic or `admin`: stands in front of each fault. */
  readonly origin: string;
  readonly source: PodSource;
  /** This node: the pod's `spec.nodeName` must be it. */
  readonly nodeName: string;
  /** Report all that is wrong with an object, for a person who asked; otherwise its first error stands for all. */
  readonly everyFault?: boolean;
}

/** `pod` is absent when `faults` has an error. Warnings name fields that the pod runs without. */
export interface DecodedPod {
  readonly pod?: DesiredPod;
  readonly faults: InputFault[];
}

export interface DecodedManifest {
  readonly pods: DesiredPod[];
  readonly faults: InputFault[];
}

/**
 * An object that has been parsed already, trusted in nothing.
 * Checked, given the API's defaults, copied: the result shares nothing with `value`.
 * @param context.line line of the object in its text, where there is one
 */
export function decodePodObject(value: unknown, context: DecodeContext & { readonly line?: number }): DecodedPod {
  return decodeAt(value, context, { path: undefined, lineOf: () => context.line });
}

/**
 * YAML or JSON; several documents, `List` and `PodList` too. A document that is refused harms no other.
 * @returns pods in the order of the text; at most one error per object, in the same order
 */
export function decodeManifest(bytes: Uint8Array, context: DecodeContext): DecodedManifest {
  const refuse = (message: string): DecodedManifest => ({ pods: [], faults: [{ origin: context.origin, message, severity: 'error' }] });
  if (bytes.byteLength > manifestBytesMax) return refuse(`larger than ${manifestBytesMax} bytes`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('not UTF-8 text');
  }
  const pods: DesiredPod[] = [];
  const faults: InputFault[] = [];
  for (const document of readYaml(text)) {
    for (const decoded of decodeDocument(document, context)) {
      if (decoded.pod !== undefined) pods.push(decoded.pod);
      faults.push(...decoded.faults);
    }
  }
  return { pods, faults };
}

interface Place {
  readonly path: Path | undefined;
  readonly lineOf: (path: Path | undefined) => number | undefined;
}

function decodeDocument(document: YamlDocument, context: DecodeContext): readonly DecodedPod[] {
  if (document.kind === 'broken') {
    const { line, path, message } = document;
    const where = { ...(line === undefined ? {} : { line }), ...(path === '' ? {} : { field: path }) };
    return [{ faults: [{ origin: context.origin, ...where, message, severity: 'error' }] }];
  }
  const { value, lineOf } = document;
  const list = listIn(value);
  if (list === undefined) return [decodeAt(value, context, { path: undefined, lineOf }, { kindNeeded: true })];
  const items = field(undefined, 'items');
  if (!Array.isArray(list)) {
    const problems = new Problems();
    problems.invalid(items, list, 'must be a list');
    return [{ faults: problems.faults(context.origin, lineOf) }];
  }
  return list.map((item: unknown, index) => decodeAt(item, context, { path: element(items, index), lineOf }));
}

/** What stands under `items` in a `v1` `List` or `PodList`; undefined for anything else. */
function listIn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined;
  if (value.kind !== 'List' && value.kind !== 'PodList') return undefined;
  return ('items' in value ? value.items : undefined) ?? [];
}

function decodeAt(value: unknown, context: DecodeContext, place: Place, options: { readonly kindNeeded?: boolean } = {}): DecodedPod {
  const problems = new Problems();
  const pod = decode(value, { ...context, ...options, path: place.path, problems });
  const faults = problems.faults(context.origin, place.lineOf, context);
  return problems.failed || pod === undefined ? { faults } : { pod, faults };
}

interface Decoding extends DecodeContext {
  readonly path: Path | undefined;
  readonly problems: Problems;
  readonly kindNeeded?: boolean;
}

function decode(value: unknown, decoding: Decoding): DesiredPod | undefined {
  const { problems, path, source, origin } = decoding;
  // Of another kind of object the rest need not be looked at: all its fields would be wrong.
  if (!checkKind(value, decoding)) return undefined;
  const taken = takeObject(value, podType(), { problems, path, quiet: quietFields });
  if (taken['spec'] === undefined && !problems.failed) problems.required(field(path, 'spec'));
  if (problems.failed) return undefined;
  // takeObject has just made it after the schema of a Pod, and the spec is there.
  const pod = { metadata: {}, ...taken } as unknown as TakenPod;
  if (source !== 'mqtt') identifyLocalPod(pod, decoding);
  applyPodDefaults(pod.spec);
  validatePod(pod, decoding);
  if (problems.failed) return undefined;
  if (source !== 'mqtt') bindLocalPod(pod, decoding);
  markSource(pod.metadata, source);
  const { uid = '', namespace = '', name = '' } = pod.metadata;
  // Validation has refused the empty UID.
  return { uid: uid as PodUid, namespace, name, source, origin, pod: { ...pod, apiVersion: 'v1', kind: 'Pod' } };
}

function checkKind(value: unknown, { problems, path, kindNeeded }: Decoding): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.invalid(path, value, 'must be an object of kind Pod');
    return false;
  }
  // An object, which may have any fields of any type.
  const { apiVersion, kind } = value as { readonly apiVersion?: unknown; readonly kind?: unknown };
  const kindPath = field(path, 'kind');
  if (kind === undefined || kind === null || kind === '') {
    if (kindNeeded === true) problems.required(kindPath, 'must be "Pod"');
  } else if (kind !== 'Pod') problems.unsupported(kindPath, kind, ['Pod']);
  if (apiVersion !== undefined && apiVersion !== null && apiVersion !== '' && apiVersion !== 'v1') {
    problems.unsupported(field(path, 'apiVersion'), apiVersion, ['v1']);
  }
  return !problems.failed;
}

// The minimal pod of kole: an image, a command, a node selector. Its hash, as Go computes it, and the Kubernetes pod it stands for.
import { createHash } from 'node:crypto';
import { fail, ok, type Result } from '../../../ports/result.ts';
import { fieldOf, isJsonObject, type JsonObject } from '../json-value.ts';

export interface KoleSpec {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
}

/** Keeps on the pod which version it is, so that a restarted agent can report it. */
export const hashAnnotation = 'lite.openyurt.io/hash';
/** The one container of such a pod. */
const containerName = 'main';

/** @returns the first field that does not fit, and why */
export function readSpec(value: JsonObject): Result<KoleSpec, { readonly field: string; readonly message: string }> {
  const image = fieldOf(value, 'image') ?? undefined;
  const command = fieldOf(value, 'command') ?? undefined;
  const nodeSelector = fieldOf(value, 'nodeSelector') ?? undefined;
  if (image !== undefined && typeof image !== 'string') return fail({ field: 'Spec.image', message: 'must be a string' });
  if (command !== undefined && !isListOfStrings(command)) return fail({ field: 'Spec.command', message: 'must be a list of strings' });
  if (nodeSelector !== undefined && !isMapOfStrings(nodeSelector)) return fail({ field: 'Spec.nodeSelector', message: 'must be a mapping of strings' });
  return ok({
    ...(image === undefined || image === '' ? {} : { image }),
    ...(command === undefined || command.length === 0 ? {} : { command }),
    ...(nodeSelector === undefined || Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector }),
  });
}

/** Lower-case hex MD5 of the JSON of the spec as Go's encoding/json writes it; undefined stands for no spec. */
export function specHash(spec: KoleSpec | undefined): string {
  return createHash('md5').update(goJson(spec), 'utf8').digest('hex');
}

function goJson(spec: KoleSpec | undefined): string {
  if (spec === undefined) return 'null';
  const { image, command, nodeSelector } = spec;
  // By hand, because an object of ours would bring keys that look like numbers to the front.
  const selector = Object.entries(nodeSelector ?? {}).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const fields = [
    ...(image === undefined ? [] : [`"image":${JSON.stringify(image)}`]),
    ...(command === undefined ? [] : [`"command":${JSON.stringify(command)}`]),
    ...(nodeSelector === undefined ? [] : [`"nodeSelector":{${selector.join(',')}}`]),
  ];
  const text = `{${fields.join(',')}}`;
  // What Go escapes for HTML's sake; elsewhere in JSON these characters do not occur.
  return text
    .replaceAll(/[<>&\u2028\u2029]/g, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
    // Go spells these two controls in digits.
    .replaceAll(/(?<!\\)((?:\\\\)*)\\([bf])/g, (_all, before: string, letter: string) => `${before}${letter === 'b' ? '\\u0008' : '\\u000c'}`);
}

/** The pod as the API would have it: one container, always restarted, tolerating everything, as the pods of a DaemonSet do. */
export function podOf(names: { readonly namespace: string; readonly name: string; readonly nodeName: string }, hash: string, spec: KoleSpec): JsonObject {
  const { image, command, nodeSelector } = spec;
  return {
    metadata: { namespace: names.namespace, name: names.name, annotations: { [hashAnnotation]: hash } },
    spec: {
      nodeName: names.nodeName,
      restartPolicy: 'Always',
      tolerations: [{ operator: 'Exists' }],
      ...(nodeSelector === undefined ? {} : { nodeSelector }),
      containers: [{ name: containerName, ...(image === undefined ? {} : { image }), ...(command === undefined ? {} : { command: [...command] }) }],
    },
  };
}

function isListOfStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function isMapOfStrings(value: unknown): value is Readonly<Record<string, string>> {
  return isJsonObject(value) && Object.values(value).every((each) => typeof each === 'string');
}

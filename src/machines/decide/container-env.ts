// The environment of a container: literal values, fields of its pod, and keys of config maps and secrets.
// A reference that is required and leads nowhere keeps the container from starting, with the words kubelet has for it.
import type { Container } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { ContainerConfig } from '../../ports/runtime-port.ts';
import type { FindObject, StoredObject, StoredObjectKind } from '../../ports/stored-object.ts';
import { expandVariables } from './env-expansion.ts';
import { type FieldSources, podFieldValue, resourceFieldValue } from './field-values.ts';

type EnvVar = NonNullable<Container['env']>[number];
type ValueSource = NonNullable<EnvVar['valueFrom']>;

/** Variables by name, in order of first appearance. */
export type Environment = ReadonlyMap<string, string>;

export interface EnvironmentSources extends FieldSources {
  /** Absent: there are no objects. */
  readonly objects?: FindObject;
}

interface KeySelector {
  readonly name?: string;
  readonly key?: string;
  readonly optional?: boolean;
}

/** Bytes that are no UTF-8 become the replacement character, as in any JSON text. */
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** The fault is a message for the container's waiting state. */
export function containerEnvironment(container: Container, sources: EnvironmentSources): Result<Environment, string> {
  const environment = new Map<string, string>();
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const taken = configMapRef === undefined ? ok() : addObject(environment, 'ConfigMap', configMapRef, prefix, sources);
    const both = taken.ok && secretRef !== undefined ? addObject(environment, 'Secret', secretRef, prefix, sources) : taken;
    if (!both.ok) return both;
  }
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, container, environment, sources);
    if (!value.ok) return value;
    if (value.value !== undefined) environment.set(variable.name, value.value);
  }
  return ok(environment);
}

/** All keys of one object; later ones win. */
function addObject(environment: Map<string, string>, kind: StoredObjectKind, selector: KeySelector, prefix: string, sources: EnvironmentSources): Result<void, string> {
  const object = objectOf(kind, selector, sources);
  if (object === undefined) return selector.optional === true ? ok() : fail(missing(kind, selector.name));
  for (const key of object.data.keys()) environment.set(prefix + key, textOf(object, key));
  return ok();
}

/** @returns undefined for a variable that is left out */
function valueOf(
  { value = '', valueFrom }: EnvVar,
  container: Container,
  earlier: Environment,
  sources: EnvironmentSources,
): Result<string | undefined, string> {
  if (valueFrom === undefined || value !== '') return ok(expandVariables(value, (name) => earlier.get(name)));
  return valueFromSource(valueFrom, container, sources);
}

function valueFromSource(from: ValueSource, container: Container, sources: EnvironmentSources): Result<string | undefined, string> {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = from;
  if (fieldRef !== undefined) return podFieldValue(fieldRef.fieldPath, sources);
  if (resourceFieldRef !== undefined) return resourceFieldValue(resourceFieldRef, container, sources);
  if (configMapKeyRef !== undefined) return keyValue('ConfigMap', configMapKeyRef, sources);
  if (secretKeyRef !== undefined) return keyValue('Secret', secretKeyRef, sources);
  return ok(undefined);
}

function keyValue(kind: StoredObjectKind, selector: KeySelector, sources: EnvironmentSources): Result<string | undefined, string> {
  const { name = '', key = '', optional } = selector;
  const object = objectOf(kind, selector, sources);
  if (object?.data.get(key) !== undefined) return ok(textOf(object, key));
  if (optional === true) return ok(undefined);
  if (object === undefined) return fail(missing(kind, name));
  return fail(`couldn't find key ${key} in ${kind} ${sources.desired.namespace}/${name}`);
}

function objectOf(kind: StoredObjectKind, { name = '' }: KeySelector, { objects, desired }: EnvironmentSources): StoredObject | undefined {
  return objects?.({ kind, namespace: desired.namespace, name });
}

function textOf(object: StoredObject, key: string): string {
  return utf8.decode(object.data.get(key));
}

function missing(kind: StoredObjectKind, name: string | undefined): string {
  return `${kind.toLowerCase()} "${name ?? ''}" not found`;
}

/** As the runtime takes it. */
export function environmentList(environment: Environment): ContainerConfig['envs'] {
  return [...environment].map(([key, value]) => ({ key, value }));
}

// The environment of a container. There is no store of config maps and secrets yet: optional references are left out,
// required ones keep the container from starting, with the words kubelet has for a missing object.
import type { Container } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { ContainerConfig } from '../../ports/runtime-port.ts';
import { expandVariables } from './env-expansion.ts';
import { type FieldSources, podFieldValue, resourceFieldValue } from './field-values.ts';

type EnvVar = NonNullable<Container['env']>[number];
type ValueSource = NonNullable<EnvVar['valueFrom']>;

/** Variables by name, in order of first appearance. */
export type Environment = ReadonlyMap<string, string>;

/** The fault is a message for the container's waiting state. */
export function containerEnvironment(container: Container, sources: FieldSources): Result<Environment, string> {
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef !== undefined && configMapRef.optional !== true) return fail(missing('configmap', configMapRef.name));
    if (secretRef !== undefined && secretRef.optional !== true) return fail(missing('secret', secretRef.name));
  }
  const environment = new Map<string, string>();
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, container, environment, sources);
    if (!value.ok) return value;
    if (value.value !== undefined) environment.set(variable.name, value.value);
  }
  return ok(environment);
}

/** @returns undefined for a variable that is left out */
function valueOf(
  { value = '', valueFrom }: EnvVar,
  container: Container,
  earlier: Environment,
  sources: FieldSources,
): Result<string | undefined, string> {
  if (valueFrom === undefined || value !== '') return ok(expandVariables(value, (name) => earlier.get(name)));
  return valueFromSource(valueFrom, container, sources);
}

function valueFromSource(from: ValueSource, container: Container, sources: FieldSources): Result<string | undefined, string> {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = from;
  if (fieldRef !== undefined) return podFieldValue(fieldRef.fieldPath, sources);
  if (resourceFieldRef !== undefined) return resourceFieldValue(resourceFieldRef, container, sources);
  if (configMapKeyRef !== undefined && configMapKeyRef.optional !== true) return fail(missing('configmap', configMapKeyRef.name));
  if (secretKeyRef !== undefined && secretKeyRef.optional !== true) return fail(missing('secret', secretKeyRef.name));
  return ok(undefined);
}

function missing(kind: 'configmap' | 'secret', name: string | undefined): string {
  return `${kind} "${name ?? ''}" not found`;
}

/** As the runtime takes it. */
export function environmentList(environment: Environment): ContainerConfig['envs'] {
  return [...environment].map(([key, value]) => ({ key, value }));
}

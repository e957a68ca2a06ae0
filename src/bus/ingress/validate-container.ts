// One container of any kind: image, ports, environment, mounts, resources. Checks only; probes and security have files of their own.
import { notConfigKey, notEnvName, notIp, notPathInside, notPortName, notPortNumber, notSubdomain } from './field-formats.ts';
import type { AnyContainer, ContainerPort, EnvVar, EnvVarSource, VolumeMount } from './pod-parts.ts';
import { element, field, type Path, type Problems } from './problems.ts';
import { validateLifecycleHandler, validateProbe } from './validate-handlers.ts';
import { validateResources } from './validate-resources.ts';
import { validateContainerSecurity } from './validate-security.ts';
import { validateDownwardField, validateResourceField } from './validate-volumes.ts';

export type ContainerKind = 'containers' | 'initContainers' | 'ephemeralContainers';

/** What the pod's parts must agree on. */
export interface ContainerContext {
  readonly kind: ContainerKind;
  readonly problems: Problems;
  readonly volumeNames: ReadonlySet<string>;
  readonly hostNetwork: boolean;
  /** Of the pod. */
  readonly podRestartPolicy: string;
  /** Host ports taken by containers already seen, `TCP/ip/80`; grows. */
  readonly hostPorts: Set<string>;
}

const probeKinds = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;
const pullPolicies = ['Always', 'IfNotPresent', 'Never'] as const;
const protocols = ['SCTP', 'TCP', 'UDP'] as const;
const recursiveModes = ['Disabled', 'Enabled', 'IfPossible'] as const;
const propagations = ['Bidirectional', 'HostToContainer', 'None'] as const;
const referenceKinds = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef'] as const;

export function validateContainer(container: AnyContainer, path: Path, context: ContainerContext): void {
  const { problems, kind } = context;
  const image = container.image ?? '';
  if (image === '') problems.required(field(path, 'image'));
  else if (image !== image.trim()) problems.invalid(field(path, 'image'), image, 'must not have leading or trailing whitespace');
  if (!oneOf(pullPolicies, container.imagePullPolicy)) problems.unsupported(field(path, 'imagePullPolicy'), container.imagePullPolicy, pullPolicies);
  const message = container.terminationMessagePolicy;
  if (!oneOf(['FallbackToLogsOnError', 'File'], message)) {
    problems.unsupported(field(path, 'terminationMessagePolicy'), message, ['FallbackToLogsOnError', 'File']);
  }
  const restart = container.restartPolicy;
  if (restart !== undefined && kind !== 'ephemeralContainers') {
    if (kind !== 'initContainers') problems.forbidden(field(path, 'restartPolicy'), 'may only be set for init containers');
    else if (restart !== 'Always') problems.unsupported(field(path, 'restartPolicy'), restart, ['Always']);
  }
  if (kind !== 'ephemeralContainers') validatePorts(container, path, context);
  for (const [index, variable] of (container.env ?? []).entries()) {
    validateVariable(variable, element(field(path, 'env'), index), problems);
  }
  validateEnvFrom(container, field(path, 'envFrom'), problems);
  validateMounts(container, path, context);
  if (kind !== 'ephemeralContainers') {
    validateResources(container, path, context);
    validateHooks(container, path, context);
  }
  if (container.securityContext !== undefined) validateContainerSecurity(container.securityContext, field(path, 'securityContext'), problems);
}

function oneOf(values: readonly string[], value: string | undefined): boolean {
  return value !== undefined && values.includes(value);
}

function validateHooks(container: AnyContainer, path: Path, { kind, problems }: ContainerContext): void {
  const mayHook = kind === 'containers' || (kind === 'initContainers' && container.restartPolicy === 'Always');
  const why = 'may not be set for init containers without restartPolicy=Always';
  for (const probeKind of probeKinds) {
    const probe = container[probeKind];
    if (probe === undefined) continue;
    if (mayHook) validateProbe(probe, field(path, probeKind), { kind: probeKind, problems });
    else problems.forbidden(field(path, probeKind), why);
  }
  const { lifecycle } = container;
  if (lifecycle === undefined) return;
  if (!mayHook) return problems.forbidden(field(path, 'lifecycle'), why);
  for (const hook of ['postStart', 'preStop'] as const) {
    const handler = lifecycle[hook];
    if (handler !== undefined) validateLifecycleHandler(handler, field(field(path, 'lifecycle'), hook), problems);
  }
}

function validatePorts(container: AnyContainer, path: Path, context: ContainerContext): void {
  const names = new Set<string>();
  for (const [index, port] of (container.ports ?? []).entries()) {
    validatePort(port, element(field(path, 'ports'), index), { ...context, names });
  }
}

function validatePort(port: ContainerPort, path: Path, context: ContainerContext & { readonly names: Set<string> }): void {
  const { problems, names } = context;
  if (port.name !== undefined && port.name !== '') {
    const detail = notPortName(port.name);
    if (detail !== undefined) problems.invalid(field(path, 'name'), port.name, detail);
    else if (names.has(port.name)) problems.duplicate(field(path, 'name'), port.name);
    names.add(port.name);
  }
  const number = port.containerPort ?? 0;
  const wrongNumber = notPortNumber(number);
  if (number === 0) problems.required(field(path, 'containerPort'));
  else if (wrongNumber !== undefined) problems.invalid(field(path, 'containerPort'), number, wrongNumber);
  if (!oneOf(protocols, port.protocol)) problems.unsupported(field(path, 'protocol'), port.protocol, protocols);
  const wrongIp = port.hostIP === undefined || port.hostIP === '' ? undefined : notIp(port.hostIP);
  if (wrongIp !== undefined) problems.invalid(field(path, 'hostIP'), port.hostIP, wrongIp);
  const hostPort = port.hostPort ?? 0;
  if (hostPort === 0) return;
  const hostPath = field(path, 'hostPort');
  const wrongHost = notPortNumber(hostPort);
  if (wrongHost !== undefined) return problems.invalid(hostPath, hostPort, wrongHost);
  if (context.hostNetwork && hostPort !== number) problems.invalid(field(path, 'containerPort'), number, 'must match `hostPort` when `hostNetwork` is true');
  // Init containers end before the others start, so they may share ports with them.
  if (context.kind !== 'containers') return;
  const taken = `${port.protocol}/${port.hostIP ?? ''}/${hostPort}`;
  if (context.hostPorts.has(taken)) problems.duplicate(hostPath, taken);
  context.hostPorts.add(taken);
}

function validateVariable(variable: EnvVar, path: Path, problems: Problems): void {
  const name = variable.name ?? '';
  const detail = notEnvName(name);
  if (name === '') problems.required(field(path, 'name'));
  else if (detail !== undefined) problems.invalid(field(path, 'name'), name, detail);
  if (variable.valueFrom === undefined) return;
  const from = field(path, 'valueFrom');
  if (variable.value !== undefined && variable.value !== '') problems.invalid(from, '', 'may not be specified when `value` is not empty');
  validateReference(variable.valueFrom, from, problems);
}

function validateReference(source: EnvVarSource, path: Path, problems: Problems): void {
  const given = referenceKinds.filter((kind) => source[kind] !== undefined);
  if (given.length === 0) return problems.invalid(path, '', `must specify one of: ${referenceKinds.join(', ')}`);
  if (given.length > 1) problems.invalid(path, '', 'may not have more than one field specified at a time');
  if (source.fieldRef !== undefined) validateDownwardField(source.fieldRef, field(path, 'fieldRef'), { use: 'env', problems });
  if (source.resourceFieldRef !== undefined) validateResourceField(source.resourceFieldRef, field(path, 'resourceFieldRef'), problems);
  for (const kind of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const reference = source[kind];
    if (reference === undefined) continue;
    validateObjectName(reference.name, field(field(path, kind), 'name'), problems);
    const key = reference.key ?? '';
    const detail = notConfigKey(key);
    if (key === '') problems.required(field(field(path, kind), 'key'));
    else if (detail !== undefined) problems.invalid(field(field(path, kind), 'key'), key, detail);
  }
}

/** Name of a secret, config map or the like: it ends up in topics and paths. */
export function validateObjectName(name: string | undefined, path: Path, problems: Problems): void {
  const detail = notSubdomain(name ?? '');
  if (name === undefined || name === '') problems.required(path);
  else if (detail !== undefined) problems.invalid(path, name, detail);
}

function validateEnvFrom(container: AnyContainer, path: Path, problems: Problems): void {
  for (const [index, from] of (container.envFrom ?? []).entries()) {
    const at = element(path, index);
    const { configMapRef, secretRef } = from;
    const wrongPrefix = from.prefix === undefined || from.prefix === '' ? undefined : notEnvName(from.prefix);
    if (wrongPrefix !== undefined) problems.invalid(field(at, 'prefix'), from.prefix, wrongPrefix);
    if (configMapRef === undefined && secretRef === undefined) problems.invalid(at, '', 'must specify one of: `configMapRef` or `secretRef`');
    if (configMapRef !== undefined && secretRef !== undefined) problems.invalid(at, '', 'may not have more than one field specified at a time');
    if (configMapRef !== undefined) validateObjectName(configMapRef.name, field(field(at, 'configMapRef'), 'name'), problems);
    if (secretRef !== undefined) validateObjectName(secretRef.name, field(field(at, 'secretRef'), 'name'), problems);
  }
}

function validateMounts(container: AnyContainer, path: Path, { problems, volumeNames }: ContainerContext): void {
  const mountPaths = new Set<string>();
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const at = element(field(path, 'volumeMounts'), index);
    const mountPath = mount.mountPath ?? '';
    if ((mount.name ?? '') === '') problems.required(field(at, 'name'));
    else if (!volumeNames.has(mount.name)) problems.notFound(field(at, 'name'), mount.name);
    if (mountPath === '') problems.required(field(at, 'mountPath'));
    else if (mountPaths.has(mountPath)) problems.invalid(field(at, 'mountPath'), mountPath, 'must be unique');
    mountPaths.add(mountPath);
    if (mount.mountPropagation !== undefined && !oneOf(propagations, mount.mountPropagation)) {
      problems.unsupported(field(at, 'mountPropagation'), mount.mountPropagation, propagations);
    }
    validateRecursive(mount, field(at, 'recursiveReadOnly'), problems);
    if (mount.subPath && mount.subPathExpr) problems.invalid(field(at, 'subPathExpr'), mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive');
    for (const name of ['subPath', 'subPathExpr'] as const) {
      const detail = mount[name] ? notPathInside(mount[name]) : undefined;
      if (detail !== undefined) problems.invalid(field(at, name), mount[name], detail);
    }
  }
  for (const [index, device] of (container.volumeDevices ?? []).entries()) {
    const at = element(field(path, 'volumeDevices'), index);
    if (!volumeNames.has(device.name ?? '')) problems.notFound(field(at, 'name'), device.name ?? '');
    if ((device.devicePath ?? '') === '') problems.required(field(at, 'devicePath'));
  }
}

function validateRecursive({ recursiveReadOnly: mode, readOnly, mountPropagation }: VolumeMount, path: Path, problems: Problems): void {
  if (mode === undefined || mode === 'Disabled') return;
  if (!oneOf(recursiveModes, mode)) return problems.unsupported(path, mode, recursiveModes);
  if (readOnly !== true) problems.forbidden(path, 'may only be specified when readOnly is true');
  if (mountPropagation !== undefined && mountPropagation !== 'None') problems.forbidden(path, 'may only be specified when mountPropagation is None or not specified');
}

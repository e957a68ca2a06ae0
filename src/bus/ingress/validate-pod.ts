// Whether a pod with defaults may exist: the API server's checks for a new pod, in its wording. Reports; changes nothing.
import type { PodSource, PodSpec } from '../../ports/pod-types.ts';
import { notConfigKey, notIp, notLabel, notQualifiedName, notSubdomain, notUid } from './field-formats.ts';
import type { TakenMeta, TakenPod } from './pod-parts.ts';
import { element, entry, field, type Path, type Problems } from './problems.ts';
import { staticPodName } from './static-pod.ts';
import { type ContainerKind, validateContainer, validateObjectName } from './validate-container.ts';
import { validateEphemeral } from './validate-ephemeral.ts';
import { validateLabels, validateScheduling } from './validate-scheduling.ts';
import { validatePodSecurity } from './validate-security.ts';
import { validateTokenOwner, validateVolumes } from './validate-volumes.ts';

/** Containers of one kind in a pod. More is refused. */
export const containersMax = 100;
/** Keys and values of all annotations. The API server's own limit. */
export const annotationsBytesMax = 256 * 1_024;
/** Keys and values of all labels: as annotations, for want of a limit of the API server's. */
export const labelsBytesMax = 256 * 1_024;

const restartPolicies = ['Always', 'Never', 'OnFailure'] as const;
const dnsPolicies = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'] as const;
const namesMax = { nameservers: 3, searches: 32 } as const;
const containerKinds: readonly ContainerKind[] = ['initContainers', 'containers', 'ephemeralContainers'];
/** The mark of an API copy of a static pod: on anything else it would pass for one. */
const mirrorAnnotation = 'kubernetes.io/config.mirror';

/** Of ephemeral containers: they are for pods that exist. */
export const onCreate = 'cannot be set on create';

export interface ValidateOptions {
  readonly problems: Problems;
  readonly path: Path | undefined;
  readonly source: PodSource;
  readonly nodeName: string;
}

export function validatePod(pod: TakenPod, options: ValidateOptions): void {
  const { problems, path, source } = options;
  validateMeta(pod.metadata, field(path, 'metadata'), { source, problems });
  if (source === 'file' && staticPodName(pod.metadata.name ?? '', options.nodeName).length > 253) {
    problems.error(field(field(path, 'metadata'), 'name'), 'Too long: may not be more than 253 bytes with the name of the node behind it');
  }
  const specPath = field(path, 'spec');
  validateNodeName(pod.spec, specPath, options);
  validateSpec(pod.spec, specPath, { source, problems });
}

type Checks = Pick<ValidateOptions, 'problems' | 'source'>;

function validateMeta(meta: TakenMeta, path: Path, { source, problems }: Checks): void {
  validateObjectName(meta.name, field(path, 'name'), problems);
  const wrongNamespace = notLabel(meta.namespace ?? '');
  if (!meta.namespace) problems.required(field(path, 'namespace'));
  else if (wrongNamespace !== undefined) problems.invalid(field(path, 'namespace'), meta.namespace, wrongNamespace);
  // Pods of the API are told apart by UID alone; for others it is made up from their content.
  if (!meta.uid) {
    if (source === 'mqtt') problems.required(field(path, 'uid'));
  } else {
    const detail = notUid(meta.uid);
    if (detail !== undefined) problems.invalid(field(path, 'uid'), meta.uid, detail);
  }
  const labels = meta.labels ?? {};
  if (charactersOf(labels) > labelsBytesMax) problems.tooLong(field(path, 'labels'), labelsBytesMax);
  validateLabels(labels, field(path, 'labels'), problems);
  const annotations = meta.annotations ?? {};
  if (charactersOf(annotations) > annotationsBytesMax) problems.tooLong(field(path, 'annotations'), annotationsBytesMax);
  for (const key of Object.keys(annotations)) {
    const detail = notQualifiedName(key.toLowerCase());
    if (detail !== undefined) problems.invalid(entry(field(path, 'annotations'), key), key, detail);
  }
  if (source !== 'mqtt' && annotations[mirrorAnnotation] !== undefined) {
    problems.forbidden(entry(field(path, 'annotations'), mirrorAnnotation), 'only the API copy of a static pod has it; remove it');
  }
  if (meta.deletionGracePeriodSeconds !== undefined && meta.deletionGracePeriodSeconds < 0) {
    problems.invalid(field(path, 'deletionGracePeriodSeconds'), meta.deletionGracePeriodSeconds, 'must be greater than or equal to 0');
  }
}

function charactersOf(entries: Readonly<Record<string, string>>): number {
  let count = 0;
  for (const [key, value] of Object.entries(entries)) count += key.length + value.length;
  return count;
}

function validateNodeName(spec: PodSpec, specPath: Path, { nodeName, source, problems }: ValidateOptions): void {
  const path = field(specPath, 'nodeName');
  if (spec.nodeName) {
    if (spec.nodeName !== nodeName) problems.invalid(path, spec.nodeName, `must be the name of this node, "${nodeName}"`);
  } else if (source === 'mqtt') problems.required(path, `the name of this node, "${nodeName}"`);
}

function validateSpec(spec: PodSpec, path: Path, { source, problems }: Checks): void {
  const volumeNames = validateVolumes(spec.volumes ?? [], field(path, 'volumes'), problems);
  validateTokenOwner(spec, field(path, 'volumes'), problems);
  if ((spec.containers ?? []).length === 0) problems.required(field(path, 'containers'));
  // Files have no updates. Pods of the admin API are judged where it is known whether they exist.
  if (source === 'file' && (spec.ephemeralContainers ?? []).length > 0) problems.forbidden(field(path, 'ephemeralContainers'), onCreate);
  const names = new Set<string>();
  const hostPorts = new Set<string>();
  for (const kind of containerKinds) {
    const containers = spec[kind] ?? [];
    if (containers.length > containersMax) problems.tooMany(field(path, kind), { count: containers.length, max: containersMax });
    for (const [index, container] of containers.entries()) {
      const at = element(field(path, kind), index);
      const name = container.name ?? '';
      const detail = notLabel(name);
      if (name === '') problems.required(field(at, 'name'));
      else if (detail !== undefined) problems.invalid(field(at, 'name'), name, detail);
      else if (names.has(name)) problems.duplicate(field(at, 'name'), name);
      names.add(name);
      validateContainer(container, at, { kind, problems, volumeNames, hostPorts, hostNetwork: spec.hostNetwork === true, podRestartPolicy: spec.restartPolicy ?? '' });
      if (kind === 'ephemeralContainers') validateEphemeral(container, at, { spec, problems });
    }
  }
  validateLifetime(spec, path, problems);
  validateNetwork(spec, path, problems);
  validateScheduling(spec, path, problems);
  if (spec.securityContext !== undefined) validatePodSecurity(spec.securityContext, field(path, 'securityContext'), problems);
  validateReferences(spec, path, problems);
}

function validateLifetime(spec: PodSpec, path: Path, problems: Problems): void {
  if (!restartPolicies.some((policy) => policy === spec.restartPolicy)) {
    problems.unsupported(field(path, 'restartPolicy'), spec.restartPolicy, restartPolicies);
  }
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > 2 ** 31 - 1)) {
    problems.invalid(field(path, 'activeDeadlineSeconds'), deadline, 'must be between 1 and 2147483647, inclusive');
  }
  if (spec.hostPID === true && spec.shareProcessNamespace === true) {
    problems.invalid(field(path, 'shareProcessNamespace'), true, 'ShareProcessNamespace and HostPID cannot both be enabled');
  }
  if (spec.hostUsers === false) {
    for (const name of ['hostNetwork', 'hostPID', 'hostIPC'] as const) if (spec[name] === true) problems.forbidden(field(path, name), 'when `hostUsers` is false');
  }
  const policy = spec.preemptionPolicy;
  if (policy !== undefined && policy !== 'Never' && policy !== 'PreemptLowerPriority') {
    problems.unsupported(field(path, 'preemptionPolicy'), policy, ['Never', 'PreemptLowerPriority']);
  }
  if (spec.os !== undefined && spec.os.name !== 'linux' && spec.os.name !== 'windows') {
    problems.unsupported(field(field(path, 'os'), 'name'), spec.os.name ?? '', ['linux', 'windows']);
  }
  if ((spec.schedulingGates ?? []).length > 0) {
    problems.forbidden(field(path, 'schedulingGates'), 'a pod that has a node may not wait for scheduling');
  }
}

function validateNetwork(spec: PodSpec, path: Path, problems: Problems): void {
  if (!dnsPolicies.some((policy) => policy === spec.dnsPolicy)) problems.unsupported(field(path, 'dnsPolicy'), spec.dnsPolicy, dnsPolicies);
  const dns = spec.dnsConfig ?? {};
  const dnsPath = field(path, 'dnsConfig');
  if (spec.dnsPolicy === 'None' && (dns.nameservers ?? []).length === 0) {
    problems.required(field(dnsPath, 'nameservers'), 'must provide at least one DNS nameserver when `dnsPolicy` is None');
  }
  for (const list of ['nameservers', 'searches'] as const) {
    const count = (dns[list] ?? []).length;
    if (count > namesMax[list]) problems.tooMany(field(dnsPath, list), { count, max: namesMax[list] });
  }
  for (const [index, server] of (dns.nameservers ?? []).entries()) {
    const detail = notIp(server);
    if (detail !== undefined) problems.invalid(element(field(dnsPath, 'nameservers'), index), server, detail);
  }
  for (const [index, search] of (dns.searches ?? []).entries()) {
    // A trailing dot is allowed, and "." alone keeps the resolver from searching. Underscores occur in the wild.
    const detail = search === '.' ? undefined : notSubdomain(search.replace(/\.$/, '').replace(/_/g, '-'));
    if (detail !== undefined) problems.invalid(element(field(dnsPath, 'searches'), index), search, detail);
  }
  for (const [index, option] of (dns.options ?? []).entries()) {
    if (!option.name) problems.required(field(element(field(dnsPath, 'options'), index), 'name'));
    // The resolver's file has one option a line: white space would smuggle in others.
    else if (/\s/.test(option.name + (option.value ?? ''))) {
      problems.invalid(element(field(dnsPath, 'options'), index), option.name, 'must not contain white space');
    }
  }
  for (const [index, alias] of (spec.hostAliases ?? []).entries()) {
    const at = element(field(path, 'hostAliases'), index);
    const wrongIp = notIp(alias.ip ?? '');
    if (wrongIp !== undefined) problems.invalid(field(at, 'ip'), alias.ip ?? '', wrongIp);
    for (const [hostIndex, hostname] of (alias.hostnames ?? []).entries()) {
      const detail = notSubdomain(hostname);
      if (detail !== undefined) problems.invalid(element(field(at, 'hostnames'), hostIndex), hostname, detail);
    }
  }
  for (const name of ['hostname', 'subdomain'] as const) {
    const detail = spec[name] ? notLabel(spec[name]) : undefined;
    if (detail !== undefined) problems.invalid(field(path, name), spec[name], detail);
  }
}

function validateReferences(spec: PodSpec, path: Path, problems: Problems): void {
  for (const name of ['serviceAccountName', 'priorityClassName', 'runtimeClassName'] as const) {
    if (spec[name]) validateObjectName(spec[name], field(path, name), problems);
  }
  for (const [index, secret] of (spec.imagePullSecrets ?? []).entries()) {
    // An empty name is tolerated by the API server, and means nothing.
    if (secret.name) validateObjectName(secret.name, field(element(field(path, 'imagePullSecrets'), index), 'name'), problems);
  }
  for (const [index, gate] of (spec.readinessGates ?? []).entries()) {
    const detail = notQualifiedName(gate.conditionType ?? '');
    if (detail !== undefined) problems.invalid(field(element(field(path, 'readinessGates'), index), 'conditionType'), gate.conditionType ?? '', detail);
  }
  for (const [index, claim] of (spec.resourceClaims ?? []).entries()) {
    const detail = notConfigKey(claim.name ?? '');
    if (detail !== undefined) problems.invalid(field(element(field(path, 'resourceClaims'), index), 'name'), claim.name ?? '', detail);
  }
}

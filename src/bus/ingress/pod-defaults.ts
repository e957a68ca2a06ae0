// The API server's defaults, which a manifest file has not had. Changes the pod it is given; decides and reports nothing.
import type { PodSpec } from '../../ports/pod-types.ts';
import type { AnyContainer, DownwardItem, EnvVar, Handler, Probe, Volume, VolumeProjection } from './pod-parts.ts';

/** rw-r--r-- */
const fileModeDefault = 0o644;

/**
 * Fills in what the API server would have. Values given, even wrong ones, stay.
 * @see Kubernetes API reference, v1 Pod; admission's additions (service account, priority) are not among the defaults
 */
export function applyPodDefaults(spec: PodSpec): void {
  spec.restartPolicy ??= 'Always';
  spec.dnsPolicy ??= 'ClusterFirst';
  spec.schedulerName ??= 'default-scheduler';
  spec.terminationGracePeriodSeconds ??= 30;
  if (spec.terminationGracePeriodSeconds < 0) spec.terminationGracePeriodSeconds = 1;
  spec.securityContext ??= {};
  spec.enableServiceLinks ??= true;
  // The older of two names of one field.
  const account = spec.serviceAccountName ?? spec.serviceAccount;
  if (account !== undefined) {
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  }
  const hostNetwork = spec.hostNetwork === true;
  for (const container of spec.initContainers ?? []) defaultContainer(container, hostNetwork);
  for (const container of spec.containers ?? []) defaultContainer(container, hostNetwork);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container, false);
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
}

function defaultContainer(container: AnyContainer, hostNetwork: boolean): void {
  container.imagePullPolicy ??= pullPolicyOf(container.image ?? '');
  container.terminationMessagePath ??= '/dev/termination-log';
  container.terminationMessagePolicy ??= 'File';
  for (const port of container.ports ?? []) {
    port.protocol ??= 'TCP';
    if (hostNetwork) port.hostPort ||= port.containerPort;
  }
  const resources = (container.resources ??= {});
  for (const [name, limit] of Object.entries(resources.limits ?? {})) (resources.requests ??= {})[name] ??= limit;
  for (const variable of container.env ?? []) defaultVariable(variable);
  if (container.livenessProbe !== undefined) defaultProbe(container.livenessProbe);
  if (container.readinessProbe !== undefined) defaultProbe(container.readinessProbe);
  if (container.startupProbe !== undefined) defaultProbe(container.startupProbe);
  if (container.lifecycle?.postStart !== undefined) defaultHandler(container.lifecycle.postStart);
  if (container.lifecycle?.preStop !== undefined) defaultHandler(container.lifecycle.preStop);
  if (container.securityContext !== undefined) container.securityContext.procMount ??= 'Default';
}

/** `Always` for a tag that moves: `latest`, or none and no digest. */
export function pullPolicyOf(image: string): 'Always' | 'IfNotPresent' {
  if (image.includes('@')) return 'IfNotPresent';
  const tagAt = image.indexOf(':', image.lastIndexOf('/') + 1);
  return tagAt < 0 || image.slice(tagAt + 1) === 'latest' ? 'Always' : 'IfNotPresent';
}

function defaultVariable(variable: EnvVar): void {
  const reference = variable.valueFrom?.fieldRef;
  if (reference !== undefined) reference.apiVersion ??= 'v1';
}

function defaultProbe(probe: Probe): void {
  // As the API server does: 0 counts as unset.
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.grpc !== undefined) probe.grpc.service ??= '';
  defaultHandler(probe);
}

function defaultHandler(handler: Pick<Handler, 'httpGet'>): void {
  if (handler.httpGet === undefined) return;
  handler.httpGet.path ||= '/';
  handler.httpGet.scheme ||= 'HTTP';
}

function defaultVolume(volume: Volume): void {
  // Only the name: no source at all.
  if (!Object.keys(volume).some((key) => key !== 'name')) volume.emptyDir = {};
  if (volume.emptyDir !== undefined) volume.emptyDir.medium ??= '';
  if (volume.hostPath !== undefined) volume.hostPath.type ??= '';
  for (const source of [volume.secret, volume.configMap, volume.downwardAPI, volume.projected]) {
    if (source !== undefined) source.defaultMode ??= fileModeDefault;
  }
  for (const item of volume.downwardAPI?.items ?? []) defaultDownwardItem(item);
  for (const projection of volume.projected?.sources ?? []) defaultProjection(projection);
}

function defaultProjection(projection: VolumeProjection): void {
  for (const item of projection.downwardAPI?.items ?? []) defaultDownwardItem(item);
  if (projection.serviceAccountToken !== undefined) projection.serviceAccountToken.expirationSeconds ??= 3_600;
}

function defaultDownwardItem(item: DownwardItem): void {
  if (item.fieldRef !== undefined) item.fieldRef.apiVersion ??= 'v1';
}

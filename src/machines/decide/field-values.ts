// Values that containers take from their own pod: fieldRef and resourceFieldRef.
import type { Container, DesiredPod } from '../../ports/pod-types.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { NodeSettings } from './node-settings.ts';
import { thousandths, wholeUnits } from './quantity.ts';

/** What is known of the pod and its node when a container starts. Addresses primary first. */
export interface FieldSources {
  readonly desired: DesiredPod;
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  readonly settings: Pick<NodeSettings, 'nodeName' | 'allocatable'>;
}

const subscripted = /^metadata\.(labels|annotations)\['(.*)'\]$/;

/** A missing label or annotation is the empty text. The fault is one line. */
export function podFieldValue(fieldPath: string, { desired, podIps, hostIps, settings }: FieldSources): Result<string, string> {
  const { metadata, spec } = desired.pod;
  const [, map, key = ''] = subscripted.exec(fieldPath) ?? [];
  if (map === 'labels') return ok(metadata.labels?.[key] ?? '');
  if (map === 'annotations') return ok(metadata.annotations?.[key] ?? '');
  switch (fieldPath) {
    case 'metadata.name':
      return ok(desired.name);
    case 'metadata.namespace':
      return ok(desired.namespace);
    case 'metadata.uid':
      return ok(desired.uid);
    case 'spec.nodeName':
      return ok(spec.nodeName ?? settings.nodeName);
    case 'spec.serviceAccountName':
      return ok(spec.serviceAccountName ?? '');
    case 'status.hostIP':
      return ok(hostIps[0] ?? '');
    case 'status.hostIPs':
      return ok(hostIps.join(','));
    case 'status.podIP':
      return ok(podIps[0] ?? '');
    case 'status.podIPs':
      return ok(podIps.join(','));
    default:
      return fail(`unsupported fieldPath: ${fieldPath}`);
  }
}

export interface ResourceSelector {
  readonly containerName?: string;
  readonly resource: string;
  readonly divisor?: string;
}

/** A limit that is not set is what the node can give. The result is rounded up. */
export function resourceFieldValue(selector: ResourceSelector, own: Container, { desired, settings }: FieldSources): Result<string, string> {
  const { spec } = desired.pod;
  const name = selector.containerName || own.name;
  const container = name === own.name ? own : [...spec.containers, ...(spec.initContainers ?? [])].find((each) => each.name === name);
  if (container === undefined) return fail(`container ${name} not found`);
  const [, list, resource = ''] = /^(limits|requests)\.(.+)$/.exec(selector.resource) ?? [];
  if (list === undefined) return fail(`unsupported container resource: ${selector.resource}`);
  const quantity = container.resources?.[list === 'limits' ? 'limits' : 'requests']?.[resource];
  // Limits of other resources than these have no ceiling of the node's.
  const { cpuMillis, memoryBytes, ephemeralStorageBytes } = settings.allocatable;
  const ceilings: Readonly<Record<string, number>> = { cpu: cpuMillis, memory: memoryBytes, 'ephemeral-storage': ephemeralStorageBytes };
  const units = resource === 'cpu' ? thousandths : wholeUnits;
  const value = quantity === undefined && list === 'limits' ? (ceilings[resource] ?? 0) : units(quantity);
  // An empty or zero divisor is 1.
  const divisor = units(selector.divisor) || units('1');
  return ok(String(Math.ceil(value / divisor)));
}

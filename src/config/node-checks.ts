// What the API would refuse later, refused at the start: labels in domains that are not ours, quantities that are none.
import { parseQuantity } from '../ports/quantity.ts';

/** Labels of the kubernetes.io and k8s.io domains that a node may give itself. */
const allowedLabels = new Set([
  'kubernetes.io/hostname', 'kubernetes.io/arch', 'kubernetes.io/os', 'beta.kubernetes.io/arch', 'beta.kubernetes.io/os',
  'beta.kubernetes.io/instance-type', 'node.kubernetes.io/instance-type', 'failure-domain.beta.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.kubernetes.io/region', 'failure-domain.kubernetes.io/zone', 'topology.kubernetes.io/region', 'topology.kubernetes.io/zone',
]);
const allowedDomains = ['kubelet.kubernetes.io', 'node.kubernetes.io'];
const reservable = ['cpu', 'memory', 'ephemeral-storage', 'pid'];
const namePart = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const valuePart = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const domainPart = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

export function checkNodeLabels(labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const [domain, name] = key.includes('/') ? [key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1)] : ['', key];
    if (!namePart.test(name) || (domain !== '' && !domainPart.test(domain))) return [`--node-labels: "${key}" is no label name`];
    if (!valuePart.test(value)) return [`--node-labels: ${key}: "${value}" is no label value (63 letters, digits, - _ . at most)`];
    return isForeignLabel(key) ? [`--node-labels: ${key}: a node may not give itself this label of the kubernetes.io or k8s.io domains`] : [];
  });
}

/** Whether it is in the kubernetes.io or k8s.io domains, and not one of those that a node may give itself. */
export function isForeignLabel(key: string): boolean {
  const domain = key.slice(0, Math.max(0, key.indexOf('/')));
  const reserved = ['kubernetes.io', 'k8s.io'].some((suffix) => domain === suffix || domain.endsWith(`.${suffix}`));
  const allowed = allowedLabels.has(key) || allowedDomains.some((suffix) => domain === suffix || domain.endsWith(`.${suffix}`));
  return reserved && !allowed;
}

export function checkReserved(flag: string, reserved: Readonly<Record<string, string>>): string[] {
  return Object.entries(reserved).flatMap(([resource, quantity]) => {
    if (!reservable.includes(resource)) return [`${flag}: ${resource} cannot be reserved; only ${reservable.join(', ')} can`];
    return parseQuantity(quantity) === undefined ? [`${flag}: ${resource}: "${quantity}" is no quantity such as 500m or 128Mi`] : [];
  });
}

/** The other levels of the kubelet's are cgroups of the system's own, which are left to the system. */
const enforceable = ['pods', 'none'];
const plainPath = /^(?:\/[A-Za-z0-9_.:-]+)*\/?$/;

export function checkCgroups({ cgroupRoot, enforceNodeAllocatable }: { readonly cgroupRoot: string; readonly enforceNodeAllocatable: readonly string[] }): string[] {
  const unknown = enforceNodeAllocatable.find((level) => !enforceable.includes(level));
  return [
    ...(plainPath.test(cgroupRoot) && !/\/\.\.?(?:\/|$)/.test(cgroupRoot) ? [] : [`--cgroup-root must be a path of plain names such as /edge, not "${cgroupRoot}"`]),
    ...(unknown === undefined ? [] : [`--enforce-node-allocatable must be pods or none, not "${unknown}": limits of the system's own cgroups are the system's to set`]),
  ];
}

// What would become of the pods of a manifest: defaults, faults, and what the runtime would be asked for.
// Judges with the daemon's own parts and settings, and touches neither a daemon nor a runtime.
import { createHostFacts } from '../adapters/host-facts.ts';
import { readResolver } from '../adapters/resolver-file.ts';
import { decodeManifest } from '../bus/ingress/decode-pod.ts';
import { configSourceAnnotation } from '../bus/ingress/static-pod.ts';
import { admitPod, type AdmittingNode } from '../machines/decide/admission.ts';
import { admittedAmounts, shownAllocatable } from '../machines/decide/node-allocatable.ts';
import type { NodeIdentity } from '../machines/decide/node-object.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import { unsupportedFeature } from '../machines/decide/unsupported-features.ts';
import { settings as defaults } from '../config/settings.ts';
import type { InputFault } from '../ports/faults.ts';
import type { DesiredPod, Pod } from '../ports/pod-types.ts';
import { version } from '../version.ts';
import { paperFaults, type RuntimeRequests, runtimeRequests } from './paper-requests.ts';

export interface JudgedPod {
  /** As the API would store it, but for its UID, which the node gives. */
  readonly pod: Pod;
  /** Only where asked for. */
  readonly requests?: RuntimeRequests;
}

export interface JudgedManifest {
  readonly pods: readonly JudgedPod[];
  /** All that is wrong, in the order of the manifest. A pod with an error is not among `pods` when it could not be read. */
  readonly faults: readonly InputFault[];
}

/** The node on paper. */
export interface PaperNode {
  readonly settings: NodeSettings;
  readonly admitting: AdmittingNode;
}

/**
 * What the pod asks for and no node of this version can do is an error. What only a node like this host would refuse is a warning.
 * @param origin how the faults name the manifest
 */
export function judgeManifest(manifest: Uint8Array, origin: string, { settings, admitting }: PaperNode, options: { readonly explain: boolean }): JudgedManifest {
  const decoded = decodeManifest(manifest, { origin, source: 'admin', nodeName: settings.nodeName, everyFault: true });
  const faults = [...decoded.faults];
  const pods = decoded.pods.map((desired) => {
    const refused = unsupportedFeature(desired);
    if (refused !== undefined) faults.push({ origin, message: `pod ${desired.name} would fail: ${refused.reason}: ${refused.message}`, severity: 'error' });
    else faults.push(...paperFaults(desired, settings));
    const admission = refused === undefined ? admitPod(desired, admitting, []) : undefined;
    if (admission?.kind === 'refused') {
      faults.push({ origin, message: `pod ${desired.name} would be refused by a node like this host: ${admission.fault.reason}: ${admission.fault.message}`, severity: 'warning' });
    }
    return { pod: shownPod(desired), ...(options.explain ? { requests: runtimeRequests(desired, settings, faults) } : {}) };
  });
  return { pods, faults };
}

/** The node of a daemon started here without any setting but that name and that root directory. */
export async function nodeHere(options: { readonly nodeName: string | undefined; readonly rootDirectory: string }): Promise<PaperNode> {
  const facts = await createHostFacts({ rootDirectory: options.rootDirectory }).facts();
  const resolvConf = readResolver('/etc/resolv.conf');
  const name = options.nodeName ?? facts.hostname;
  const identity: NodeIdentity = {
    name, ips: [], labels: {}, taints: [], providerId: '', maxPods: defaults.maxPods.fallback, podsPerCore: 0, maxImages: 0,
    systemReserved: {}, kubeReserved: {}, evictionHard: defaults.evictionHard.fallback, version,
  };
  const settings: NodeSettings = {
    nodeName: name,
    rootDirectory: options.rootDirectory,
    podLogsDirectory: '/var/log/pods',
    clusterDns: [],
    clusterDomain: '',
    ...(resolvConf === undefined ? {} : { resolvConf }),
    memoryBytes: facts.memoryBytes,
    allocatable: shownAllocatable(identity, facts),
  };
  const admitting: AdmittingNode = {
    name,
    labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': facts.architecture },
    taints: [],
    allocatable: admittedAmounts(identity, facts),
    podsMax: identity.maxPods,
    allowedUnsafeSysctls: [],
    appArmor: facts.appArmor === true,
    pressures: [],
  };
  return { settings, admitting };
}

/** Without what decoding adds for the node itself. */
function shownPod({ pod }: DesiredPod): Pod {
  const { uid: _uid, annotations, ...metadata } = pod.metadata;
  const kept = Object.entries(annotations ?? {}).filter(([key]) => key !== configSourceAnnotation);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, ...(kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) }) },
    spec: pod.spec,
  };
}

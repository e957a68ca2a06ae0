// The vocabulary of pods: identities, what is desired, what is observed.
// Kubernetes objects keep their API spelling; their shapes come from the types-only package kubernetes-types.
import type {
  Container, ContainerState, ContainerStatus, Event, Node, Pod, PodCondition, PodSpec, PodStatus, Secret, ConfigMap,
} from 'kubernetes-types/core/v1';
import type { TokenRequest } from 'kubernetes-types/authentication/v1';
import type { Lease } from 'kubernetes-types/coordination/v1';
import type { ObjectMeta, Status } from 'kubernetes-types/meta/v1';

export type {
  ConfigMap, Container, ContainerState, ContainerStatus, Event, Lease, Node, ObjectMeta, Pod, PodCondition, PodSpec,
  PodStatus, Secret, Status, TokenRequest,
};

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** Identity of a pod: a re-created pod of the same name is another pod. */
export type PodUid = Branded<string, 'PodUid'>;
export type SandboxId = Branded<string, 'SandboxId'>;
export type ContainerId = Branded<string, 'ContainerId'>;

/** Where a desired pod came from. `file` pods are static pods; `admin` is the local admin API. */
export type PodSource = 'file' | 'mqtt' | 'admin';
export const POD_SOURCES: readonly PodSource[] = ['file', 'mqtt', 'admin'];

/** Resources that the pod asks for and has not been granted; `Infeasible` is for as long as it asks for them. */
export interface PendingResize {
  readonly reason: 'Deferred' | 'Infeasible';
  readonly message: string;
}

/** A pod as decoded, defaulted and validated. Inside the program it is believed. */
export interface DesiredPod {
  readonly uid: PodUid;
  readonly namespace: string;
  readonly name: string;
  readonly source: PodSource;
  /** File path, topic or `admin`: what a log line names. */
  readonly origin: string;
  /** From what the node remembers of an earlier life: its source has not spoken of it in this one. */
  readonly recalled?: true;
  /** What the pod asks for beyond the resources in its `spec`, which are those it was granted; absent when it has what it asks for. */
  readonly pendingResize?: PendingResize;
  /** The full object: `metadata.uid`, `name`, `namespace`, `spec` and every API default are present. */
  readonly pod: Pod & { readonly metadata: ObjectMeta; readonly spec: PodSpec };
}

/** `namespace/name`, the form users read. */
export function podName(pod: { readonly namespace: string; readonly name: string }): string {
  return `${pod.namespace}/${pod.name}`;
}

/** Kubelet's full name, `name_namespace`: the key under which two pods exclude each other. */
export function podFullName(pod: { readonly namespace: string; readonly name: string }): string {
  return `${pod.name}_${pod.namespace}`;
}

// Names for the parts of a pod that checks and defaults take as arguments. Types only.
import type { Container, ObjectMeta, Pod, PodSpec, PodStatus } from '../../ports/pod-types.ts';

export type Element<T> = NonNullable<T> extends readonly (infer One)[] ? One : never;

/** A pod as taken over: right types, nothing yet known of its values. Required fields may be missing. */
export interface TakenPod {
  apiVersion?: Pod['apiVersion'];
  kind?: Pod['kind'];
  metadata: TakenMeta;
  spec: PodSpec;
  status?: PodStatus;
}
/** What the API sets itself is read-only in its types; here it is being made. */
export type TakenMeta = { -readonly [Name in keyof ObjectMeta]: ObjectMeta[Name] };
export type EphemeralContainer = Element<PodSpec['ephemeralContainers']>;
export type AnyContainer = Container | EphemeralContainer;
export type Volume = Element<PodSpec['volumes']>;
export type VolumeProjection = Element<NonNullable<Volume['projected']>['sources']>;
export type KeyToPath = Element<NonNullable<Volume['secret']>['items']>;
export type DownwardItem = Element<NonNullable<Volume['downwardAPI']>['items']>;
export type VolumeMount = Element<Container['volumeMounts']>;
export type EnvVar = Element<Container['env']>;
export type EnvVarSource = NonNullable<EnvVar['valueFrom']>;
export type FieldSelector = NonNullable<EnvVarSource['fieldRef']>;
export type ResourceSelector = NonNullable<EnvVarSource['resourceFieldRef']>;
export type ContainerPort = Element<Container['ports']>;
export type Probe = NonNullable<Container['livenessProbe']>;
export type Handler = NonNullable<NonNullable<Container['lifecycle']>['postStart']>;
export type SecurityContext = NonNullable<Container['securityContext']>;
export type PodSecurityContext = NonNullable<PodSpec['securityContext']>;
export type SecurityProfile = NonNullable<SecurityContext['seccompProfile']>;
export type Affinity = NonNullable<PodSpec['affinity']>;
export type Toleration = Element<PodSpec['tolerations']>;
export type Quantities = NonNullable<NonNullable<Container['resources']>['limits']>;

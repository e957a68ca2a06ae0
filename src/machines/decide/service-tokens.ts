// Tokens of service accounts in projected volumes: which are needed, what is asked of the API, when they are renewed, who owns them.
import type { DesiredPod, PodSpec, TokenRequest } from '../../ports/pod-types.ts';
import type { TokenNeed } from '../../ports/service-token.ts';

type Projection = NonNullable<NonNullable<NonNullable<PodSpec['volumes']>[number]['projected']>['sources']>[number];
export type TokenProjection = NonNullable<Projection['serviceAccountToken']>;

/** The API server's. */
const expirationSecondsDefault = 3_600;
const accountDefault = 'default';
/** Of a token's life; what is left of it is for the cloud to answer in. Kubelet's, like the two below. */
const renewedAfter = 0.8;
const renewedAfterMsMax = 24 * 3_600_000;
/** So that the pods of a node, or the nodes of a fleet, do not ask all at once. */
const jitterMsMax = 10_000;
/** And of a short life. */
const jitterMax = 0.1;

export function tokenNeed(desired: DesiredPod, { audience = '', expirationSeconds = expirationSecondsDefault }: TokenProjection): TokenNeed {
  const { uid, namespace, name } = desired;
  return { pod: { uid, namespace, name }, account: desired.pod.spec.serviceAccountName || accountDefault, audience, expirationSeconds };
}

/** One text for one token; the UID of the pod comes first. */
export function tokenKey({ pod, account, audience, expirationSeconds }: TokenNeed): string {
  return JSON.stringify([pod.uid, account, audience, expirationSeconds]);
}

/** @see kubelet behaviour, "Projected content" */
export function tokenRequest({ pod, audience, expirationSeconds }: TokenNeed): TokenRequest {
  return {
    spec: {
      audiences: audience === '' ? [] : [audience],
      expirationSeconds,
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid },
    },
  };
}

/** @param fraction 0 to 1, for the jitter @returns milliseconds from the answer to the next request; before the token's end */
export function renewalInMs({ lifeMs, fraction }: { readonly lifeMs: number; readonly fraction: number }): number {
  return Math.min(renewedAfterMsMax, lifeMs * renewedAfter) - fraction * Math.min(jitterMsMax, lifeMs * jitterMax);
}

/** The user whom all containers run as, where the specification says so: then a token is his alone. */
export function commonUser({ initContainers = [], containers, securityContext }: PodSpec): number | undefined {
  const users = new Set([...initContainers, ...containers].map((container) => container.securityContext?.runAsUser ?? securityContext?.runAsUser));
  return users.size === 1 ? [...users][0] : undefined;
}

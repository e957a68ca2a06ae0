import { describe, expect, it } from 'vitest';
import { decodePodObject } from '../../../src/bus/ingress/decode-pod.ts';
import { pullPolicyOf } from '../../../src/bus/ingress/pod-defaults.ts';
import { decodedPod, fileContext, pushedPod } from '../../support/manifests.ts';

const specOf = (part: Parameters<typeof pushedPod>[0]): Record<string, unknown> => ({ ...decodedPod({ ...part }).pod.spec });
const containerOf = (part: Record<string, unknown>): Record<string, unknown> => ({ ...decodedPod({ container: part }).pod.spec.containers[0] });

const container = {
  name: 'app', image: 'registry.example/app:1', imagePullPolicy: 'IfNotPresent', resources: {},
  terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File',
};
const spec = {
  nodeName: 'edge-07', containers: [container], restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', schedulerName: 'default-scheduler',
  terminationGracePeriodSeconds: 30, securityContext: {}, enableServiceLinks: true,
};
const probe = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };

describe('defaults of a pod', () => {
  it.each([
    ['nothing but the needful', {}, {}],
    ['values of its own', { restartPolicy: 'Never', terminationGracePeriodSeconds: 0, enableServiceLinks: false, dnsPolicy: 'Default' },
      { restartPolicy: 'Never', terminationGracePeriodSeconds: 0, enableServiceLinks: false, dnsPolicy: 'Default' }],
    ['null for a field', { restartPolicy: null, hostNetwork: null }, {}],
    ['a negative grace period', { terminationGracePeriodSeconds: -5 }, { terminationGracePeriodSeconds: 1 }],
    ['the old name of the service account', { serviceAccount: 'robot' }, { serviceAccount: 'robot', serviceAccountName: 'robot' }],
    ['a volume without a source', { volumes: [{ name: 'v' }] }, { volumes: [{ name: 'v', emptyDir: { medium: '' } }] }],
    ['volumes of files', {
      serviceAccountName: 'robot',
      volumes: [
        { name: 'a', secret: { secretName: 's' } }, { name: 'b', configMap: { name: 'c', defaultMode: 0o400 } },
        { name: 'c', hostPath: { path: '/x' } }, { name: 'd', downwardAPI: { items: [{ path: 'p', fieldRef: { fieldPath: 'metadata.name' } }] } },
        { name: 'e', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
      ],
    }, {
      serviceAccount: 'robot', serviceAccountName: 'robot',
      volumes: [
        { name: 'a', secret: { secretName: 's', defaultMode: 0o644 } }, { name: 'b', configMap: { name: 'c', defaultMode: 0o400 } },
        { name: 'c', hostPath: { path: '/x', type: '' } },
        { name: 'd', downwardAPI: { defaultMode: 0o644, items: [{ path: 'p', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } }] } },
        { name: 'e', projected: { defaultMode: 0o644, sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 3_600 } }] } },
      ],
    }],
    ['the host network', { hostNetwork: true, containers: [{ name: 'app', image: 'registry.example/app:1', ports: [{ containerPort: 80 }] }] },
      { hostNetwork: true, containers: [{ ...container, ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }] }] }],
  ])('given %s, when decoded, then the rest is as the API server has it', (_name, given, expected) => {
    expect(specOf({ spec: given })).toEqual({ ...spec, ...expected });
  });

  it.each([
    ['ports', { ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP' }] },
      { ports: [{ containerPort: 80, protocol: 'TCP' }, { containerPort: 53, protocol: 'UDP' }] }],
    ['limits without requests', { resources: { limits: { cpu: 1, memory: '64Mi' }, requests: { cpu: '100m' } } },
      { resources: { limits: { cpu: '1', memory: '64Mi' }, requests: { cpu: '100m', memory: '64Mi' } } }],
    ['an httpGet probe', { livenessProbe: { httpGet: { port: 80 } } },
      { livenessProbe: { ...probe, httpGet: { port: 80, path: '/', scheme: 'HTTP' } } }],
    ['a grpc probe with numbers', { readinessProbe: { grpc: { port: 80 }, periodSeconds: 3, timeoutSeconds: 0 } },
      { readinessProbe: { ...probe, periodSeconds: 3, grpc: { port: 80, service: '' } } }],
    ['a hook', { lifecycle: { preStop: { httpGet: { port: 'web', path: '/bye' } } }, ports: [] },
      { lifecycle: { preStop: { httpGet: { port: 'web', path: '/bye', scheme: 'HTTP' } } }, ports: [] }],
    ['a field of its own pod', { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] },
      { env: [{ name: 'A', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } }] }],
    ['a security context', { securityContext: { runAsUser: 5 } }, { securityContext: { runAsUser: 5, procMount: 'Default' } }],
  ])('given a container with %s, when decoded, then the rest is as the API server has it', (_name, given, expected) => {
    expect(containerOf(given)).toEqual({ ...container, ...expected });
  });

  it.each([
    ['app', 'Always'], ['app:latest', 'Always'], ['app:1', 'IfNotPresent'], ['registry.example:5000/app', 'Always'],
    ['registry.example:5000/app:1', 'IfNotPresent'], ['app@sha256:0123', 'IfNotPresent'], ['app:latest@sha256:0123', 'IfNotPresent'],
  ])('given the image %s, when nothing says how to pull, then %s', (image, policy) => {
    expect(pullPolicyOf(image)).toBe(policy);
  });
});

describe('a static pod', () => {
  const decoded = (part: Parameters<typeof pushedPod>[0] = {}, context = fileContext) =>
    decodePodObject(pushedPod({ metadata: { uid: undefined, namespace: undefined, ...part.metadata }, spec: { nodeName: undefined, ...part.spec } }), context).pod;

  it('given a manifest, when decoded, then it is bound to this node with kubelet\'s marks', () => {
    const pod = decoded({}, { ...fileContext, nodeName: 'Edge-07' });
    expect(pod).toMatchObject({ name: 'web-edge-07', namespace: 'default', source: 'file', origin: '/etc/pods/web.yaml' });
    expect(pod?.uid).toMatch(/^[0-9a-f]{32}$/);
    expect(pod?.pod.metadata).toEqual({
      name: 'web-edge-07', namespace: 'default', uid: pod?.uid,
      annotations: { 'kubernetes.io/config.hash': pod?.uid, 'kubernetes.io/config.source': 'file' },
    });
    expect(pod?.pod.spec).toMatchObject({ nodeName: 'Edge-07', tolerations: [{ operator: 'Exists', effect: 'NoExecute' }] });
    expect(pod?.pod.status).toEqual({ phase: 'Pending' });
  });

  it('given the same manifest, when decoded again, then the UID is the same; with any edit, path or node it is another', () => {
    const uids = [
      decoded(), decoded({ spec: { terminationGracePeriodSeconds: 5 } }), decoded({ metadata: { labels: { a: 'b' } } }),
      decoded({}, { ...fileContext, origin: '/etc/pods/other.yaml' }), decodePodObject(pushedPod({ metadata: { uid: undefined }, spec: { nodeName: undefined } }), { ...fileContext, nodeName: 'edge-08' }).pod,
    ].map((pod) => pod?.uid);
    expect(new Set(uids).size).toBe(uids.length);
    expect(decoded()?.uid).toBe(uids[0]);
  });

  it('given a UID of its own, when decoded, then it is kept', () => {
    expect(decoded({ metadata: { uid: 'fixed' } })?.uid).toBe('fixed');
  });

  it('given a pod by MQTT or the admin API, when decoded, then it keeps its name and has that source', () => {
    expect(decodedPod({ source: 'mqtt' }).pod.metadata.annotations).toEqual({ 'kubernetes.io/config.source': 'api' });
    const admin = decodedPod({ source: 'admin', metadata: { uid: undefined, namespace: undefined, annotations: { 'kubernetes.io/config.source': 'file' } } });
    expect(admin).toMatchObject({ name: 'web', namespace: 'default' });
    expect(admin.pod.metadata.annotations).toEqual({ 'kubernetes.io/config.source': 'admin' });
    expect(admin.uid).toMatch(/^[0-9a-f]{32}$/);
  });
});

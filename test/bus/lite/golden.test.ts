// The worked examples of the dialect's description, letter by letter where the agent writes them, value by value where it reads them.
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ApiWrite } from '../../../src/bus/api-write.ts';
import { controlTopic, dataTopic, liteCredentials } from '../../../src/bus/dialects/lite/topics.ts';
import { cleanTopic } from '../../../src/bus/dialects/clean-topic.ts';
import { liteDialect } from '../../../src/bus/dialects/lite/lite-dialect.ts';
import { packYaml } from '../../../src/bus/dialects/lite/payload.ts';
import type { PodUid } from '../../../src/ports/pod-types.ts';
import { gzipText } from './wire-samples.ts';

const dialect = liteDialect({ rootTopic: 'fleet', nodeName: 'edge-07' });
const uid = '7b0d2f6e-1111-4222-8333-944444444444' as PodUid; // A literal of the right form.
const textOf = (payload: Uint8Array) => gunzipSync(payload).toString('utf8');
const written = (write: ApiWrite) => textOf(dialect.encode(write).payload);
const pod = { kind: 'Pod', namespace: 'shop', name: 'web-0' } as const;

const nodeCreateText = `identity: 3753d226-86dd-4412-b873-135e229127f2
need_ack: true
node_name: edge-07
object:
  metadata:
    annotations:
      volumes.kubernetes.io/controller-managed-attach-detach: "true"
    creationTimestamp: null
    labels:
      beta.kubernetes.io/arch: amd64
      type: lite-kubelet
    name: edge-07
  spec:
    taints:
    - effect: NoSchedule
      key: type
      value: lite-kubelet
  status:
    addresses:
    - address: 10.99.0.7
      type: InternalIP
    allocatable:
      cpu: "2"
      hugepages-1Gi: "0"
      hugepages-2Mi: "0"
      memory: 7908540Ki
      pods: "110"
    capacity:
      cpu: "2"
      hugepages-1Gi: "0"
      hugepages-2Mi: "0"
      memory: 8010940Ki
      pods: "110"
    conditions:
    - lastHeartbeatTime: "2024-05-06T06:08:09Z"
      lastTransitionTime: "2024-05-06T06:08:09Z"
      message: kubelet is posting ready status
      reason: KubeletReady
      status: "True"
      type: Ready
    daemonEndpoints:
      kubeletEndpoint:
        Port: 10250
    images:
    - names:
      - registry.example/web:1
    nodeInfo:
      architecture: ""
      bootID: ""
      containerRuntimeVersion: ""
      kernelVersion: ""
      kubeProxyVersion: ""
      kubeletVersion: ""
      machineID: ""
      operatingSystem: ""
      osImage: ""
      systemUUID: ""
object_name: edge-07
object_type: node
operate_type: create
options: {}
`;

describe('topics and credentials of the lite dialect', () => {
  it.each([
    ['fleet', 'fleet/data', 'fleet/ctl/edge-07'],
    ['/fleet/', '/fleet/data', '/fleet/ctl/edge-07'],
    ['a//b/', 'a/b/data', 'a/b/ctl/edge-07'],
    ['a/../b', 'b/data', 'b/ctl/edge-07'],
    ['./a/.', 'a/data', 'a/ctl/edge-07'],
    ['/../a', '/a/data', '/a/ctl/edge-07'],
    ['../a', '../a/data', '../a/ctl/edge-07'],
  ])('given the root %s, when topics are built, then they are clean', (root, data, control) => {
    expect(dataTopic(root)).toBe(data);
    expect(controlTopic(root, 'edge-07')).toBe(control);
  });

  it('given an empty root, when a topic is built, then it has no leading slash', () => {
    expect(cleanTopic('', 'data')).toBe('data');
  });

  it('given the worked credential, when it is computed, then all three parts agree', () => {
    const fleet = { accessKey: 'AK-demo', secretKey: 'made-up-secret-key', instance: 'mqtt-inst-01', group: 'GID_fleet' };
    expect(liteCredentials(fleet, 'edge-07')).toEqual({
      clientId: 'GID_fleet@@@edge-07', username: 'Signature|AK-demo|mqtt-inst-01', password: 'u5b/fhrRWEEh/UAV2P+Da9h8qW8=',
    });
  });
});

describe('messages up', () => {
  it('given a start, when it is encoded, then its text is the worked one', () => {
    const packet = dialect.encodeStart('9f1c2d3e-4a5b-4c6d-8e7f-001122334455');
    const released = 'H4sIAAAAAAAA/1TISw7CIBAG4D2n4AKT8LTKZciU+WuqERocF729626/XdB117PYx+ZbkAhKnFdK7SZ0x7KRc96HEGNKOZsOSOX2LlbnD6YPQe38QbGQJ8gtZqwvNK16Hij2qzzVjAOTFRf7BwAA//+TiLqveAAAAA==';
    expect(textOf(packet.payload)).toBe(textOf(Buffer.from(released, 'base64')));
    expect(packet).toMatchObject({ topic: 'fleet/data', identity: '9f1c2d3e-4a5b-4c6d-8e7f-001122334455', needAck: true });
  });

  it('given a get of a pod, when it is encoded, then its text is the worked one', () => {
    expect(written({ id: '8f67f111-16e1-45e6-904f-ec94adab39d4', writer: 'status-reporter', lane: 'x', verb: 'get', ...pod })).toBe(`identity: 8f67f111-16e1-45e6-904f-ec94adab39d4
need_ack: true
node_name: edge-07
object:
  metadata:
    creationTimestamp: null
    name: web-0
    namespace: shop
  spec:
    containers: null
  status: {}
object_name: web-0
object_ns: shop
object_type: pod
operate_type: get
options: {}
`);
  });

  it('given a status patch, when it is encoded, then its text is the worked one', () => {
    const patch = { metadata: { uid }, status: { phase: 'Running' } };
    expect(written({ id: '120d15df-964c-42d0-bf99-7099b9209638', writer: 'status-reporter', lane: 'x', verb: 'patchStatus', ...pod, patch })).toBe(`identity: 120d15df-964c-42d0-bf99-7099b9209638
need_ack: true
node_name: edge-07
object:
  metadata:
    creationTimestamp: null
    name: web-0
    namespace: shop
  spec:
    containers: null
  status: {}
object_name: web-0
object_ns: shop
object_type: pod
operate_type: patch
options: {}
patch_data: eyJtZXRhZGF0YSI6eyJ1aWQiOiI3YjBkMmY2ZS0xMTExLTQyMjItODMzMy05NDQ0NDQ0NDQ0NDQifSwic3RhdHVzIjp7InBoYXNlIjoiUnVubmluZyJ9fQ==
patch_sub_resources:
- status
patch_type: application/strategic-merge-patch+json
`);
  });

  it('given deletes with and without a UID, when they are encoded, then the options carry grace and precondition', () => {
    const base = { id: 'i', writer: 'status-reporter', lane: 'x', verb: 'delete', ...pod, gracePeriodSeconds: 0 } as const;
    expect(written({ ...base, uid })).toContain(`operate_type: delete\noptions:\n  gracePeriodSeconds: 0\n  preconditions:\n    uid: ${uid}\n`);
    expect(written({ ...base, uid: undefined })).toContain('options:\n  gracePeriodSeconds: 0\n  preconditions: {}\n');
  });

  it('given a node, when its create is encoded, then its text is the worked one', () => {
    const resources = { cpu: '2', 'hugepages-1Gi': '0', 'hugepages-2Mi': '0', pods: '110' };
    const text = written({
      id: '3753d226-86dd-4412-b873-135e229127f2', writer: 'node', lane: 'node', verb: 'create', kind: 'Node', name: 'edge-07',
      object: {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name: 'edge-07',
          annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
          labels: { 'beta.kubernetes.io/arch': 'amd64', type: 'lite-kubelet' },
        },
        spec: { taints: [{ effect: 'NoSchedule', key: 'type', value: 'lite-kubelet' }] },
        status: {
          addresses: [{ address: '10.99.0.7', type: 'InternalIP' }],
          allocatable: { ...resources, memory: '7908540Ki' },
          capacity: { ...resources, memory: '8010940Ki' },
          conditions: [{
            type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status',
            // kubernetes-types has times as strings of the API.
            lastHeartbeatTime: '2024-05-06T06:08:09Z', lastTransitionTime: '2024-05-06T06:08:09Z',
          }],
          daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
          images: [{ names: ['registry.example/web:1'] }],
        },
      },
    });
    expect(text).toBe(nodeCreateText);
  });

  it('given a node patch, when it is encoded, then the stub has its eleven empty fields and no namespace', () => {
    const text = written({ id: 'i', writer: 'node', lane: 'node', verb: 'patchStatus', kind: 'Node', name: 'edge-07', patch: {} });
    expect(text).toContain('  spec: {}\n  status:\n    daemonEndpoints:\n      kubeletEndpoint:\n        Port: 0\n    nodeInfo:\n      architecture: ""\n');
    expect(text).toContain('patch_data: e30=\npatch_sub_resources:\n- status\n');
    expect(text).not.toContain('object_ns');
  });

  it('given an event, when it is encoded, then nothing asks for an answer and its text is the worked one', () => {
    const object = {
      count: 1,
      firstTimestamp: '2024-05-06T06:08:09Z', lastTimestamp: '2024-05-06T06:08:09Z',
      involvedObject: { apiVersion: 'v1', fieldPath: 'spec.containers{web}', kind: 'Pod', name: 'web-0', namespace: 'shop', resourceVersion: '812', uid },
      message: 'Started container web',
      metadata: { name: 'web-0.17cb1234abcd5678', namespace: 'shop' },
      reason: 'Started', source: { component: 'kubelet', host: 'edge-07' }, type: 'Normal',
    };
    const base = { id: '6fb0e975-4f5b-44b2-8fb5-a51fa714847f', writer: 'events', lane: 'e', kind: 'Event', namespace: 'shop', name: 'web-0.17cb1234abcd5678', object } as const;
    expect(dialect.encode({ ...base, verb: 'create' }).needAck).toBe(false);
    expect(written({ ...base, verb: 'create' })).toBe(`identity: 6fb0e975-4f5b-44b2-8fb5-a51fa714847f
node_name: edge-07
object:
  count: 1
  eventTime: null
  firstTimestamp: "2024-05-06T06:08:09Z"
  involvedObject:
    apiVersion: v1
    fieldPath: spec.containers{web}
    kind: Pod
    name: web-0
    namespace: shop
    resourceVersion: "812"
    uid: 7b0d2f6e-1111-4222-8333-944444444444
  lastTimestamp: "2024-05-06T06:08:09Z"
  message: Started container web
  metadata:
    creationTimestamp: null
    name: web-0.17cb1234abcd5678
    namespace: shop
  reason: Started
  reportingComponent: ""
  reportingInstance: ""
  source:
    component: kubelet
    host: edge-07
  type: Normal
object_name: web-0.17cb1234abcd5678
object_ns: shop
object_type: event
operate_type: create
options: {}
`);
    const patched = written({ ...base, verb: 'patch', patch: { count: 2, lastTimestamp: '2024-05-06T07:09:09Z' } });
    expect(patched).toContain('patch_data: eyJjb3VudCI6MiwibGFzdFRpbWVzdGFtcCI6IjIwMjQtMDUtMDZUMDc6MDk6MDlaIn0=\npatch_type: application/strategic-merge-patch+json\n');
    expect(patched).not.toContain('patch_sub_resources');
  });
});

describe('messages down', () => {
  const decode = (text: string) => dialect.decodeDown('fleet/ctl/edge-07', gzipText(text));

  it('given the worked answer "not found", when it is read, then it is a refusal with its reason', () => {
    expect(decode(`ack_data:
  error:
    ErrStatus:
      code: 404
      details:
        kind: pods
        name: web-0
      message: pods "web-0" not found
      metadata: {}
      reason: NotFound
      status: Failure
  identity: 8f67f111-16e1-45e6-904f-ec94adab39d4
data_type: ack
`)).toMatchObject({
      ok: true,
      value: {
        kind: 'ack', identity: '8f67f111-16e1-45e6-904f-ec94adab39d4',
        answer: { kind: 'refused', status: { code: 404, reason: 'NotFound', message: 'pods "web-0" not found' } },
      },
    });
  });

  it('given the worked answer "found" as JSON, when it is read, then it carries the pod', () => {
    const answer = decode('{"data_type":"ack","ack_data":{"identity":"8f67","error_type":2,"object":{"metadata":{"name":"web-0"},"status":{"phase":"Pending"}}}}');
    expect(answer).toEqual({
      ok: true,
      value: { kind: 'ack', identity: '8f67', answer: { kind: 'accepted', object: { metadata: { name: 'web-0' }, status: { phase: 'Pending' } } } },
    });
  });

  it('given the worked string error, when it is read, then it is a refusal without a reason', () => {
    expect(decode('data_type: ack\nack_data:\n  identity: a\n  error: broker refused\n  error_type: 1\n')).toMatchObject({
      value: { answer: { kind: 'refused', status: { message: 'broker refused' } } },
    });
  });

  it('given the worked answer to a start, when it is read, then pods, secrets and node come out', () => {
    const message = decode(`data_type: ack
ack_data:
  identity: 9f1c2d3e-4a5b-4c6d-8e7f-001122334455
  error_type: 2
  object:
    pods_list:
    - metadata:
        name: web-0
        namespace: shop
        uid: ${uid}
      spec:
        nodeName: edge-07
        enableServiceLinks: true
        imagePullSecrets:
        - name: registry-pull
        containers:
        - name: web
          image: registry.example/web:1
    secret_list:
    - metadata:
        name: registry-pull
        namespace: shop
      type: kubernetes.io/dockerconfigjson
      data:
        .dockerconfigjson: eyJhdXRocyI6e319
    node:
      metadata:
        name: edge-07
        uid: 11111111-2222-4333-8444-555555555555
`);
    if (!message.ok || message.value.kind !== 'ack' || message.value.answer.kind !== 'accepted') throw new Error('not an accepted answer');
    const start = dialect.decodeStartAnswer('t', message.value.answer.object ?? {});
    expect(start).toMatchObject({
      ok: true,
      value: {
        pods: [{ metadata: { name: 'web-0', uid }, spec: { containers: [{ name: 'web', image: 'registry.example/web:1' }] } }],
        secrets: [{ data: { '.dockerconfigjson': 'eyJhdXRocyI6e319' } }],
        configMaps: [],
        node: { metadata: { name: 'edge-07' } },
      },
    });
  });

  it('given a pod push with secrets, when it is read, then both come out', () => {
    const message = { data_type: 'pod', pod_data: { metadata: { name: 'web-0' } }, secrets_data: [{ metadata: { name: 's' } }, null] };
    expect(dialect.decodeDown('t', packYaml(message))).toEqual({
      ok: true, value: { kind: 'pod', pod: { metadata: { name: 'web-0' } }, secrets: [{ metadata: { name: 's' } }], configMaps: [] },
    });
  });
});

// Tokens of service accounts on the real containerd: a cloud that issues them, seen from inside the container. What carries the
// requests is the business of dialects; here the bus answers.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiWrite } from '../../src/bus/api-write.ts';
import { withHiddenToken } from '../../src/bus/dialects/check-object.ts';
import type { Dialect } from '../../src/bus/dialects/dialect.ts';
import type { ContainerId, PodSpec } from '../../src/ports/pod-types.ts';
import { busyboxImage, containerdProblem } from '../support/containerd.ts';
import { eventually, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';

const problem = await containerdProblem();
const forever = 'trap "exit 0" TERM; while :; do sleep 0.1; done';
const planted = 'eyJhbGciOiJub25lIn0.planted';

/** lite, with one word more. */
const withTokens = (lite: Dialect): Dialect => ({
  ...lite, carries: () => true,
  encode: (write) => (write.kind === 'TokenRequest' ? { topic: 'fleet/tokens', payload: new TextEncoder().encode('{}'), identity: write.id, needAck: true } : lite.encode(write)),
});

describe.skipIf(problem)(`tokens on containerd${problem === undefined ? '' : ` (${problem})`}`, () => {
  let node: RealNode;
  const asked: (ApiWrite & { readonly kind: 'TokenRequest' })[] = [];
  const taps: string[] = [];
  let serial = 0;
  let lifeSeconds = 3_607;
  beforeAll(async () => {
    node = await startRealNode({ dialect: withTokens });
    node.agent().bus.tap((envelope) => {
      taps.push(JSON.stringify(envelope));
      if (envelope.topic !== 'api.write' || envelope.payload.kind !== 'TokenRequest') return;
      const write = envelope.payload;
      asked.push(write);
      serial += 1;
      const object = { spec: { ...write.object.spec, expirationSeconds: lifeSeconds }, status: { token: `${planted}.${serial}`, expirationTimestamp: '2030-01-01T00:00:00Z' } };
      setTimeout(() => node.agent().bus.as('test').publish('mqtt.ack', { topic: 'fleet/tokens', identity: write.id, answer: withHiddenToken({ kind: 'accepted', object }) }), 30);
    });
    await eventually('the node registers', () => node.cloud.nodes()[0]);
    node.cloud.applyObject('ConfigMap', { metadata: { name: 'kube-root-ca.crt', namespace: 'default' }, data: { 'ca.crt': 'the root' } });
  });
  afterAll(() => node?.stop());

  const status = (name: string) => node.pod(name)?.status?.containerStatuses?.[0];
  const inside = async (name: string, script: string): Promise<string> => {
    const id = (status(name)?.containerID ?? '').replace('containerd://', '') as ContainerId; // What the status shows is an ID.
    const done = await node.cri.runtime.execSync(id, ['sh', '-c', script], { timeoutMs: 5_000 });
    if (!done.ok) throw new Error(done.fault.message);
    return done.value.stdout + done.value.stderr;
  };
  const start = async (name: string, volumes: PodSpec['volumes'], part: Partial<PodSpec> = {}) => {
    const volumeMounts = (volumes ?? []).map((volume) => ({ name: volume.name, mountPath: `/${volume.name}`, readOnly: true }));
    const applied = node.cloud.applyPod(shellPod(name, '', { serviceAccountName: 'teller', volumes, containers: [{ name: 'app', image: busyboxImage, command: ['sh', '-c', forever], volumeMounts }], ...part }));
    expect(applied).toMatchObject({ ok: true });
    return eventually(`${name} runs`, () => status(name)?.state?.running && node.pod(name));
  };

  it('given the volume that API servers add, when the pod runs, then it has token, root and namespace as under kubelet', async () => {
    const pod = await start('served', [{ name: 'kube-api-access-x', projected: { defaultMode: 420, sources: [
      { serviceAccountToken: { path: 'token', expirationSeconds: 3_607 } }, { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
    ] } }]);
    expect(await inside('served', 'cd /kube-api-access-x; for f in *; do echo $f=$(cat $f); done; stat -Lc "%a %u" token; grep -c " /kube-api-access-x tmpfs ro" /proc/mounts'))
      .toBe(`ca.crt=the root\nnamespace=default\ntoken=${planted}.${serial}\n644 0\n1\n`);
    expect(asked.at(-1)).toMatchObject({ namespace: 'default', name: 'teller', object: { spec: { audiences: [], expirationSeconds: 3_607, boundObjectRef: { kind: 'Pod', name: 'served', uid: pod.metadata?.uid } } } });
    expect(node.cloud.events().filter(({ reason }) => reason === 'FailedMount')).toEqual([]);
  });

  it('given one user and a short life, when four fifths of it are over, then the running container has another one', async () => {
    lifeSeconds = 3;
    await start('short', [{ name: 'own', projected: { sources: [{ serviceAccountToken: { path: 'a/token', audience: 'vault', expirationSeconds: 600 } }] } }], { securityContext: { runAsUser: 1_000 } });
    lifeSeconds = 3_607;
    const first = await inside('short', 'cat /own/a/token');
    expect(first).toContain(planted);
    expect(await inside('short', 'stat -Lc "%a %u" /own/a/token; id -u')).toBe('600 1000\n1000\n');
    await expect.poll(() => inside('short', 'cat /own/a/token'), { timeout: 10_000 }).not.toBe(first);
    expect(status('short')?.restartCount).toBe(0);
  });

  it('given all this, then no message of the bus, event or file outside memory has a token', () => {
    expect(taps.some((text) => text.includes('TokenRequest'))).toBe(true);
    expect([...taps, ...node.cloud.events().map((event) => JSON.stringify(event))].filter((text) => text.includes(planted))).toEqual([]);
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    expect(mounts).toContain(`${node.fixture.directory}/root/memory `);
  });
});

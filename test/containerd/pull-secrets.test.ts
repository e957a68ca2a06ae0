// Images from a registry that asks for a password, with pull secrets that come over MQTT.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxImage, containerdProblem } from '../support/containerd.ts';
import { eventually, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';
import { type Registry, registryPassword, registryProblem, registryUser, startRegistry } from '../support/registry.ts';

const problem = (await containerdProblem()) ?? registryProblem();
const forever = 'trap "exit 0" TERM; while :; do sleep 0.1; done';
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe.skipIf(problem)(`pull secrets on containerd${problem === undefined ? '' : ` (${problem})`}`, () => {
  let node: RealNode;
  let registry: Registry;
  const seen: string[] = [];
  beforeAll(async () => {
    node = await startRealNode();
    node.agent().bus.tap((envelope) => { seen.push(JSON.stringify(envelope)); });
    registry = await startRegistry(node.fixture);
    await registry.push(busyboxImage, 'team/tool:1');
    await registry.push(busyboxImage, 'other/tool:1');
    await eventually('the node registers', () => node.cloud.nodes()[0]);
  });
  afterAll(async () => {
    await registry?.stop();
    await node?.stop();
  });

  const secret = (name: string, type: string, key: string, value: object) =>
    expect(node.cloud.applyObject('Secret', { metadata: { name, namespace: 'default' }, type, data: { [key]: base64(JSON.stringify(value)) } })).toMatchObject({ ok: true });
  const apply = (name: string, repository: string, secrets: readonly string[]) => {
    const containers = [{ name: 'app', image: `${registry.address}/${repository}`, imagePullPolicy: 'Always', command: ['sh', '-c', forever] }];
    node.cloud.applyPod(shellPod(name, '', { containers, imagePullSecrets: secrets.map((one) => ({ name: one })) }));
  };
  const state = (name: string) => node.pod(name)?.status?.containerStatuses?.[0]?.state;
  const eventsOf = (name: string) => node.cloud.events().filter(({ involvedObject }) => involvedObject.name === name).map(({ reason, message }) => `${reason ?? ''}: ${message ?? ''}`);

  it('given no secret, when pulled, then it waits with the reason, and the secret that comes later lets it run', async () => {
    apply('early', 'team/tool:1', ['team-pull']);
    const waiting = await eventually('it fails to pull', () => /ErrImagePull|ImagePullBackOff/.test(state('early')?.waiting?.reason ?? '') && state('early')?.waiting);
    expect(waiting.message).toMatch(/authorization failed|no basic auth credentials|401 Unauthorized/);
    await eventually('the missing secret is told', () => eventsOf('early').includes('FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (team-pull); attempting to pull the image may not succeed.'));
    secret('team-pull', 'kubernetes.io/dockerconfigjson', '.dockerconfigjson', { auths: { [`${registry.address}/team`]: { auth: base64(`${registryUser}:${registryPassword}`) } } });
    await eventually('it runs', () => state('early')?.running, 40_000);
    await eventually('the pull is told', () => eventsOf('early').some((line) => /^Pulled: Successfully pulled image ".*\/team\/tool:1" in [\d.]+m?s \([\d.]+m?s including waiting\)\. Image size: \d+ bytes\.$/.test(line)));
  });

  it('given the older form and a wrong password beside it, when pulled, then both are tried', async () => {
    secret('wrong', 'kubernetes.io/dockercfg', '.dockercfg', { [`${registry.address}/other`]: { username: registryUser, password: 'wrong' } });
    secret('right', 'kubernetes.io/dockercfg', '.dockercfg', { [registry.address]: { username: registryUser, password: registryPassword } });
    apply('older', 'other/tool:1', ['wrong', 'right']);
    await eventually('it runs', () => state('older')?.running);
  });

  it('given a secret for another path, when pulled, then it is not used', async () => {
    apply('elsewhere', 'other/tool:1', ['team-pull']);
    await eventually('it fails to pull', () => /ErrImagePull|ImagePullBackOff/.test(state('elsewhere')?.waiting?.reason ?? ''));
  });

  it('given all that was said, when read, then no password is in it', () => {
    const all = [...seen, JSON.stringify(node.cloud.events()), JSON.stringify(node.cloud.pods())].join('\n');
    expect(all).toContain('team-pull');
    for (const planted of [registryPassword, base64(`${registryUser}:${registryPassword}`)]) expect(all).not.toContain(planted);
  });
});

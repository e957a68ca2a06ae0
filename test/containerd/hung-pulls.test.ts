// Pulls that hang, on the real containerd: a registry that takes questions and never answers must not keep others waiting for ever.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerdProblem } from '../support/containerd.ts';
import { eventually, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';

const problem = await containerdProblem();

describe.skipIf(problem)(`hung pulls on containerd${problem === undefined ? '' : ` (${problem})`}`, () => {
  let node: RealNode;
  let server: Server;
  let registry = '';
  const left: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      // Everything of `hang` is taken and never answered; nothing else exists.
      if (request.url?.includes('/hang/') === true) response.once('close', () => left.push(request.url ?? ''));
      else response.writeHead(request.url === '/v2/' ? 200 : 404).end();
    });
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    // A listening TCP server has such an address.
    registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    node = await startRealNode();
    await eventually('the node registers', () => node.cloud.nodes()[0]);
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await node?.stop();
  });

  const waiting = (name: string) => node.pod(name)?.status?.containerStatuses?.[0]?.state?.waiting;
  const apply = (name: string, image: string) => expect(node.cloud.applyPod(shellPod(name, 'true', { containers: [{ name: 'app', image: `${registry}/${image}:1` }] }))).toMatchObject({ ok: true });
  const events = (name: string, reason: string) => node.cloud.events().filter(({ involvedObject, reason: why }) => involvedObject.name === name && why === reason);

  it('given a pull that hangs and another one behind it, when the pod of the first goes, then its pull ends and the other has its turn', async () => {
    apply('first', 'hang/app');
    await eventually('it is pulled', () => events('first', 'Pulling')[0]);
    apply('second', 'none/app');
    await eventually('it stands in line', () => events('second', 'Pulling')[0]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(waiting('second')?.reason).toBe('ContainerCreating');
    node.cloud.deletePod('default', 'first', { graceMs: 1_000 });
    await eventually('the other one has been asked for', () => waiting('second')?.reason === 'ErrImagePull');
    expect(left[0]).toContain('/v2/hang/app/manifests/1');
    expect(events('first', 'Failed')).toEqual([]);
    await eventually('the first is gone', () => node.pod('first') === undefined);
    await eventually('it is not tried again at once', () => events('second', 'BackOff')[0], 30_000);
    node.cloud.deletePod('default', 'second', { graceMs: 0 });
  });

  it('given a pull under way, when containerd is asked how it gets on, then it tells, and no change is no change', async () => {
    apply('third', 'hang/app');
    await eventually('it is pulled', () => events('third', 'Pulling')[0]);
    const [one, two] = [await node.cri.images.progress(), await node.cri.images.progress()];
    expect(one.ok && two.ok && one.value === two.value).toBe(true);
    node.cloud.deletePod('default', 'third', { graceMs: 0 });
  });
});

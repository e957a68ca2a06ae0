// Where logs, exec and port-forward of a pod go, and that the endpoint there understands what it is asked.
import { describe, expect, test } from 'vitest';
import { readKubeletRequest } from '../../src/bridge/kubelet-api/kubelet-request.ts';
import { ApiWorld, podNamed, podsUrl } from '../support/api-world.ts';

async function site(): Promise<ApiWorld> {
  const world = new ApiWorld();
  await world.addNode('edge');
  await world.patch('/api/v1/nodes/edge/status', { status: { daemonEndpoints: { kubeletEndpoint: { Port: 10250 } }, addresses: [{ type: 'Hostname', address: 'edge.example.org' }, { type: 'InternalIP', address: '10.0.0.5' }] } });
  await world.post(podsUrl, podNamed('web', { nodeName: 'edge' }));
  await world.post(podsUrl, podNamed('two', { nodeName: 'edge', containers: [{ name: 'a', image: 'x' }, { name: 'b', image: 'x' }] }));
  return world;
}

describe('what a node serves', () => {
  test.each([
    ['GET', 'web/log?follow=true&tailLines=5&container=main', { kind: 'logs', request: { kind: 'logs', namespace: 'default', pod: 'web', container: 'main', follow: true, tailLines: 5 } }],
    ['GET', 'web/log', { kind: 'logs', request: { container: 'main', follow: false } }],
    ['POST', 'web/exec?command=ls&command=-l%20a&container=main&stdin=true&stdout=true&tty=true', { kind: 'command', request: { kind: 'exec', command: ['ls', '-l a'], stdin: true, stdout: true, stderr: false, tty: true } }],
    ['GET', 'two/attach?container=b&stdout=true&stderr=true', { kind: 'command', request: { kind: 'attach', container: 'b', stdin: false, stdout: true, stderr: true } }],
    ['POST', 'web/portforward', { kind: 'forward', namespace: 'default', pod: 'web' }],
  ])('given %s %s, when it is asked for, then the node of the pod is asked for the same', async (method, url, expected) => {
    const { body } = await (await site()).ask(method, `${podsUrl}/${url}`);
    expect(body).toMatchObject({ host: '10.0.0.5', port: 10250, tls: { ca: 'ca', cert: 'cert', key: 'key' } });
    const [path = '', query = ''] = String(body['path']).split('?', 2);
    expect(readKubeletRequest(path, [...new URLSearchParams(query)])).toMatchObject({ ok: true, value: expected });
  });

  test.each([
    ['two/log', 400, 'a container name must be specified for pod two, choose one of: [a b]'], ['two/log?container=c', 400, 'container c is not valid for pod two'], ['none/log', 404, 'pods "none" not found'],
  ])('given %s, when it is asked for, then the refusal is the API server\'s', async (url, status, message) => {
    const { body } = await (await site()).get(`${podsUrl}/${url}`);
    expect([body['code'], body['message']]).toEqual([status, message]);
  });

  test('given a pod without a node, or a node that tells no endpoint, when its log is asked for, then that is said', async () => {
    const world = await site();
    await world.post('/api/v1/nodes', { metadata: { name: 'mute' } });
    await world.post(podsUrl, podNamed('free', { schedulerName: 'another' }));
    await world.post(podsUrl, podNamed('mute', { nodeName: 'mute' }));
    expect((await world.get(`${podsUrl}/free/log`)).body['message']).toBe('pod free does not have a host assigned');
    expect((await world.get(`${podsUrl}/mute/log`)).body['message']).toContain('node "mute" tells no address and port of its endpoint');
  });
});

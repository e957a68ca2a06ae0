// What paths and queries of kubelet's API mean.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withKubeletEndpoint } from '../../../src/bridge/kubelet-api/kubelet-endpoint.ts';
import { readKubeletRequest } from '../../../src/bridge/kubelet-api/kubelet-request.ts';

const read = (target: string) => {
  const [path = '', query = ''] = target.split('?', 2);
  return readKubeletRequest(path, [...new URLSearchParams(query)]);
};
const place = { namespace: 'shop', pod: 'web', container: 'app' };
const quiet = { follow: false, previous: false, timestamps: false };

describe('requests of kubelet\'s API', () => {
  it.each<[string, object]>([
    ['/containerLogs/shop/web/app', { kind: 'logs', request: { kind: 'logs', ...place, ...quiet } }],
    ['/containerLogs/shop/web/app?follow=true&tailLines=0&limitBytes=9&timestamps=1', { kind: 'logs', request: { kind: 'logs', ...place, follow: true, previous: false, timestamps: true, tailLines: 0, limitBytes: 9 } }],
    ['/containerLogs/shop/web/app?sinceTime=2026-01-31T10:00:00Z&stream=Stderr', { kind: 'logs', request: { kind: 'logs', ...place, ...quiet, sinceTime: '2026-01-31T10:00:00Z', stream: 'Stderr' } }],
    ['/exec/shop/web/app?command=sh&command=-c&command=a%20b&input=1&output=1&tty=1&error=1', { kind: 'command', request: { kind: 'exec', ...place, command: ['sh', '-c', 'a b'], stdin: true, stdout: true, stderr: false, tty: true } }],
    ['/exec/shop/web/7b0d/app?command=ls&stdout=true&stderr=true', { kind: 'command', request: { kind: 'exec', ...place, command: ['ls'], stdin: false, stdout: true, stderr: true, tty: false } }],
    ['/attach/shop/web/app?output=1', { kind: 'command', request: { kind: 'attach', ...place, stdin: false, stdout: true, stderr: false, tty: false } }],
    ['/run/shop/web/app?cmd=ls%20-l', { kind: 'run', request: { kind: 'exec', ...place, command: ['ls', '-l'], stdin: false, stdout: true, stderr: true, tty: false } }],
    ['/portForward/shop/web', { kind: 'forward', namespace: 'shop', pod: 'web' }],
    ['/portForward/shop/web/7b0d?port=80', { kind: 'forward', namespace: 'shop', pod: 'web' }],
    ['/pods', { kind: 'facts', request: { kind: 'facts', what: 'pods' } }],
    ['/stats/summary?only_cpu_and_memory=true', { kind: 'facts', request: { kind: 'facts', what: 'summary' } }],
    ['/metrics/resource', { kind: 'facts', request: { kind: 'facts', what: 'resource' } }],
    ['/healthz', { kind: 'health' }],
  ])('given %s, when it is read, then it means what it says', (target, asked) => {
    expect(read(target)).toEqual({ ok: true, value: asked });
  });

  it.each([
    ['/', 404], ['/exec', 404], ['/exec/shop/web', 404], ['/exec/a/b/c/d/e', 404], ['/logs/syslog', 404],
    ['/exec/shop/web/app?command=ls', 400], ['/exec/shop/web/app?output=1', 400], ['/run/shop/web/app', 400],
    ['/containerLogs/shop/web/app?tailLines=-1', 422], ['/containerLogs/shop/web/app?limitBytes=0', 422], ['/containerLogs/shop/web/app?sinceTime=yesterday', 422],
    ['/containerLogs/shop/web/app?sinceSeconds=5&sinceTime=2026-01-31T10:00:00Z', 422], ['/containerLogs/shop/web/app?stream=Both', 422],
  ])('given %s, when it is read, then it is refused with %i', (target, status) => {
    expect(read(target)).toMatchObject({ ok: false, fault: { status } });
  });

  it('given any path and query, when they are read, then nothing throws', () => {
    fc.assert(fc.property(fc.webPath(), fc.array(fc.tuple(fc.string(), fc.string())), (path, query) => {
      readKubeletRequest(path, query);
    }));
  });
});

describe('the endpoint of a node', () => {
  it('given a status of a node, when it is shown to an API server, then its kubelet is at the cloud side', () => {
    const status = { addresses: [{ type: 'InternalIP', address: '192.0.2.7' }, { type: 'Hostname', address: 'edge-07' }], daemonEndpoints: {}, phase: 'x' };
    expect(withKubeletEndpoint(status, { address: '198.51.100.1', port: 10_250 })).toEqual({
      addresses: [{ type: 'InternalIP', address: '198.51.100.1' }, { type: 'Hostname', address: 'edge-07' }], daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } }, phase: 'x',
    });
  });
});

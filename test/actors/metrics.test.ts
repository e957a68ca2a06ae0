// The metrics page and the health checks, as a scraper and a service manager see them.
import { describe, expect, test } from 'vitest';
import { startHealth } from '../../src/actors/health.ts';
import { meterRuntime } from '../../src/actors/metered-runtime.ts';
import { startMetrics } from '../../src/actors/metrics.ts';
import { MetricsRegistry, seriesMax } from '../../src/actors/metrics-registry.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import type { ContainerId, PodUid, SandboxId } from '../../src/ports/pod-types.ts';
import { fail, ok } from '../../src/ports/result.ts';
import type { ImagesPort, RuntimePort } from '../../src/ports/runtime-port.ts';
import { aPod } from '../support/pods.ts';

describe('metrics registry', () => {
  test('given one of each kind, when the page is made, then it is Prometheus text in order of name', () => {
    const registry = new MetricsRegistry();
    const histogram = registry.histogram('b_seconds', 'A duration.', [0.1, 1]);
    registry.gauge('c', 'A gauge.', () => [{ labels: { path: 'a"\\\n' }, value: 2 }]);
    const counter = registry.counter('a_total', 'A count.');
    registry.gauge('d', 'Nothing to say.', () => undefined);
    counter.add({ kind: 'x' });
    counter.add({ kind: 'x' }, 2);
    histogram.observe(0.1);
    histogram.observe(0.5);
    histogram.observe(5);
    expect(registry.text()).toBe([
      '# HELP a_total A count.', '# TYPE a_total counter', 'a_total{kind="x"} 3',
      '# HELP b_seconds A duration.', '# TYPE b_seconds histogram',
      'b_seconds_bucket{le="0.1"} 1', 'b_seconds_bucket{le="1"} 2', 'b_seconds_bucket{le="+Inf"} 3', 'b_seconds_sum 5.6', 'b_seconds_count 3',
      '# HELP c A gauge.', '# TYPE c gauge', 'c{path="a\\"\\\\\\n"} 2', '',
    ].join('\n'));
  });

  test('given more label sets than are kept, when counted, then the rest is counted together', () => {
    const registry = new MetricsRegistry();
    const counter = registry.counter('a_total', 'A count.');
    for (let index = 0; index < seriesMax + 50; index++) counter.add({ pod: String(index) });
    const lines = registry.text().split('\n').filter((line) => line.startsWith('a_total'));
    expect(lines).toHaveLength(seriesMax + 1);
    expect(lines.at(-1)).toBe('a_total{overflow="other"} 50');
  });
});

function world() {
  const clock = new VirtualClock();
  const bus = new Bus(clock);
  const usage = { cpuSeconds: 1.5, residentBytes: 5e7, heapUsedBytes: 1, heapTotalBytes: 2, startedAtMs: 1_000, openFiles: 20, openFilesMax: undefined };
  let reads = 0;
  const metrics = startMetrics({ bus: bus.as('metrics'), clock, nodeName: 'edge-07', version: 'v0.1.0', busStatistics: () => bus.statistics(), processUsage: () => { reads += 1; return usage; } });
  const health = startHealth({ bus: bus.as('health'), clock, metricsText: () => metrics.registry.text() });
  const get = (path: string, query: Record<string, string> = {}, method = 'GET') => health.handle({ method, path, query: new Map(Object.entries(query)), headers: {}, body: new Uint8Array() });
  return { clock, bus: bus.as('test'), metrics, health, get, reads: () => reads };
}

describe('metrics', () => {
  test('given a pod that starts, when scraped, then the kubelet\'s names tell of it', async () => {
    const { clock, bus, get, reads } = world();
    const desired = aPod({}, { source: 'file' });
    bus.publish('pods.changed', { op: 'ADD', source: 'file', pods: [desired] });
    await clock.advance(250);
    const running = { phase: 'Running', containerStatuses: [{ name: 'app', ready: true, restartCount: 0, image: '', imageID: '', state: { running: {} } }] };
    bus.publish('pod.status', { pod: desired, desired, status: running });
    bus.publish('pod.status', { pod: desired, desired, status: { ...running } });
    bus.publish('runtime.relisted', {
      startedAtMs: clock.nowMs() - 20,
      sandboxes: [{ id: 's' as SandboxId, podUid: desired.uid, name: 'web', namespace: 'default', attempt: 0, state: 'ready', createdAtMs: 0 }],
      containers: [{ id: 'c' as ContainerId, sandboxId: 's' as SandboxId, podUid: desired.uid as PodUid, name: 'app', attempt: 0, state: 'running', createdAtMs: 0, image: '', imageRef: '' }],
    });
    bus.publish('event.noted', { subject: { kind: 'Pod', pod: desired }, type: 'Normal', reason: 'Started', message: 'Started container app' });
    const { body } = await get('/metrics');
    for (const line of [
      'kubelet_node_name{node="edge-07"} 1', 'kubelet_running_pods 1', 'kubelet_running_containers{container_state="running"} 1',
      'kubelet_desired_pods{static="true"} 1', 'kubelet_active_pods{static="true"} 1', 'kubelet_started_containers_total 1',
      'kubelet_pod_start_duration_seconds_bucket{le="0.3"} 1', 'kubelet_pod_start_duration_seconds_bucket{le="0.2"} 0', 'kubelet_pod_start_duration_seconds_count 1',
      'kubelet_pleg_relist_duration_seconds_bucket{le="0.025"} 1', 'process_cpu_seconds_total 1.5', 'process_resident_memory_bytes 50000000',
    ]) expect(body.split('\n')).toContain(line);
    expect(body).not.toContain('process_max_fds');
    expect(reads()).toBe(1);
  });

  test('given a pod that is forgotten, when scraped, then it is not desired any more', async () => {
    const { bus, get } = world();
    const desired = aPod();
    bus.publish('pods.changed', { op: 'ADD', source: 'mqtt', pods: [desired] });
    bus.publish('pod.transitioned', { pod: desired, from: 'running.settled', to: 'terminating.stopping', on: 'pod.kill' });
    expect((await get('/metrics')).body).toContain('kubelet_active_pods{static=""} 0');
    bus.publish('pod.forgotten', { pod: desired });
    expect((await get('/metrics')).body).toContain('kubelet_desired_pods{static=""} 0');
  });

  test('given a metered runtime, when calls end, then operations, failures and durations are counted and answers pass', async () => {
    const clock = new VirtualClock();
    const registry = new MetricsRegistry();
    const status = fail({ kind: 'unavailable', message: 'down' } as const);
    const runtime = { status: () => Promise.resolve(status), watch: () => Promise.resolve(status) } as unknown as RuntimePort; // only what is called
    const images = { list: () => Promise.resolve(ok([])) } as unknown as ImagesPort; // only what is called
    const metered = meterRuntime({ runtime, images }, registry, clock);
    expect(await metered.runtime.status()).toBe(status);
    expect(await metered.images.list()).toEqual(ok([]));
    const text = registry.text();
    expect(text).toContain('kubelet_runtime_operations_total{operation_type="status"} 1');
    expect(text).toContain('kubelet_runtime_operations_errors_total{operation_type="status"} 1');
    expect(text).toContain('kubelet_runtime_operations_duration_seconds_count{operation_type="list_images"} 1');
  });
});

describe('health', () => {
  test.each([
    ['/healthz', {}, 'GET', 200, 'ok'],
    ['/healthz/', {}, 'GET', 200, 'ok'],
    ['/healthz/ping', {}, 'GET', 200, 'ok'],
    ['/healthz/log', {}, 'GET', 200, 'ok'],
    ['/healthz/syncloop', {}, 'GET', 200, 'ok'],
    ['/healthz', { verbose: '' }, 'GET', 200, '[+]ping ok\n[+]log ok\n[+]syncloop ok\nhealthz check passed\n'],
    ['/healthz', { verbose: '', exclude: 'log' }, 'GET', 200, '[+]ping ok\n[+]log excluded: ok\n[+]syncloop ok\nhealthz check passed\n'],
    ['/healthz/other', {}, 'GET', 404, '404 page not found\n'],
    ['/pods', {}, 'GET', 404, '404 page not found\n'],
    ['/healthz', {}, 'POST', 405, 'method not allowed\n'],
  ])('given all is well, when %s %o is asked by %s, then %i', async (path, query, method, status, body) => {
    expect(await world().get(path, query, method)).toMatchObject({ status, body });
  });

  test('given parts that fail again and again, when asked, then the sync loop is named, until the window has passed', async () => {
    const { clock, bus, get } = world();
    for (let failure = 0; failure < 5; failure++) bus.publish('actor.failed', { actor: 'pod a/b', message: 'boom', action: 'restarting' });
    expect(await get('/healthz')).toMatchObject({ status: 500, body: '[+]ping ok\n[+]log ok\n[-]syncloop failed: reason withheld\nhealthz check failed\n' });
    expect(await get('/healthz/syncloop')).toMatchObject({ status: 500, body: 'internal server error: 5 parts failed within 10 minutes\n' });
    expect(await get('/healthz/ping')).toMatchObject({ status: 200 });
    await clock.advance(600_000);
    expect(await get('/healthz')).toMatchObject({ status: 200 });
  });

  test('given listings that stop, when five minutes have passed, then the sync loop is unhealthy; before the first one it is not', async () => {
    const { clock, bus, get } = world();
    await clock.advance(3_600_000);
    expect(await get('/healthz')).toMatchObject({ status: 200 });
    bus.publish('runtime.relist-failed', { fault: { kind: 'unavailable', message: 'x' } });
    await clock.advance(300_001);
    expect(await get('/healthz/syncloop')).toMatchObject({ status: 500, body: 'internal server error: sync Loop took longer than expected\n' });
  });
});

// The small adapters against the real machine, and host facts against a made-up one.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defaultRouteAddresses } from '../../src/adapters/host-addresses.ts';
import { createHostFacts } from '../../src/adapters/host-facts.ts';
import { blotted, createJsonLog } from '../../src/adapters/json-log.ts';
import { readProcessUsage } from '../../src/adapters/process-usage.ts';
import { readSettingsFile } from '../../src/adapters/settings-file.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { SystemRandom } from '../../src/adapters/system-random.ts';

let root = '';
beforeEach(() => { root = mkdtempSync(path.join(os.tmpdir(), 'mqlet-small-')); });
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(file: string, content: string): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), content);
}

describe('system clock', () => {
  test('given a timer, when its time comes, then it fires once, and a cancelled one never', async () => {
    const clock = new SystemClock();
    const before = clock.monotonicMs();
    const fired: string[] = [];
    clock.clearTimeout(clock.setTimeout(() => fired.push('cancelled'), 1));
    await new Promise<void>((resolve) => { clock.setTimeout(() => { fired.push('kept'); resolve(); }, 5); });
    expect(fired).toEqual(['kept']);
    expect(clock.monotonicMs() - before).toBeGreaterThanOrEqual(4);
    expect(Math.abs(clock.nowMs() - Date.now())).toBeLessThan(1_000);
  });

  test('given a delay beyond what timers take, when armed, then it does not fire at once', async () => {
    const clock = new SystemClock();
    let fired = false;
    const timer = clock.setTimeout(() => { fired = true; }, 1e12);
    await new Promise((resolve) => { setTimeout(resolve, 10); });
    clock.clearTimeout(timer);
    expect(fired).toBe(false);
  });
});

describe('system random', () => {
  test('given the source, when drawn, then fractions are in [0, 1) and identifiers are version 4', () => {
    const random = new SystemRandom();
    expect(random.fraction()).toBeLessThan(1);
    expect(random.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('json log', () => {
  function lines(level: 'info' | 'debug') {
    const written: Record<string, unknown>[] = [];
    const log = createJsonLog({ level, destination: { write: (line) => { written.push(JSON.parse(line) as Record<string, unknown>); } } });
    return { log, written };
  }

  test('given fields, when logged, then one line carries level, time, event and fields', () => {
    const { log, written } = lines('info');
    log.info('pod.started', { podUid: 'u1', attempt: 2 });
    expect(written).toEqual([{ level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), event: 'pod.started', podUid: 'u1', attempt: 2 }]);
  });

  test('given the level info, when debug is logged, then nothing is written', () => {
    const { log, written } = lines('info');
    log.debug('noise');
    expect(written).toEqual([]);
  });

  test.each([
    ['password', { password: 'x' }, { password: blotted }],
    ['secretKey', { mqttSecretKey: 'x' }, { mqttSecretKey: blotted }],
    ['token deep inside', { auth: [{ identityToken: 'x', user: 'u' }] }, { auth: [{ identityToken: blotted, user: 'u' }] }],
    ['a name that only contains the word', { secretName: 'pull' }, { secretName: 'pull' }],
    ['bytes', { payload: new Uint8Array(3) }, { payload: '3 bytes' }],
    ['bigint', { ns: 5n }, { ns: '5' }],
    ['undefined', { gone: undefined }, {}],
  ])('given %s, when logged, then what is secret is blotted out', (_name, fields, expected) => {
    const { log, written } = lines('info');
    log.warn('event', fields);
    expect(written[0]).toEqual({ level: 'warn', time: expect.any(String), event: 'event', ...expected });
  });

  test('given a graph that contains itself, when logged, then it is cut', () => {
    const { log, written } = lines('info');
    const graph: Record<string, unknown> = {};
    graph['self'] = graph;
    log.error('loop', graph);
    expect(JSON.stringify(written[0])).toContain('[deeper]');
  });
});

describe('host facts', () => {
  const routes = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\neth1\t00000000\t0100000A\t0003\t0\t0\t200\t00000000\t0\t0\t0\neth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0\n';
  const address = (value: string, family: 'IPv4' | 'IPv6', internal = false) => ({ address: value, family, internal, netmask: '', mac: '', cidr: null, ...(family === 'IPv6' ? { scopeid: 0 } : {}) }) as os.NetworkInterfaceInfo;

  test('given a machine, when read, then the facts are those of its files', async () => {
    write('etc/machine-id', 'abc123\n');
    write('sys/class/dmi/id/product_uuid', 'UUID-1\n');
    write('proc/sys/kernel/random/boot_id', 'boot-1\n');
    write('proc/sys/kernel/osrelease', '6.1.0-test\n');
    write('etc/os-release', 'NAME="X"\nPRETTY_NAME="Test Linux 1"\n');
    write('proc/meminfo', 'MemTotal:        2048 kB\nMemAvailable:    1024 kB\n');
    write('sys/devices/system/cpu/online', '0-3,6\n');
    write('sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages', '3\n');
    write('sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages', '0\n');
    const facts = await createHostFacts({ rootDirectory: path.join(root, 'not/made/yet'), systemRoot: root }).facts();
    expect(facts).toMatchObject({
      machineId: 'abc123', systemUuid: 'UUID-1', bootId: 'boot-1', kernelVersion: '6.1.0-test', osImage: 'Test Linux 1',
      memoryBytes: 2_097_152, cpus: 5, hugePages: { '2Mi': 6_291_456, '1Gi': 0 },
    });
    expect(facts.rootFilesystemBytes).toBeGreaterThan(0);
    expect(facts.addresses.length).toBeGreaterThan(0);
  });

  test('given a machine that tells nothing, when read, then the facts still stand', async () => {
    const facts = await createHostFacts({ rootDirectory: root, systemRoot: root }).facts();
    expect(facts).toMatchObject({ machineId: '', osImage: 'Linux', hugePages: {} });
    expect(facts.cpus).toBeGreaterThan(0);
    expect(facts.memoryBytes).toBeGreaterThan(0);
  });

  test('given this machine, when measured, then something of each resource is left', async () => {
    const pressure = await createHostFacts({ rootDirectory: root }).measure({ imageDirectory: root });
    expect(pressure.memoryAvailableBytes).toBeGreaterThan(0);
    expect(pressure.memoryBytes ?? 0).toBeGreaterThan(pressure.memoryAvailableBytes ?? 0);
    expect(pressure.rootFilesystem?.availableBytes).toBeGreaterThan(0);
    expect(pressure.rootFilesystem?.capacityBytes ?? 0).toBeGreaterThan(pressure.rootFilesystem?.availableBytes ?? 0);
    expect(pressure.imageFilesystem).toMatchObject({ device: pressure.rootFilesystem?.device, inodes: pressure.rootFilesystem?.inodes });
    expect(pressure.pidsMax ?? 0).toBeGreaterThan(pressure.pidsUsed ?? 0);
  });

  test.each([
    ['the least metric of two default routes', { eth0: [address('fe80::1', 'IPv6'), address('10.0.0.7', 'IPv4'), address('fd00::7', 'IPv6')], eth1: [address('10.1.0.7', 'IPv4')] }, ['10.0.0.7', 'fd00::7']],
    ['no default route that is up', { wlan0: [address('192.0.2.9', 'IPv4')], lo: [address('127.0.0.1', 'IPv4', true)] }, ['192.0.2.9']],
    ['no address at all', {}, ['127.0.0.1']],
  ])('given %s, when addresses are asked for, then %s', async (_name, interfaces, expected) => {
    write('proc/net/route', routes);
    expect(await defaultRouteAddresses({ systemRoot: root, interfaces })).toEqual(expected);
  });
});

describe('process usage and settings file', () => {
  test('given this process, when read, then it uses something', () => {
    const usage = readProcessUsage();
    expect(usage.residentBytes).toBeGreaterThan(1_000_000);
    expect(usage.openFiles).toBeGreaterThan(2);
  });

  test('given files that cannot be read, when asked for, then a fault says why', () => {
    write('a.yaml', 'x: 1\n');
    expect(readSettingsFile(path.join(root, 'a.yaml'))).toEqual({ ok: true, value: 'x: 1\n' });
    expect(readSettingsFile(path.join(root, 'b.yaml'))).toMatchObject({ ok: false, fault: { kind: 'not-found' } });
    expect(readSettingsFile(root)).toMatchObject({ ok: false, fault: { kind: 'failed', message: 'is a directory' } });
    write('big', 'x'.repeat(1_048_577));
    expect(readSettingsFile(path.join(root, 'big'))).toMatchObject({ ok: false, fault: { kind: 'too-large' } });
  });
});

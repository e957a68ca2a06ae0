// Recorded packets, replayed by the command: what came down comes down again, and what the agent tells now is what it told then.
import { describe, expect, it } from 'vitest';
import { koleDialect } from '../../src/bus/dialects/kole/kole-dialect.ts';
import { apply, deleteInCloud, putManifest, simPod } from '../sim/offline-world.ts';
import { nodeName, type World } from '../sim/world.ts';
import { dialectNames } from '../support/dialects.ts';
import { KoleCloud } from '../support/kole-cloud.ts';
import { recordedWorld, replayCommand } from '../support/recorded-traffic.ts';

/** A pod comes, runs and is deleted. */
async function wholePodLife(world: World): Promise<void> {
  world.startDaemon();
  await world.pass(5_000);
  apply(world, simPod('web'));
  await world.pass(20_000);
  deleteInCloud(world, 'web');
  await world.pass(20_000);
  await world.stopDaemon({ downMs: 1_000_000 });
}

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';

describe.each(dialectNames)('a replay of packets in the dialect %s', (dialect) => {
  it('given the node\'s own recording of a pod\'s life, when it is replayed, then the pod goes through it again and nothing differs', async () => {
    const { world, own } = await recordedWorld('own', { dialect });
    await wholePodLife(world);
    const { code, stdout, stderr } = await replayCommand(own, ['--diff']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/default\/web: pending → creating[^]*→ running[^]*→ terminating[^]*→ done /);
    expect(lastLine(stdout)).toMatch(/^no difference: /);
    expect(code).toBe(0);
  });

  it('given the same life recorded beside the broker, when it is replayed, then node and dialect are found and nothing of the pod differs', async () => {
    const { world, beside } = await recordedWorld('beside', { dialect });
    await wholePodLife(world);
    const { stdout, stderr } = await replayCommand(beside, ['--diff']);
    expect(stderr).toBe('');
    expect(stdout).toContain(` for ${nodeName} (${dialect}): `);
    expect(stdout.split('\n').filter((line) => /^(Pod|Event of Pod) /.test(line))).toEqual([]);
  });

  it('given containers that failed, when it is replayed, then they fail again as they did', async () => {
    const { world, own } = await recordedWorld('failing', { dialect });
    world.startDaemon();
    await world.pass(3_000);
    apply(world, simPod('crashing', { containers: [{ name: 'app', image: 'registry.example/sim/exit:3-after-4000' }] }));
    await world.pass(60_000);
    const plain = own.map((line) => line.replaceAll('sim/exit:3-after-4000', 'some/program:1.0-of-x-4000'));
    // The image's name no longer says what it does where the payload is text; packed payloads are left.
    const { stdout } = await replayCommand(dialect === 'mqlet' ? own : plain, ['--diff']);
    expect(stdout).toMatch(/Warning BackOff/);
    expect(stdout.split('\n').filter((line) => line.startsWith('Pod ')).length).toBeLessThan(8);
  });

  it('given another status than was recorded, when it is compared, then object and field are told and the exit code is 1', async () => {
    const { world, own } = await recordedWorld('changed', { dialect });
    await wholePodLife(world);
    const without = own.filter((line) => !line.includes('"dir":"up"') || own.indexOf(line) < own.length / 2);
    const { code, stdout } = await replayCommand(without, ['--diff']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/\nPod default\/web[^\n]*\n {2}recorded: [^\n]+\n {2}now: {6}[^\n]+\n/);
    expect(lastLine(stdout)).toMatch(/^\d+ differences? in \d+ objects?$/);
  });

  it('given a link that broke, when it is replayed, then it breaks and comes back again', async () => {
    const { world, own } = await recordedWorld('broken link', { dialect });
    world.startDaemon();
    await world.pass(5_000);
    world.restartBroker({ downMs: 8_000 });
    await world.pass(20_000);
    apply(world, simPod('late'));
    await world.pass(20_000);
    const { stdout, stderr } = await replayCommand(own);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/link: up\n[^]*link: backingOff[^]*link: up\n[^]*default\/late: [^]*→ running/);
  });

  it('given a static pod, whose manifest is not on the wire, when it is replayed, then it comes back from its mirror pod, and goes with it', async () => {
    const { world, own } = await recordedWorld('static', { dialect });
    putManifest(world, simPod('fixed'));
    world.startDaemon();
    await world.pass(20_000);
    putManifest(world, simPod('fixed', { terminationGracePeriodSeconds: 2 }));
    await world.pass(30_000);
    world.files.take('/etc/mqlet/manifests/fixed.yaml');
    await world.pass(30_000);
    await world.stopDaemon({ downMs: 1_000_000 });
    const { code, stdout, stderr } = await replayCommand(own, ['--diff']);
    expect(stderr).toBe('');
    expect(stdout.match(new RegExp(`default/fixed-${nodeName}: .*→ running`, 'g'))?.length).toBe(2);
    expect({ code, last: lastLine(stdout) }).toEqual({ code: 0, last: expect.stringMatching(/^no difference: /) });
  });

  it('given a pod of the admin API, which is not on the wire, when it is compared, then its events are named as not told now', async () => {
    const { world, own } = await recordedWorld('admin', { dialect });
    world.startDaemon();
    await world.pass(3_000);
    const body = new TextEncoder().encode(JSON.stringify(simPod('local')));
    const applied = world.agent?.admin.handle({ method: 'POST', path: '/v1/pods', query: new Map(), headers: {}, body });
    await world.pass(10_000);
    await applied;
    const { code, stdout } = await replayCommand(own, ['--diff']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/\nEvent of Pod default\/local: Started [^\n]*\n {2}recorded: [^\n]*\n {2}now: {6}\(nothing\)\n/);
  });

  it('given the same recording and seed, when it is replayed twice, then every line is the same', async () => {
    const { world, own } = await recordedWorld('twice', { dialect });
    await wholePodLife(world);
    const first = await replayCommand(own, ['--messages', '--seed', 'a']);
    expect(await replayCommand(own, ['--messages', '--seed', 'a'])).toEqual(first);
    expect((await replayCommand(own, ['--messages', '--seed', 'b'])).stdout).not.toBe(first.stdout);
  });
});

describe('a replay of packets in the dialect kole', () => {
  it('given a pod that was assigned and withdrawn, when it is replayed, then it runs and ends again and nothing differs', async () => {
    const { world, own } = await recordedWorld('kole', {}, {
      ports: (ports, { broker }) => ({ ...ports, mqtt: { port: broker.port({ clientId: `${nodeName}-sub` }), dialect: koleDialect({ nodeName, reportPeriodMs: 120_000 }) } }),
    });
    const cloud = new KoleCloud({ mqtt: world.broker.port({ clientId: 'controller' }), clock: world.clock });
    world.startDaemon();
    await world.pass(120_000);
    cloud.apply('kole', 'probe', { image: 'registry.example/probe:1.0', command: ['/bin/probe'] });
    await world.pass(30_000);
    cloud.delete('kole', 'probe');
    await world.pass(120_000);
    await world.stopDaemon({ downMs: 1_000_000 });
    await cloud.stop();
    const { code, stdout, stderr } = await replayCommand(own, ['--diff']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/koledaemonset-probe: pending → creating[^]*→ running[^]*→ terminating/);
    expect({ code, last: lastLine(stdout) }).toEqual({ code: 0, last: expect.stringMatching(/^no difference: /) });
  });
});

describe('the words of a replay of packets', () => {
  const record = async (): Promise<readonly string[]> => {
    const { world, own } = await recordedWorld('words', { dialect: 'lite' });
    await wholePodLife(world);
    return own;
  };

  it('given an end, when it is replayed, then it stops there, whichever way it was said', async () => {
    const own = await record();
    const counts = await Promise.all([['--until', '10'], ['--until', '10s'], ['--until', '2026-01-01T00:00:10Z'], ['--until', '#6'], ['--until-entry', '6']].map(async (flags) => {
      const { stdout } = await replayCommand(own, flags);
      return Number(/replayed (\d+) of \d+ entries/.exec(stdout)?.[1]);
    }));
    expect(counts[0]).toBeGreaterThan(5);
    expect(counts[1]).toBe(counts[0]);
    expect(Math.abs((counts[2] ?? 0) - (counts[0] ?? 0))).toBeLessThan(4);
    expect(counts.slice(3)).toEqual([5, 5]);
  });

  it('given steps, when keys are typed, then so many entries are entered and it says what comes next', async () => {
    const own = await record();
    const { stdout } = await replayCommand(own, ['--step'], ['', '3', 'what', 'q']);
    expect(stdout).toMatch(/^#1 line 2 \+00:00\.000 link: up ⏎ /);
    expect(stdout).toContain('Enter, a number, c or q ⏎ ');
    expect(stdout).toMatch(/replayed 4 of \d+ entries/);
    expect((await replayCommand(own, ['--step'], ['c'])).stdout).toContain('default/web: ');
  });

  it('given a speed, when it is replayed, then it takes so long', async () => {
    const own = await record();
    const fromMs = performance.now();
    await replayCommand(own, ['--speed', '40', '--until', '20']);
    expect(performance.now() - fromMs).toBeGreaterThan(350);
  });

  it('given what mosquitto_sub would have printed, when it is replayed, then it is the same as beside the broker', async () => {
    const { world, beside } = await recordedWorld('exported', { dialect: 'lite' });
    await wholePodLife(world);
    const exported = await replayCommand(beside, ['--export']);
    const [first, second] = [await replayCommand(beside), await replayCommand(exported.stdout.trimEnd().split('\n'))];
    expect(second.stdout).toBe(first.stdout);
  });

  it.each([
    ['two nodes', [], /^mqlet replay: recording\.jsonl: it holds the traffic of 2 nodes: edge-07 \(lite, fleet\), edge-08 \(lite, fleet\); choose with --node\n$/],
    ['a node that is not there', ['--node', 'edge-09'], /no packet of a node edge-09 in a dialect of ours is in it/],
    ['a dialect that is none', ['--dialect', 'smtp'], /--dialect must be lite, mqlet or kole, not "smtp"/],
    ['an end that is none', ['--until', 'soon'], /--until must be a duration \(90, 1m30s\), a time/],
  ])('given %s, when it is replayed with %j, then one line says what is wrong', async (_name, flags, line) => {
    const own = (await record()).slice(1);
    const other = own.map((each) => each.replace('fleet/ctl/edge-07', 'fleet/ctl/edge-08'));
    const { code, stderr } = await replayCommand([...own, ...other], flags);
    expect(code).toBeGreaterThan(0);
    expect(stderr).toMatch(line);
  });
});

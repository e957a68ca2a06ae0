// Links to logs and their rotation beside whole pods, on virtual time: names, sizes, crashes, a runtime that will not reopen.
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { startLogLinks } from '../../src/actors/log-links.ts';
import { startLogRotation } from '../../src/actors/log-rotation.ts';
import { fail } from '../../src/ports/result.ts';
import type { RuntimePort } from '../../src/ports/runtime-port.ts';
import { nodeSettings } from '../support/node-settings.ts';
import { podWorld, simPod } from '../support/pod-world.ts';
import { silentLog } from '../support/silent-log.ts';

const links = nodeSettings.podLogsDirectory.replace(/[^/]+$/, 'containers');
const sizeMax = 1_000;

async function logWorld(image = 'sim/run', runtime: Partial<RuntimePort> = {}) {
  const world = podWorld();
  const { clock, bus, sim, files, seen } = world;
  sim.onReopenLog = (path) => files.put(path, '');
  const pod = simPod(image);
  const directory = `${nodeSettings.podLogsDirectory}/${pod.namespace}_${pod.name}_${pod.uid}/app`;
  const common = { bus: bus.as('logs'), files, logFiles: files.logs, log: silentLog, settings: nodeSettings };
  const parts = [
    startLogLinks(common),
    startLogRotation({
      ...common, clock, policy: { sizeMax, filesMax: 4, workersMax: 1, periodMs: 10_000 },
      runtime: { reopenLog: runtime.reopenLog ?? ((id) => sim.reopenLog(id)), containerStatus: runtime.containerStatus ?? ((id) => sim.containerStatus(id)) },
    }),
  ];
  world.operate('ADD', pod);
  await clock.advance(2_000);
  // As the runtime opens it at the start.
  files.put(`${directory}/0.log`, 'first');
  const names = async (path: string) => {
    const listed = files.list(path);
    await clock.advance(1);
    const answer = await listed;
    return answer.ok ? answer.value.map(({ name, kind }) => (kind === 'file' ? name : `${name} ${kind}`)) : [];
  };
  return {
    ...world, pod, directory, names, parts,
    write: (text: string) => files.put(`${directory}/0.log`, text),
    rotated: () => seen.flatMap((each) => (each.topic === 'log.rotated' ? [each.payload] : [])),
    look: () => clock.advance(10_000),
    end: async () => {
      for (const part of parts) await part.stop();
      await world.stop();
    },
  };
}

describe('log rotation', () => {
  it('given a log that grows, when it is too large again and again, then it is rotated, compressed and bounded', async () => {
    const world = await logWorld();
    await world.look();
    expect(await world.names(world.directory)).toEqual(['0.log']);
    for (let round = 0; round < 6; round += 1) {
      world.write(`${round}`.repeat(sizeMax));
      await world.look();
    }
    const names = await world.names(world.directory);
    expect(names).toHaveLength(4);
    expect(names.map((name) => name.replace(/\d{8}-\d{6}/, 'TIME'))).toEqual(['0.log', '0.log.TIME.gz', '0.log.TIME.gz', '0.log.TIME']);
    expect(gunzipSync(world.files.peek(`${world.directory}/${names[2]}`)?.bytes ?? new Uint8Array()).toString()).toBe('4'.repeat(sizeMax));
    expect(world.files.peek(`${world.directory}/0.log`)?.bytes.byteLength).toBe(0);
    expect(world.rotated()).toHaveLength(6);
    expect(world.rotated()[0]).toMatchObject({ container: 'app', sizeBytes: sizeMax, pod: { name: world.pod.name } });
    await world.end();
  });

  it('given a runtime that will not reopen, when a log is too large, then it gets its name back and nothing is lost', async () => {
    const world = await logWorld('sim/run', { reopenLog: async () => fail({ kind: 'rejected', message: 'no', grpcCode: 2 }) });
    world.write('x'.repeat(sizeMax));
    await world.look();
    expect(await world.names(world.directory)).toEqual(['0.log']);
    expect(world.rotated()).toEqual([]);
    await world.end();
  });

  it('given what a crash left, when the log is looked at, then it is finished or removed and a missing log is opened again', async () => {
    const world = await logWorld();
    for (const name of ['0.log.20250101-000000', '0.log.20250101-000000.tmp', '0.log.20250101-000001', '0.log.20250101-000001.gz', '0.log.20250101-000002']) {
      world.files.put(`${world.directory}/${name}`, name);
    }
    await world.look();
    expect(await world.names(world.directory)).toEqual(['0.log', '0.log.20250101-000000.gz', '0.log.20250101-000001.gz', '0.log.20250101-000002']);
    world.files.take(`${world.directory}/0.log`);
    await world.look();
    expect(await world.names(world.directory)).toContain('0.log');
    await world.end();
  });

  it('given nothing that runs, when time passes, then no timer waits', async () => {
    const world = await logWorld('sim/exit:0');
    world.operate('REMOVE', world.pod);
    await world.clock.advance(60_000);
    const before = world.sim.calls.length;
    await world.clock.advance(20_000);
    expect(world.sim.calls.slice(before).filter(({ method }) => method === 'containerStatus' || method === 'reopenLog')).toEqual([]);
    await world.end();
  });
});

describe('log links', () => {
  it('given a container, when it runs, is replaced and goes, then its link leads to its log, one is kept for the instance before, and none stays', async () => {
    const world = await logWorld();
    const first = [...world.sim.containers.keys()][0] ?? '';
    expect(await world.names(links)).toEqual([`${world.pod.name}_default_app-${first}.log`]);
    world.files.put(`${world.directory}/1.log`, 'second');
    world.sim.kill(first);
    await world.clock.advance(15_000);
    const second = [...world.sim.containers.keys()].find((id) => id !== first) ?? '';
    expect((await world.names(links)).sort()).toEqual([first, second].map((id) => `${world.pod.name}_default_app-${id}.log`).sort());
    world.operate('REMOVE', world.pod);
    await world.clock.advance(60_000);
    expect(await world.names(links)).toEqual([]);
    await world.end();
  });
});

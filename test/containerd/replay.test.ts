// A pod's whole life on real parts, recorded both ways, and replayed: from everything with the same result, from packets on the simulated
// runtime with the differences that are there.
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerdProblem } from '../support/containerd.ts';
import { buildMqlet, type DaemonProcess, mqlet, until } from '../support/daemon-process.ts';
import { DaemonWorld, isReady, nodeName, podManifest, shellPod } from '../support/daemon-world.ts';

const problem = await containerdProblem();

describe.skipIf(problem !== undefined).each(['mqlet', 'lite'])(`mqlet replay of a run with containerd in the dialect %s${problem === undefined ? '' : ` (${problem})`}`, (dialect) => {
  let world: DaemonWorld;
  let daemon: DaemonProcess;
  let everything = '';
  let packets = '';

  beforeAll(async () => {
    await buildMqlet();
    world = await DaemonWorld.start();
    everything = path.join(world.fixture.directory, 'everything.jsonl');
    packets = path.join(world.fixture.directory, 'packets.jsonl');
    daemon = world.startDaemon(['--record-all', everything, '--record', packets, '--mqtt-dialect', dialect]);
    await until('the node registers', () => world.cloud.nodes()[0]);
    const { spec } = shellPod('keeper');
    world.cloud.applyPod({ metadata: { name: 'keeper', namespace: 'default' }, spec: { ...spec, nodeName, containers: [...(spec?.containers ?? [])] } });
    world.cloud.applyPod({ metadata: { name: 'failing', namespace: 'default' }, spec: { ...shellPod('failing', 'sleep 1; exit 3').spec, nodeName, restartPolicy: 'Never', containers: [...(shellPod('failing', 'sleep 1; exit 3').spec?.containers ?? [])] } });
    world.writeManifest('static.json', `${podManifest('static')}\n`);
    await until('the pods run', () => ['keeper', `static-${nodeName}`].every((name) => isReady(world.cloudPod(name))));
    await until('the other has failed', () => world.cloudPod('failing')?.status?.phase === 'Failed');
    world.cloud.deletePod('default', 'keeper');
    await until('the pod is gone', () => world.cloudPod('keeper') === undefined);
    await daemon.end('SIGTERM');
  });
  afterAll(async () => {
    await daemon?.end('SIGKILL');
    await world?.stop();
  });

  it('given everything, when it is compared, then there is no difference', async () => {
    const { code, stdout, stderr } = await mqlet(['replay', everything, '--diff']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/\nno difference in what was called and published\nreplayed \d+ inputs and \d+ messages: the same /);
  });

  it('given the packets, when they are replayed on the simulated runtime, then the pod goes through its life again', async () => {
    const { code, stdout, stderr } = await mqlet(['replay', packets, '--diff']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/default\/keeper: pending → creating[^]*creating\S* → running[^]*running\S* → terminating[^]* → done /);
    console.info(stdout.slice(stdout.indexOf('\nreplayed ')).trim());
    // On a busy machine a state may last that a quick one passes: nothing else may differ.
    const differences = stdout.split('\n').flatMap((line, index, lines) => (line.startsWith('  recorded: ') ? [`${lines[index - 1]} ${line} ${lines[index + 1]}`] : []));
    expect(differences.filter((difference) => !difference.includes('(no such state)'))).toEqual([]);
    expect(code).toBe(differences.length === 0 ? 0 : 1);
  });
});

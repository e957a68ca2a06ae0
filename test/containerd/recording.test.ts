// A daemon that records everything, on real parts, and its run again from the file alone.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerdProblem } from '../support/containerd.ts';
import { buildMqlet, type DaemonProcess, mqlet, until } from '../support/daemon-process.ts';
import { DaemonWorld, forever, isReady, nodeName, podManifest, shellPod } from '../support/daemon-world.ts';

const problem = await containerdProblem();
const planted = 'correct-horse-battery-staple';

describe.skipIf(problem !== undefined)(`mqlet run --record-all and mqlet replay${problem === undefined ? '' : ` (${problem})`}`, () => {
  let world: DaemonWorld;
  let daemon: DaemonProcess;
  let file = '';

  beforeAll(async () => {
    await buildMqlet();
    world = await DaemonWorld.start();
    file = path.join(world.fixture.directory, 'run.jsonl');
    daemon = world.startDaemon(['--record-all', file]);
    await until('the node registers', () => world.cloud.nodes()[0]);
    await wholePodLives();
    await daemon.end('SIGTERM');
  });
  afterAll(async () => {
    await daemon?.end('SIGKILL');
    await world?.stop();
  });

  /** Pods from all three sources, one with a secret, one that fails; then they are deleted. */
  async function wholePodLives(): Promise<void> {
    const { spec } = shellPod('keeper', `echo $TOKEN; ${forever}`);
    world.cloud.applyObject('Secret', { metadata: { name: 'keys', namespace: 'default' }, data: { token: Buffer.from(planted).toString('base64') } });
    world.cloud.applyPod({
      metadata: { name: 'keeper', namespace: 'default' },
      spec: {
        ...spec, nodeName, volumes: [{ name: 'keys', secret: { secretName: 'keys' } }],
        containers: (spec?.containers ?? []).map((container) => ({
          ...container, env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } }], volumeMounts: [{ name: 'keys', mountPath: '/keys' }],
        })),
      },
    });
    world.writeManifest('static.json', podManifest('static'));
    await world.mqlet(['apply', '-f', '-'], { input: podManifest('failing', 'exit 3') });
    await until('the pods run', () => ['keeper', `static-${nodeName}`].every((name) => isReady(world.cloudPod(name))));
    await until('one has failed twice', async () => ((await world.pods()).get('failing')?.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0);
    world.cloud.deletePod('default', 'keeper');
    await world.mqlet(['delete', 'pod', 'failing']);
    await until('the pod is gone', () => world.cloudPod('keeper') === undefined);
  }

  it('given whole pod lives, when they are replayed, then every call and every message is the same', async () => {
    const { code, stdout, stderr } = await mqlet(['replay', file]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/default\/keeper: pending → creating/);
    expect(stdout).toMatch(/Normal Started: /);
    expect(stdout).toMatch(/\nreplayed \d+ inputs and \d+ messages: the same \([0-9a-f]{8}\)\n$/);
    console.info(`${(statSync(file).size / 1024).toFixed(0)} KiB; ${stdout.trim().split('\n').at(-1)}`);
  });

  it('given a secret in the recorded run, when its value is looked for, then it is nowhere in the file, which only its owner reads', () => {
    const text = readFileSync(file, 'utf8');
    const forms = [planted, Buffer.from(planted).toString('base64')];
    expect(forms.filter((form) => text.includes(form))).toEqual([]);
    expect(text).toContain('masked-1');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('given a recording that was changed, when it is replayed, then the first difference is told and the exit code is 1', async () => {
    const changed = path.join(world.fixture.directory, 'changed.jsonl');
    writeFileSync(changed, readFileSync(file, 'utf8').replace('"restartPolicy":"Always"', '"restartPolicy":"Never"').replace('"method":"runSandbox"', '"method":"runSomething"'));
    const { code, stderr } = await mqlet(['replay', changed]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^mqlet replay: entry \d+, line \d+ differs\n {2}recorded: runtime\.runSomething\(.*\n {2}now: {6}runtime\.runSandbox\(/);
  });

  it.each([
    ['nothing', '', /:1: the file is empty\n$/],
    ['another text', 'hello\n', /:1: the line is not JSON/],
    ['a later format', '{"recording":99,"kind":"all"}\n', /:1: the recording has format 99; this version reads 1\n$/],
    ['packets only, but none', '{"recording":1,"kind":"mqtt"}\n', /bad\.jsonl: no packet of a node in a dialect of ours is in it/],
  ])('given %s, when it is replayed, then one line says what is wrong', async (_name, content, line) => {
    const bad = path.join(world.fixture.directory, 'bad.jsonl');
    writeFileSync(bad, content);
    const { code, stdout, stderr } = await mqlet(['replay', bad]);
    expect({ code, stdout, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, stdout: '', lines: 1 });
    expect(stderr).toMatch(line);
  });

  it('given a line that is torn, when it is replayed, then it says which; at the end it is only left out', async () => {
    const torn = path.join(world.fixture.directory, 'torn.jsonl');
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(torn, [...lines.slice(0, 40), '{"k":"ans', ...lines.slice(40)].join('\n'));
    expect(await mqlet(['replay', torn])).toMatchObject({ code: 1, stderr: expect.stringMatching(/torn\.jsonl:41: the line is not JSON .*; up to there all was the same\n$/) });
    writeFileSync(torn, `${lines.slice(0, 40).join('\n')}\n{"k":"ans`);
    expect(await mqlet(['replay', torn])).toMatchObject({ code: 0, stderr: '' });
  });

  it('given a file that is there, when the daemon shall record into it, then it says so and does not start', async () => {
    const second = world.startDaemon(['--record-all', file]);
    expect(await second.exited).toBe(1);
    expect(second.log('daemon.not-started')).toMatchObject([{ message: `--record-all: ${file} is there already; a recording needs a new file` }]);
  });
});

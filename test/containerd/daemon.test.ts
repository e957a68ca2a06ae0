// The daemon and the commands as a user has them: bin/mqlet as processes, on real containerd and a real broker. Looks only at what a user
// can see: exit codes, output, log lines, the cloud, the containers.
import { lstatSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { containerdProblem } from '../support/containerd.ts';
import { buildMqlet, type DaemonProcess, mqlet, mqletRunning, until } from '../support/daemon-process.ts';
import { containersOf, DaemonWorld, isReady, nodeName, podManifest, shellPod } from '../support/daemon-world.ts';

const problem = await containerdProblem();
/** The promise; the log of the daemon shows some milliseconds. */
const stopMsMax = 5_000;

describe.skipIf(problem !== undefined)(`mqlet run, and the commands${problem === undefined ? '' : ` (${problem})`}`, () => {
  let world: DaemonWorld;
  let daemon: DaemonProcess;
  let startedAtMs = 0;
  const staticPod = `static-${nodeName}`;
  const all = [staticPod, 'pushed', 'applied'];
  const socket = () => `${world.rootDirectory}/mqlet.sock`;

  beforeAll(async () => {
    await buildMqlet();
    world = await DaemonWorld.start();
    world.writeManifest('static.json', podManifest('static'));
    daemon = world.startDaemon();
    await until('the node registers', () => world.cloud.nodes()[0]);
    const pushed = world.cloud.applyPod({ ...shellPod('pushed'), spec: { ...shellPod('pushed').spec, nodeName, containers: shellPod('pushed').spec?.containers ?? [] } });
    expect(pushed.ok).toBe(true);
    expect(await world.mqlet(['apply', '-f', '-'], { input: podManifest('applied') })).toMatchObject({ code: 0, stdout: 'pod/applied created\n', stderr: '' });
    await world.runningPods(...all);
  });
  afterAll(async () => {
    await daemon?.end('SIGKILL');
    await world?.stop();
  });

  /** The same containers, nothing started again, and the cloud none the wiser. @returns milliseconds from the start of the daemon to the last adoption */
  const adopted = async (before: Record<string, unknown>): Promise<number> => {
    expect(containersOf(await world.runningPods(...all))).toEqual(before);
    await daemon.logged('node.registered');
    const running = daemon.log('pod.state').filter(({ state }) => state === 'running').map(({ time }) => Date.parse(String(time)));
    expect(running).toHaveLength(all.length);
    expect([staticPod, 'pushed'].map((name) => isReady(world.cloudPod(name)))).toEqual([true, true]);
    return Math.max(...running) - startedAtMs;
  };

  it.each(['SIGTERM', 'SIGKILL', 'SIGINT'] as const)('given running pods, when the daemon ends by %s, then they run on and the next one adopts every one of them', async (signal) => {
    const before = containersOf(await world.runningPods(...all));
    const { code, tookMs } = await daemon.end(signal);
    expect(code).toBe(signal === 'SIGKILL' ? null : 0);
    expect(tookMs).toBeLessThan(stopMsMax);
    const refused = await world.mqlet(['get', 'pods']);
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^mqlet get: no node answers on \S+mqlet\.sock: is mqlet run running\?.*\n$/) });
    startedAtMs = Date.now();
    daemon = world.startDaemon();
    const adoptedMs = await adopted(before);
    console.info(`${signal}: ended in ${tookMs.toFixed(0)} ms; the next one had all ${all.length} pods after ${adoptedMs} ms`);
    expect(daemon.stray()).toEqual([]);
  });

  it('given a pod that takes its time to stop, when the daemon ends meanwhile, then it does not wait for it, and the next one finishes the deletion', async () => {
    const stubborn = { ...shellPod('stubborn', 'trap "" TERM; while :; do sleep 0.1; done') };
    stubborn.spec = { containers: [], ...stubborn.spec, terminationGracePeriodSeconds: 4 };
    await world.mqlet(['apply', '-f', '-'], { input: JSON.stringify(stubborn) });
    await world.runningPods('stubborn');
    expect(await world.mqlet(['delete', 'pod', 'stubborn', '--no-wait'])).toMatchObject({ code: 0, stdout: 'pod/stubborn is being deleted\n' });
    const fromMs = performance.now();
    const { code, tookMs } = await daemon.end('SIGTERM');
    expect({ code, quick: tookMs < 1_000 }).toEqual({ code: 0, quick: true });
    daemon = world.startDaemon();
    await until('the next one knows of the deletion', async () => (await world.mqlet(['get', 'pods'])).stdout.includes('stubborn'));
    expect((await world.mqlet(['get', 'pods'])).stdout).toMatch(/^stubborn .* Terminating /m);
    await until('it is gone', async () => (await world.pods()).size === all.length);
    console.info(`deletion with 4 s of grace, over a restart: ${(performance.now() - fromMs).toFixed(0)} ms`);
  });

  it('given a daemon, when its socket is looked at, then it is for root alone, and a second daemon leaves it and the pods in peace', async () => {
    const stat = lstatSync(socket());
    expect(stat.isSocket()).toBe(true);
    expect(stat.mode & 0o777).toBe(0o600);
    const second = world.startDaemon(['--healthz-port', '0']);
    expect(await second.exited).toBe(1);
    expect(second.log()).toEqual([expect.objectContaining({
      level: 'error', event: 'daemon.not-started', message: expect.stringMatching(/mqlet\.sock: another process listens on this socket; is mqlet already running\?.*--root-dir/),
    })]);
    expect((await world.mqlet(['get', 'pods'])).code).toBe(0);
  });

  it('given a daemon, when it is asked for its health and its figures, then they are the kubelet\'s', async () => {
    const ask = async (target: string) => {
      const response = await fetch(`http://127.0.0.1:${world.healthzPort}${target}`);
      return { status: response.status, text: await response.text() };
    };
    expect(await ask('/healthz')).toEqual({ status: 200, text: 'ok' });
    expect(await ask('/healthz?verbose')).toEqual({ status: 200, text: '[+]ping ok\n[+]log ok\n[+]syncloop ok\nhealthz check passed\n' });
    expect((await ask('/nothing')).status).toBe(404);
    const { text } = await ask('/metrics');
    const values = metricsOf(text);
    expect(values).toMatchObject({
      'kubelet_running_pods': 3, 'kubelet_running_containers{container_state="running"}': 3, 'kubelet_desired_pods{static=""}': 2, 'kubelet_desired_pods{static="true"}': 1,
      'kubelet_active_pods{static="true"}': 1, [`kubelet_node_name{node="${nodeName}"}`]: 1, 'mqlet_mqtt_link_up': 1, 'mqlet_runtime_ready': 1, 'mqlet_bus_listener_failures_total': 0,
    });
    expect(values['kubelet_pleg_relist_duration_seconds_count']).toBeGreaterThan(0);
    expect(values['kubelet_pleg_last_seen_seconds']).toBeGreaterThan(Date.now() / 1_000 - 60);
    expect(values['process_resident_memory_bytes']).toBeGreaterThan(20 * 2 ** 20);
  });

  it('given pods, when they are listed and described, then tables, objects and reasons are there', async () => {
    const table = await world.mqlet(['get', 'pods', '-A', '-o', 'wide']);
    expect(table.stdout).toMatch(/^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE +SOURCE +IP +NODE +STATE +ORIGIN +WAITS FOR$/m);
    expect(table.stdout).toMatch(new RegExp(`^default +${staticPod} +1/1 +Running +0 +\\d+[sm]\\S* +file +10\\.[\\d.]+ +${nodeName} +running\\.settled +\\S+/static\\.json +<none>$`, 'm'));
    const yaml: unknown = parse((await world.mqlet(['get', 'pods', '-A', '-o', 'yaml'])).stdout);
    expect(yaml).toEqual(JSON.parse((await world.mqlet(['get', 'pods', '-A', '-o', 'json'])).stdout));
    expect(yaml).toMatchObject({ kind: 'List', items: expect.arrayContaining([expect.objectContaining({ kind: 'Pod', status: expect.objectContaining({ phase: 'Running' }) })]) });
    const { stdout } = await world.mqlet(['describe', 'pod', 'applied']);
    expect(stdout).toMatch(/^Why: +Its container runs and has been ready for \d+ s\.$/m);
    expect(stdout).toMatch(/^ {2}app:\n {4}Image: +mqlet\.local\/busybox:1\n/m);
    expect(stdout).toMatch(/^Conditions:\n {2}TYPE .*\n(?: {2}\w+ +True .*\n){5}/m);
    expect(stdout).toMatch(/^Events:/m);
    expect((await world.mqlet(['get', 'nodes'])).stdout).toMatch(new RegExp(`^${nodeName} +Ready +up +3 +v`, 'm'));
  });

  it('given a pod that is applied, watched and deleted, when all goes well, then each says what happened', async () => {
    const watch = mqletRunning(['get', 'pods', '-w', '--root-dir', world.rootDirectory]);
    await until('the watch begins', () => watch.output().includes('pushed'));
    const judged = await world.mqlet(['apply', '--dry-run', '-f', '-'], { input: podManifest('brief') });
    expect({ ...judged, stdout: '' }).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await world.pods()).has('brief')).toBe(false);
    expect(await world.mqlet(['apply', '-f', '-'], { input: podManifest('brief') })).toMatchObject({ code: 0, stdout: 'pod/brief created\n' });
    expect(await world.mqlet(['apply', '-f', '-'], { input: podManifest('brief') })).toMatchObject({ code: 0, stdout: 'pod/brief unchanged\n' });
    await world.runningPods('brief');
    expect(await world.mqlet(['delete', 'pod', 'brief'])).toMatchObject({ code: 0, stdout: 'pod/brief deleted\n', stderr: '' });
    expect((await world.pods()).has('brief')).toBe(false);
    await until(() => `the watch shows it all:\n${watch.output()}`, () => /^brief +1\/1 +Running[^]*^brief .* Terminating[^]*^brief .* Deleted/m.test(watch.output()));
    await watch.end();
  });

  it.each([
    ['delete pod static-edge-07', 1, /^error: pod default\/static-edge-07 is a static pod from \S+\/static\.json; remove it there, or it would come back$/],
    ['delete pod pushed', 1, /^error: pod default\/pushed came over MQTT \(fleet\/v1\/down\/edge-07\/api\); delete it in the cloud, or it would come back$/],
    ['delete pod nobody', 1, /^error: pod default\/nobody was not found$/],
    ['describe pod nobody', 1, /^mqlet describe: pod default\/nobody was not found$/],
    ['apply -f /no/such.yaml', 1, /^mqlet apply: \/no\/such\.yaml: no such file$/],
    ['get', 2, /^mqlet get: get what\? mqlet get pods\|nodes\|events$/],
    ['get pods -o xml', 2, /^mqlet get: -o must be wide, json or yaml, not "xml"$/],
    ['get pods --wat', 2, /^mqlet get: .*'--wat'.* \(see mqlet get --help\)$/],
    ['delete pod', 2, /^mqlet delete: delete which pod\? /],
    ['aply', 2, /^mqlet aply: there is no command "aply"; did you mean apply\?$/],
  ])('given the words "%s", when they are refused, then the exit code is %i and one line on standard error says why', async (words, code, says) => {
    const [verb = '', ...rest] = words.split(' ');
    const outcome = await (verb === 'aply' ? mqlet([verb, ...rest]) : world.mqlet([verb, ...rest]));
    expect({ code: outcome.code, stdout: outcome.stdout }).toEqual({ code, stdout: '' });
    expect(outcome.stderr.trimEnd()).toMatch(says);
    expect(outcome.stderr.trimEnd()).not.toContain('\n');
  });

  it('given a manifest with a good and a bad pod, when it is applied, then the good one runs and the bad one has its line', async () => {
    const bad = 'kind: Pod\nmetadata: {name: bad}\nspec:\n  containers:\n  - name: app\n    image: a\n    ports: [{containerPort: "80"}]\n';
    const { code, stdout, stderr } = await world.mqlet(['apply', '-f', '-'], { input: `${podManifest('good')}\n---\n${bad}` });
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'pod/good created\n' });
    expect(stderr).toBe('error: standard input:9: spec.containers[0].ports[0].containerPort: Invalid value: "80": must be a whole number; take the quotes away\n');
    await world.mqlet(['delete', 'pod', 'good']);
  });
});

/** Prometheus' text form: every line is a comment or a sample. @throws on a line that is neither */
function metricsOf(text: string): Record<string, number> {
  const values: Record<string, number> = {};
  for (const line of text.trimEnd().split('\n')) {
    if (/^# (?:HELP|TYPE) [a-z_]+ ./.test(line)) continue;
    const [, name = '', value = ''] = /^([a-z_]+(?:\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})?) (\S+)$/.exec(line) ?? [];
    if (name === '' || (!Number.isFinite(Number(value)) && value !== '+Inf')) throw new Error(`no line of Prometheus' text form: ${line}`);
    values[name] = Number(value);
  }
  return values;
}

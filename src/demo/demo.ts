// `mqlet demo`: a broker, the cloud side, containerd, the agent and two sample pods on this machine, and nothing of it left afterwards.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fail, ok, type Result } from '../ports/result.ts';
import { logTail } from './child-process.ts';
import { startAgent, type DemoAgent } from './demo-agent.ts';
import { startDemoCloud } from './demo-cloud.ts';
import { haveContainerd } from './demo-containerd.ts';
import { nameOwner, removeDemoDirectory, removeEarlierDemos } from './demo-directory.ts';
import { demoHelp, parseDemoOptions } from './demo-options.ts';
import { startBroker, type Broker } from './mosquitto.ts';
import { partFaultLines, type PartFault } from './part-fault.ts';
import { samplePods, type SamplePods } from './sample-pods.ts';
import { openStage, startPart, type Stage } from './stage.ts';

const podsReadyMsMax = 60_000;
const podsGoneMsMax = 30_000;
const lookEveryMs = 50;
const redrawEveryMs = 1_000;
const tailLines = 15;

/** What runs while the table is shown. */
interface Scene {
  readonly broker: Broker;
  /** Path. */
  readonly kubeconfig: string;
  readonly agent: DemoAgent;
  readonly pods: SamplePods;
}

/** Runs the demo to its end. @returns the process's exit code: 0, 1 where a part failed, 2 for wrong usage, 130 when interrupted before its time */
export async function runDemo(argv: readonly string[]): Promise<number> {
  const options = parseDemoOptions(argv);
  if (!options.ok) return refuse(`${options.fault}\nRun 'mqlet demo --help' for the options.`, 2);
  if (options.value.help) {
    process.stdout.write(demoHelp);
    return 0;
  }
  if (process.getuid?.() !== 0) return refuse('it runs containers, which needs root: run it as root or with sudo', 1);
  const stage = await openStage(options.value);
  stage.screen.line(`mqlet demo in ${stage.places.base}`);
  for (const line of await removeEarlierDemos(stage)) stage.screen.line(`  ${line}`);
  const faults: PartFault[] = [];
  try {
    const played = await play(stage);
    if (!played.ok) faults.push(played.fault);
  } catch (error) {
    faults.push({ part: 'host', message: error instanceof Error ? (error.stack ?? error.message) : String(error), tail: [] });
  }
  faults.push(...await tearDown(stage, { keepLogs: faults.length > 0 }));
  stage.close();
  for (const fault of faults) for (const line of partFaultLines(fault)) process.stderr.write(`${line}\n`);
  if (faults.length > 0) return refuse(`failed; the logs are in ${stage.places.base}`, 1);
  return options.value.once && stage.leaving.aborted ? 130 : 0;
}

/** Brings everything up, shows it, takes the pods out again. Being told to leave is no fault. */
async function play(stage: Stage): Promise<Result<void, PartFault>> {
  const scene = await bringUp(stage);
  if (!scene.ok || scene.value === undefined) return scene.ok ? ok() : scene;
  const shown = stage.options.once ? await showOnce(stage, scene.value) : await showUntilLeft(stage, scene.value);
  const removed = await removePods(stage, scene.value);
  return shown.ok ? removed : shown;
}

/** @returns undefined when told to leave meanwhile */
async function bringUp(stage: Stage): Promise<Result<Scene | undefined, PartFault>> {
  const { places, options, log, clock } = stage;
  const home = process.env['MQLET_HOME'] ?? process.cwd();
  const broker = await startPart(stage, 'broker', () => startBroker({ directory: places.broker, log }), brokerLine);
  if (!broker.ok || stage.leaving.aborted) return broker.ok ? ok(undefined) : broker;

  const containerd = await startPart(stage, 'containerd', () => haveContainerd({
    directory: places.containerd, podsDirectory: path.join(places.node, 'pods'), neverHost: options.privateContainerd, clock, log,
  }), ({ description }) => description);
  if (!containerd.ok || stage.leaving.aborted) return containerd.ok ? ok(undefined) : containerd;
  const { kind, endpoint, broughtImages } = containerd.value;
  await nameOwner(places, { kind, endpoint, broughtImages });

  const cloud = await startPart(stage, 'cloud', () => startDemoCloud({ broker: broker.value, directory: places.cloud, clock, log }), ({ description }) => description);
  if (!cloud.ok || stage.leaving.aborted) return cloud.ok ? ok(undefined) : cloud;

  const agent = await startPart(stage, 'agent', () => startAgent({
    places: {
      launcher: path.join(home, 'bin', 'mqlet'), rootDirectory: places.node, manifestDirectory: places.manifests,
      podLogsDirectory: places.podLogs, logPath: places.agentLog,
    },
    nodeName: options.nodeName, runtimeEndpoint: containerd.value.endpoint, cgroupRoot: containerd.value.cgroupRoot, brokerUrl: broker.value.url,
    mqttRootTopic: cloud.value.rootTopic, log,
  }), ({ pid }) => `node ${options.nodeName}, process ${pid}`);
  if (!agent.ok || stage.leaving.aborted) return agent.ok ? ok(undefined) : agent;

  const pods = samplePods({
    cloud: cloud.value, nodeName: options.nodeName, examplesDirectory: path.join(home, 'examples'), manifestDirectory: places.manifests,
  });
  stage.screen.begin('pods');
  const started = await pods.start();
  if (!started.ok) {
    stage.screen.failed();
    return started;
  }
  stage.screen.done(started.value);
  return ok({ broker: broker.value, kubeconfig: cloud.value.kubeconfig, agent: agent.value, pods });
}

function brokerLine(broker: Broker): string {
  const limited = broker.program === 'aedes' ? ', because mosquitto is not installed; MQTT 5 cannot be shown' : '';
  return `${broker.program} at ${broker.url} (${broker.protocol}${limited})`;
}

async function showOnce(stage: Stage, scene: Scene): Promise<Result<void, PartFault>> {
  stage.screen.begin('running');
  const ready = await waitForPods(stage, scene, { remaining: scene.pods.notReady, timeoutMs: podsReadyMsMax, until: stage.leaving });
  if (!ready.ok) stage.screen.failed();
  else stage.screen.done(stage.leaving.aborted ? 'interrupted' : 'both pods are Running and Ready at the cloud');
  stage.screen.line('');
  await draw(stage, scene, ['']);
  stage.screen.endTable();
  return ready;
}

async function showUntilLeft(stage: Stage, scene: Scene): Promise<Result<void, PartFault>> {
  for (const line of hints(stage, scene, await scene.agent.inspectorUrl())) stage.screen.line(line);
  while (!stage.leaving.aborted) {
    await draw(stage, scene, process.stdout.isTTY === true ? ['', 'Ctrl-C ends the demo and removes everything.'] : []);
    if (!scene.agent.running()) return fail(await agentEnded(scene.agent));
    await delay(redrawEveryMs, undefined, { signal: stage.leaving }).catch(() => undefined);
  }
  stage.screen.endTable();
  stage.screen.line('');
  return ok();
}

function hints(stage: Stage, scene: Scene, inspectorUrl: string | undefined): readonly string[] {
  const { places } = stage;
  return [
    '',
    ...(inspectorUrl === undefined ? [] : ['The node from the inside, in a browser of this machine:', `  ${inspectorUrl}`, '']),
    `kubectl sees it as any cluster${existsSync('/usr/bin/kubectl') ? '' : ' (on Debian: apt-get install kubernetes-client)'}; in another terminal:`,
    `  export KUBECONFIG=${scene.kubeconfig}`,
    '  kubectl get pods -o wide --watch',
    '  kubectl logs -f clock',
    `  kubectl exec -it web-${stage.options.nodeName} -- sh`,
    '',
    'And the node itself, without the cloud:',
    `  export MQLET_SOCKET=${scene.agent.socketPath}`,
    '  bin/mqlet get pods --watch',
    '  bin/mqlet describe pod clock',
    `  cp examples/crash-loop.yaml ${places.manifests}/`,
    ...(existsSync('/usr/bin/mosquitto_sub') ? [`  mosquitto_sub -p ${scene.broker.port} -t '#' -F '%t %l bytes'`] : []),
    `  tail -f ${places.agentLog}`,
    '',
  ];
}

async function draw(stage: Stage, scene: Scene, footer: readonly string[]): Promise<void> {
  const rows = await scene.agent.pods();
  stage.screen.table(rows ?? [], rows === undefined ? ['The agent does not answer.'] : footer);
}

async function removePods(stage: Stage, scene: Scene): Promise<Result<void, PartFault>> {
  if (!scene.agent.running() || stage.hurrying.aborted) return ok();
  stage.screen.begin('deletion');
  const asked = await scene.pods.remove();
  const gone = asked.ok ? await waitForPods(stage, scene, { remaining: scene.pods.notGone, timeoutMs: podsGoneMsMax, until: stage.hurrying }) : asked;
  if (gone.ok) stage.screen.done('the pods are gone');
  else stage.screen.failed();
  return gone;
}

/** Waits until nothing remains; the signal ends the wait without a fault. */
async function waitForPods(
  stage: Stage,
  scene: Scene,
  wait: { readonly remaining: () => readonly string[]; readonly timeoutMs: number; readonly until: AbortSignal },
): Promise<Result<void, PartFault>> {
  const deadline = stage.clock.monotonicMs() + wait.timeoutMs;
  while (wait.remaining().length > 0 && !wait.until.aborted) {
    if (!scene.agent.running()) return fail(await agentEnded(scene.agent));
    if (stage.clock.monotonicMs() > deadline) {
      const message = `after ${wait.timeoutMs / 1000} s ${wait.remaining().join(', ')}`;
      return fail({ part: 'pods', message, tail: logTail(scene.agent.logPath, tailLines) });
    }
    await delay(lookEveryMs);
  }
  return ok();
}

async function agentEnded(agent: DemoAgent): Promise<PartFault> {
  return { part: 'agent', message: `it ended by itself: ${await agent.exited}`, tail: logTail(agent.logPath, tailLines) };
}

/** Stops the parts in reverse order of their start; one that fails does not keep the others running. */
async function tearDown(stage: Stage, options: { readonly keepLogs: boolean }): Promise<readonly PartFault[]> {
  const faults: PartFault[] = [];
  stage.screen.begin('teardown');
  for (const { name, part } of stage.parts.reverse()) {
    await part.stop().catch((error: Error) => faults.push({ part: 'teardown', message: `${name}: ${error.message}`, tail: [] }));
  }
  const stayed = await removeDemoDirectory(stage.places, { keepLogs: options.keepLogs || faults.length > 0 });
  if (stayed.length > 0) faults.push({ part: 'teardown', message: stayed.join('; '), tail: [] });
  if (faults.length > 0) stage.screen.failed();
  else stage.screen.done(options.keepLogs ? 'everything but the logs is removed' : 'everything is removed');
  return faults;
}

function refuse(message: string, exitCode: number): number {
  process.stderr.write(`mqlet demo: ${message}\n`);
  return exitCode;
}

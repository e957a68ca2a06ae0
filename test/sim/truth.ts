// What must be true of a node at rest: the runtime holds exactly the desired pods, their statuses tell what the runtime shows,
// and nothing is left over. Everything is compared with the twins themselves, never with what the agent believes.
import type { SimContainer, SimSandbox } from '../../src/adapters/sim/sim-state.ts';
import { isSidecar } from '../../src/machines/decide/pod-phase.ts';
import { decodeManifest } from '../../src/bus/ingress/decode-pod.ts';
import { isManifestName } from '../../src/bus/ingress/manifest-names.ts';
import { samePodStatus } from '../../src/machines/decide/pod-status.ts';
import { thousandths } from '../../src/machines/decide/quantity.ts';
import { cpuShares } from '../../src/machines/decide/resources.ts';
import { containerHash, hashAnnotation, restartCountAnnotation } from '../../src/machines/decide/runtime-labels.ts';
import { type Container, type ContainerStatus, type DesiredPod, type Pod, podFullName, type PodSpec, type PodStatus } from '../../src/ports/pod-types.ts';
import { isMirror } from './checkers.ts';
import { fateOf } from './pod-menu.ts';
import { logsDirectory, manifestDirectory, nodeName, rootDirectory, type World } from './world.ts';

interface Wanted {
  readonly uid: string;
  readonly name: string;
  readonly spec: PodSpec;
  /** What the cloud shows; undefined for pods that it does not have. */
  readonly shown: PodStatus | undefined;
}

interface Real {
  readonly sandboxes: readonly Readonly<SimSandbox>[];
  readonly containers: readonly Readonly<SimContainer>[];
}

/** One line for each thing that is not as it should be; empty at rest. */
export async function discrepancies(world: World): Promise<readonly string[]> {
  const { wanted, problems } = await wantedPods(world);
  const known = new Set(wanted.map(({ uid }) => uid));
  return [
    ...problems,
    ...world.cloud.pods().filter(({ metadata }) => metadata?.deletionTimestamp !== undefined).map(({ metadata }) => `the cloud still has ${metadata?.name ?? ''}, which is to be deleted`),
    ...wanted.flatMap((pod) => podProblems(pod, realOf(world, pod.uid), world.checkers.statuses.get(pod.uid)).map((line) => `${pod.name} ${pod.uid}: ${line}`)),
    ...[...world.runtime.sandboxes.values()].filter(({ config }) => !known.has(config.metadata.uid)).map(({ config }) => `sandbox of ${config.metadata.name} ${config.metadata.uid} is left over`),
    ...[...world.runtime.containers.values()].filter(({ podUid }) => !known.has(podUid)).map(({ podUid, config }) => `container ${config.metadata.name} of ${podUid} is left over`),
    ...(await directoryProblems(world, known)),
    ...cgroupProblems(world, known),
    ...(await memoryProblems(world)),
    ...[...world.checkers.writes.values()].filter(({ lane }) => lane !== 'lease' && lane !== 'node').map(({ lane, kind }) => `a write of ${kind} waits: ${lane}`),
  ];
}

async function wantedPods(world: World): Promise<{ readonly wanted: readonly Wanted[]; readonly problems: readonly string[] }> {
  const problems: string[] = [];
  const byName = new Map<string, DesiredPod>();
  const listed = await world.files.list(manifestDirectory);
  for (const { name } of listed.ok ? listed.value : []) {
    const file = world.files.peek(`${manifestDirectory}/${name}`);
    if (file === undefined || !isManifestName(name)) continue;
    const { pods, faults } = decodeManifest(file.bytes, { origin: `${manifestDirectory}/${name}`, source: 'file', nodeName });
    for (const fault of faults.filter(({ severity }) => severity === 'error')) problems.push(`${name}: ${fault.message}`);
    for (const pod of pods) byName.set(podFullName(pod), pod);
  }
  const mirrors = world.cloud.pods().filter(isMirror);
  const fromFiles = [...byName.values()].map(({ uid, name, namespace, pod }) => {
    const mirror = mirrors.find(({ metadata }) => metadata?.name === name && metadata.namespace === namespace);
    return { uid, name, spec: pod.spec, shown: mirror?.status ?? {} };
  });
  for (const { metadata } of mirrors) {
    if (!byName.has(podFullName({ name: metadata?.name ?? '', namespace: metadata?.namespace ?? '' }))) problems.push(`mirror pod ${metadata?.name ?? ''} is left over`);
  }
  const fromCloud = world.cloud.pods().filter(isWanted).map(({ metadata, spec, status }) => ({
    uid: metadata?.uid ?? '', name: metadata?.name ?? '', spec: spec ?? { containers: [] }, shown: status ?? {},
  }));
  const byHand = await appliedPods(world);
  for (const { deleting, name } of byHand) if (deleting) problems.push(`the record of ${name}, which is to be deleted, is left over`);
  return { wanted: [...fromFiles, ...fromCloud, ...byHand], problems };
}

/** Pods applied by hand are what their records say; nobody else knows of them. */
async function appliedPods(world: World): Promise<readonly (Wanted & { readonly deleting: boolean })[]> {
  const directory = `${rootDirectory}/admin-pods`;
  const listed = await world.files.list(directory);
  return (listed.ok ? listed.value : []).filter(({ name }) => name.endsWith('.json')).flatMap(({ name: file }) => {
    const { pods } = decodeManifest(world.files.peek(`${directory}/${file}`)?.bytes ?? new Uint8Array(), { origin: 'admin', source: 'admin', nodeName });
    return pods.map(({ uid, name, pod }) => ({ uid, name, spec: pod.spec, shown: undefined, deleting: pod.metadata.deletionTimestamp !== undefined }));
  });
}

/** Mirror pods show static pods; they are nobody's wish. */
function isWanted(pod: Pod): boolean {
  return pod.metadata?.deletionTimestamp === undefined && !isMirror(pod);
}

function realOf({ runtime }: World, uid: string): Real {
  return {
    sandboxes: [...runtime.sandboxes.values()].filter(({ config }) => config.metadata.uid === uid),
    containers: [...runtime.containers.values()].filter(({ podUid }) => podUid === uid),
  };
}

async function directoryProblems({ files, volumes }: World, known: ReadonlySet<string>): Promise<readonly string[]> {
  const directories = await files.list(`${rootDirectory}/pods`);
  const logs = await files.list(logsDirectory);
  return [
    ...(directories.ok ? directories.value : []).filter(({ name }) => !known.has(name)).map(({ name }) => `directory of pod ${name} is left over`),
    ...[...volumes.mounts].filter((path) => !known.has(path.slice(`${rootDirectory}/pods/`.length).split('/')[0] ?? '')).map((path) => `mount ${path} is left over`),
    ...(logs.ok ? logs.value : []).filter(({ name }) => !known.has(name.slice(name.lastIndexOf('_') + 1))).map(({ name }) => `logs of pod ${name} are left over`),
  ];
}

/** Whatever runs has its pod's cgroup, and nobody else has one. */
function cgroupProblems({ cgroups, runtime }: World, known: ReadonlySet<string>): readonly string[] {
  const paths = [...cgroups.groups.keys()];
  const left = paths.filter((path) => /\/pod[^/]+$/.test(path) && !known.has(path.slice(path.lastIndexOf('/pod') + '/pod'.length)));
  const homeless = [...runtime.sandboxes.values()].filter(({ state, config }) => state === 'ready' && !paths.includes(config.linux.cgroupParent));
  return [...left.map((path) => `cgroup ${path} is left over`), ...homeless.map(({ config }) => `the sandbox of ${config.metadata.name} has no cgroup "${config.linux.cgroupParent}"`)];
}

/** What the node remembers is what the cloud wants of it, and nothing waits on disk for a cloud that is there. */
async function memoryProblems({ files, cloud }: World): Promise<readonly string[]> {
  const uids = cloud.pods().filter(isWanted).map(({ metadata }) => `${metadata?.uid ?? ''}.json`).sort();
  const remembered = await files.list(`${rootDirectory}/cache/pods`);
  // What a crash has left of a write is taken away by the next start.
  const names = (remembered.ok ? remembered.value : []).map(({ name }) => name).filter((name) => !name.startsWith('.'));
  const outbox = files.peek(`${rootDirectory}/outbox/events.journal`);
  return [
    ...(names.join() === uids.join() ? [] : [`the node remembers the pods ${names.join(' ')} and not ${uids.join(' ')}`]),
    ...(outbox === undefined ? [] : [`the outbox holds ${outbox.bytes.byteLength} bytes`]),
  ];
}

function podProblems({ spec, shown }: Wanted, real: Real, status: PodStatus | undefined): readonly string[] {
  if (status === undefined) return ['the agent has told no status'];
  const problems = status.phase === 'Succeeded' || status.phase === 'Failed' ? terminalProblems(spec, real, status) : livingProblems(spec, real, status);
  if (shown !== undefined && !samePodStatus(shown, status)) problems.push(`the cloud shows another status: ${JSON.stringify(shown)} instead of ${JSON.stringify(status)}`);
  return problems;
}

function terminalProblems(spec: PodSpec, real: Real, status: PodStatus): string[] {
  const problems: string[] = [];
  const policy = spec.restartPolicy ?? 'Always';
  if (real.sandboxes.some(({ state }) => state === 'ready')) problems.push(`a ${status.phase} pod has a ready sandbox`);
  if (real.containers.some(({ state }) => state === 'running')) problems.push(`a ${status.phase} pod has a running container`);
  const newest = spec.containers.map(({ name }) => newestOf(real, name));
  const succeeded = newest.every((container) => container?.state === 'exited' && container.exitCode === 0);
  if (succeeded !== (status.phase === 'Succeeded')) problems.push(`phase ${status.phase}, exit codes ${newest.map((one) => one?.exitCode).join(' ')}`);
  if (policy === 'Always' || (policy === 'OnFailure' && !succeeded)) problems.push(`phase ${status.phase} under restart policy ${policy}`);
  // Where an init container failed, or a sidecar was lost before its turn was over, the others never came to run.
  const mayBeLost = !(spec.initContainers ?? []).some(isSidecar) && (status.initContainerStatuses ?? []).every(({ state }) => state?.terminated?.exitCode === 0);
  for (const { name, state } of status.containerStatuses ?? []) {
    const ran = newestOf(real, name) !== undefined || mayBeLost;
    if (ran && state?.terminated === undefined) problems.push(`${name} is not terminated in a ${status.phase} pod`);
  }
  return problems;
}

function livingProblems(spec: PodSpec, real: Real, status: PodStatus): string[] {
  const ready = real.sandboxes.filter(({ state }) => state === 'ready');
  const [sandbox] = ready;
  if (sandbox === undefined || ready.length > 1) return [`${ready.length} ready sandboxes, phase ${status.phase ?? ''}`];
  const problems = leftovers(real, sandbox);
  const initialised = spec.containers.some(({ name }) => newestOf(real, name)?.sandboxId === sandbox.id) || initsDone(spec, real, sandbox);
  if (!initialised && (spec.initContainers ?? []).every((container) => isHarmless(container))) problems.push('the init containers do not come to their end');
  for (const container of spec.initContainers ?? []) problems.push(...statusProblems(container.name, newestOf(real, container.name), status.initContainerStatuses));
  for (const container of spec.containers) {
    const newest = newestOf(real, container.name);
    if (initialised) problems.push(...containerProblems(container, { newest, sandbox, policy: spec.restartPolicy ?? 'Always', statuses: status.containerStatuses }));
    problems.push(...statusProblems(container.name, newest, status.containerStatuses));
  }
  const lasting = [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)];
  const running = lasting.filter(({ name }) => newestOf(real, name)?.state === 'running').length;
  const readyNow = status.conditions?.find(({ type }) => type === 'Ready')?.status;
  if ((readyNow === 'True') !== (running === lasting.length)) problems.push(`Ready is ${readyNow ?? 'unknown'} with ${running} of ${lasting.length} containers running`);
  for (const { name } of lasting.slice(spec.containers.length)) {
    if (initialised && newestOf(real, name)?.state !== 'running') problems.push(`sidecar ${name} does not run`);
  }
  if (running === lasting.length && status.phase !== 'Running') problems.push(`phase ${status.phase ?? ''} with all containers running`);
  if (spec.hostNetwork !== true && status.podIP !== sandbox.ip) problems.push(`podIP ${status.podIP ?? 'none'}, the sandbox has ${sandbox.ip}`);
  return problems;
}

/** Of each name one dead instance may stay, and the sandboxes that hold one. */
function leftovers(real: Real, sandbox: Readonly<SimSandbox>): string[] {
  const problems: string[] = [];
  const dead = real.containers.filter(({ state }) => state !== 'running').map(({ config }) => config.metadata.name);
  for (const name of new Set(dead)) if (dead.filter((each) => each === name).length > 1) problems.push(`several dead instances of ${name}`);
  for (const old of real.sandboxes) if (old !== sandbox && !real.containers.some(({ sandboxId }) => sandboxId === old.id)) problems.push(`old sandbox ${old.config.metadata.attempt} is left over`);
  return problems;
}

function initsDone(spec: PodSpec, real: Real, sandbox: Readonly<SimSandbox>): boolean {
  return (spec.initContainers ?? []).every((container) => {
    const newest = newestOf(real, container.name);
    if (newest?.sandboxId !== sandbox.id) return false;
    return isSidecar(container) ? newest.state === 'running' : newest.state === 'exited' && newest.exitCode === 0;
  });
}

function isHarmless(container: Container): boolean {
  if (isSidecar(container)) return true;
  const fate = fateOf(container);
  return fate.kind === 'ends' && fate.exitCode === 0;
}

interface Case {
  readonly newest: Readonly<SimContainer> | undefined;
  readonly sandbox: Readonly<SimSandbox>;
  readonly policy: string;
  readonly statuses: readonly ContainerStatus[] | undefined;
}

/** Whether the container is what its program comes to when it is let alone. */
function containerProblems(container: Container, { newest, sandbox, policy, statuses }: Case): string[] {
  const fate = fateOf(container);
  // One that has ended for good stays so, whatever image it is given.
  const ended = newest?.state === 'exited' && (policy === 'Never' || (policy === 'OnFailure' && newest.exitCode === 0));
  if (ended) return [];
  const shares = cpuShares(thousandths(container.resources?.requests?.['cpu']));
  if (newest?.state === 'running' && newest.resources.cpuShares !== shares) return [`${container.name} has ${newest.resources.cpuShares} shares of CPU instead of ${shares}`];
  const waiting = statuses?.find(({ name }) => name === container.name)?.state?.waiting?.reason ?? '';
  if (fate.kind === 'cannot') {
    const reasons = ['ErrImagePull', 'ImagePullBackOff', 'CreateContainerError', 'RunContainerError', 'CrashLoopBackOff'];
    return reasons.includes(waiting) ? [] : [`${container.name} cannot start and waits for ${waiting || 'nothing'}`];
  }
  if (newest === undefined) return [`${container.name} was never started`];
  if (newest.config.annotations[hashAnnotation] !== containerHash(container)) return [`${container.name} runs an old definition: ${newest.config.image.userSpecifiedImage || newest.imageName}`];
  if (newest.state === 'running') return newest.sandboxId === sandbox.id ? [] : [`${container.name} runs in an old sandbox`];
  if (newest.state === 'exited' && fate.kind === 'ends' && waiting === 'CrashLoopBackOff') return [];
  return [`${container.name} is ${newest.state} (exit code ${newest.exitCode}, ${waiting})`];
}

/** Whether the status of one container tells what its newest instance shows. */
function statusProblems(name: string, newest: Readonly<SimContainer> | undefined, statuses: readonly ContainerStatus[] = []): string[] {
  const status = statuses.find((each) => each.name === name);
  if (status === undefined) return [`no status of ${name}`];
  if (newest === undefined) return status.state?.running === undefined ? [] : [`${name} is said to run and does not exist`];
  const count = Number(newest.config.annotations[restartCountAnnotation]);
  const problems: string[] = [];
  if (status.restartCount !== count) problems.push(`${name} has ${count} restarts, told are ${status.restartCount}`);
  if ((status.state?.running !== undefined) !== (newest.state === 'running')) problems.push(`${name} is ${newest.state}, told is ${JSON.stringify(status.state)}`);
  if (newest.state === 'running' && status.containerID?.endsWith(`//${newest.id}`) !== true) problems.push(`${name} has another ID`);
  const told = status.state?.terminated ?? status.lastState?.terminated;
  if (newest.state === 'exited' && told?.exitCode !== newest.exitCode) problems.push(`${name} ended with ${newest.exitCode}, told is ${told?.exitCode ?? 'nothing'}`);
  return problems;
}

/** By attempt: times may have jumped. */
function newestOf({ containers }: Real, name: string): Readonly<SimContainer> | undefined {
  return containers.filter(({ config }) => config.metadata.name === name)
    .sort((a, b) => b.config.metadata.attempt - a.config.metadata.attempt || b.createdAtMs - a.createdAtMs)[0];
}

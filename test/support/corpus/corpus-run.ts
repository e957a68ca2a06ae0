// Runs one case of the corpus on a real node: applies it, looks at each fact in order, deletes it, and sees that nothing is left.
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ConfigMap, ContainerId, Pod, PodUid, Secret } from '../../../src/ports/pod-types.ts';
import { nodeName, type RealNode } from '../real-node.ts';
import { type CorpusCase, type Fact, factKind, filledIn } from './corpus-case.ts';
import { difference, referring } from './expected.ts';

const factMsMax = 15_000;
const endMsMax = 20_000;
/** The cloud is in this process; what costs a process is asked less often. */
const lookEveryMs = 25;
const runEveryMs = 200;
/** Of what is told of a fact that does not hold. */
const foundCharactersMax = 2_000;
const execMsMax = 10_000;

interface Running {
  readonly node: RealNode;
  readonly one: CorpusCase;
  /** As applied last, by name. */
  readonly pods: Map<string, Pod>;
  /** Names of pods that facts have deleted. */
  readonly deleted: Set<string>;
  /** Of all pods that were deleted. */
  readonly uids: Set<string>;
  readonly directory: string;
}

/** @throws with the file, the fact and what was seen last */
export async function runCase(node: RealNode, one: CorpusCase, values: Readonly<Record<string, string>>): Promise<void> {
  const directory = path.join(node.fixture.directory, 'corpus', one.file.replaceAll(/\W/g, '-'));
  await mkdir(directory, { recursive: true });
  const { pods, objects, facts } = filledIn(one, { ...values, DIR: directory });
  const running: Running = { node, one, pods: new Map(), deleted: new Set(), uids: new Set(), directory };
  if (one.prepare !== undefined) await onHost(running, one.prepare);
  for (const object of objects) put(running, object);
  for (const pod of pods) await apply(running, pod);
  try {
    for (const [index, fact] of facts.entries()) await look(running, fact, `${one.file}, fact ${index + 1}`);
  } finally {
    await clear(running);
  }
}

async function look(running: Running, fact: Fact, place: string): Promise<void> {
  const name = fact.pod ?? [...running.pods.keys()][0] ?? '';
  const until = Date.now() + (fact.within === undefined ? factMsMax : fact.within * 1_000);
  const kind = factKind(fact, place);
  if (kind === 'put' && fact.put !== undefined) return put(running, fact.put);
  if (kind === 'patch') return apply(running, merged(running.pods.get(name), fact.patch) as Pod); // A pod with some fields changed.
  if (kind === 'delete') return deleteOne(running, name, fact.delete ?? {}, place);
  for (;;) {
    const wanted = referring(fact, cloudPod(running, name));
    const found = await differenceOf(running, wanted, name);
    if (found === undefined) return;
    if (Date.now() > until) throw new Error(`${place}: ${found.slice(0, foundCharactersMax)}\n${eventsOf(running, name).map(({ reason, message }) => `${reason ?? ''}: ${message ?? ''}`).join('\n')}`);
    await delay(fact.status !== undefined || fact.object !== undefined || fact.event !== undefined || fact.log !== undefined ? lookEveryMs : runEveryMs);
  }
}

/** What is not as the fact says, yet. */
async function differenceOf(running: Running, fact: Fact, name: string): Promise<string | undefined> {
  const { status } = cloudPod(running, name) ?? {};
  if (fact.status !== undefined) return difference(fact.status, status, 'status');
  if (fact.object !== undefined) return difference(fact.object, cloudPod(running, name), 'object');
  if (fact.event !== undefined) return difference([fact.event], eventsOf(running, name), 'events');
  if (fact.log !== undefined) return difference(fact.prints, trimmed(logOf(running, name, fact.log)), 'log');
  if (fact.host !== undefined) return difference(fact.prints ?? '', trimmed(await onHost(running, fact.host).catch((error: unknown) => String(error))), 'output');
  if (fact.fetch !== undefined) return difference(fact.prints, await fetched(fact.fetch), 'answer');
  if (fact.inside !== undefined) return difference(fact.prints, await inside(running, name, fact.inside, fact.run ?? ''), 'output');
  return difference(fact.has, await ociOf(running, name, fact.oci ?? ''), 'oci');
}

async function fetched(url: string): Promise<string> {
  return fetch(url).then(async (answer) => trimmed(await answer.text()), (error: unknown) => String(error));
}

async function inside(running: Running, name: string, container: string, script: string): Promise<string> {
  const id = containerId(running, name, container);
  if (id === undefined) return `${container} has no ID yet`;
  const done = await running.node.cri.runtime.execSync(id, ['sh', '-c', script], { timeoutMs: execMsMax });
  return done.ok ? trimmed(done.value.stdout + done.value.stderr) : done.fault.message;
}

/** The OCI specification containerd has made of the container. */
async function ociOf(running: Running, name: string, container: string): Promise<unknown> {
  const id = containerId(running, name, container);
  if (id === undefined) return undefined;
  const { stdout } = await promisify(execFile)('ctr', ['-a', running.node.fixture.endpoint.replace('unix://', ''), '-n', 'k8s.io', 'containers', 'info', id]);
  return (JSON.parse(stdout) as { Spec: unknown }).Spec; // As ctr prints it.
}

function containerId(running: Running, name: string, container: string): ContainerId | undefined {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = cloudPod(running, name)?.status ?? {};
  const id = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find((each) => each.name === container)?.containerID;
  return id?.replace('containerd://', '') as ContainerId | undefined; // What the status shows is an ID.
}

/** What the newest instance of the container has printed. */
function logOf(running: Running, name: string, container: string): string {
  const directory = path.join(running.node.fixture.directory, 'logs', `${namespaceOf(running, name)}_${cloudName(running, name)}_${uidOf(running, name)}`, container);
  const newest = existsSync(directory) ? readdirSync(directory).map((file) => Number.parseInt(file, 10)).sort((a, b) => b - a)[0] : undefined;
  if (newest === undefined) return '';
  const lines = readFileSync(path.join(directory, `${newest}.log`), 'utf8').split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [, , part = '', ...text] = line.split(' ');
    return `${text.join(' ')}${part === 'P' ? '' : '\n'}`;
  }).join('');
}

/** Runs in the case's own directory; `$ROOT` is the agent's, `$POD` the first pod's there. */
async function onHost(running: Running, script: string): Promise<string> {
  const root = path.join(running.node.fixture.directory, 'root');
  const [name] = running.pods.keys();
  const uid = name === undefined ? '' : uidOf(running, name);
  const environment = { ...process.env, ROOT: root, POD: path.join(root, 'pods', uid) };
  const { stdout, stderr } = await promisify(execFile)('sh', ['-c', script], { cwd: running.directory, env: environment });
  return stdout + stderr;
}

function put({ node, one }: Running, object: ConfigMap | Secret): void {
  const kind = object.kind === 'Secret' ? 'Secret' : 'ConfigMap';
  const { stringData, ...rest } = object as Secret; // Only a secret has them.
  // The API server's own doing.
  const data = stringData === undefined ? {} : { data: { ...object.data, ...Object.fromEntries(Object.entries(stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')])) } };
  const given = node.cloud.applyObject(kind, { ...rest, ...data, metadata: { namespace: 'default', ...object.metadata } });
  if (!given.ok) throw new Error(`${one.file}: ${given.fault.message ?? ''}`);
}

async function apply(running: Running, pod: Pod): Promise<void> {
  const { node, one, pods } = running;
  const name = pod.metadata?.name ?? '';
  pods.set(name, pod);
  if (one.source === 'file') return node.manifest(`${name}.json`, JSON.stringify(pod));
  const applied = node.cloud.applyPod({ ...pod, metadata: { namespace: 'default', ...pod.metadata }, spec: { containers: [], ...pod.spec, nodeName } });
  if (!applied.ok) throw new Error(`${one.file}: ${applied.fault.message ?? ''}`);
}

async function deleteOne(running: Running, name: string, { mirror, graceSeconds, takesSeconds }: NonNullable<Fact['delete']>, place: string): Promise<void> {
  if (mirror === true) {
    running.node.cloud.deletePod(namespaceOf(running, name), cloudName(running, name), { graceMs: 0 });
    return;
  }
  const fromMs = performance.now();
  running.deleted.add(name);
  running.uids.add(uidOf(running, name));
  if (running.one.source === 'file') await rm(path.join(running.node.manifests, `${name}.json`), { force: true });
  else running.node.cloud.deletePod(namespaceOf(running, name), name, graceSeconds === undefined ? {} : { graceMs: graceSeconds * 1_000 });
  await settled(`${place}: ${name} is gone`, () => cloudPod(running, name) === undefined || JSON.stringify(cloudPod(running, name)?.status));
  const took = (performance.now() - fromMs) / 1_000;
  const [least, most] = takesSeconds ?? [0, Number.POSITIVE_INFINITY];
  if (took < least || took > most) throw new Error(`${place}: the end of ${name} took ${took.toFixed(2)} s, not ${least} to ${most}`);
}

/** Takes away what is left of the case; no sandbox, mount or directory of its pods may stay. */
async function clear(running: Running): Promise<void> {
  const { node, pods, deleted, uids, one, directory } = running;
  await Promise.all([...pods.keys()].filter((name) => !deleted.has(name)).map((name) => deleteOne(running, name, { graceSeconds: 1 }, one.file)));
  await unmountBelow(directory);
  for (const uid of [...uids].filter((each) => each !== '')) {
    await settled(`${one.file}: nothing is left of ${uid}`, async () => {
      const listed = await node.cri.runtime.listSandboxes({ podUid: uid as PodUid }); // Any string is a UID to the runtime.
      if (!listed.ok || listed.value.length > 0) return `sandboxes: ${JSON.stringify(listed)}`;
      const places = ['pods', 'memory'].map((kind) => path.join(node.fixture.directory, 'root', kind, uid));
      const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => places.some((place) => line.includes(` ${place}/`)));
      if (mounts.length > 0) return `mounts: ${mounts.join('\n')}`;
      const left = places.filter(existsSync);
      return left.length === 0 || `directories: ${left.join(' ')}`;
    });
  }
}

/** What a case has mounted on the host by itself. */
async function unmountBelow(directory: string): Promise<void> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  const places = table.split('\n').map((line) => line.split(' ')[4] ?? '').filter((place) => place.startsWith(`${directory}/`));
  for (const place of places.reverse()) await promisify(execFile)('umount', ['-l', place]);
}

/** @param seen true when it is so; otherwise what there is instead */
async function settled(what: string, seen: () => true | string | undefined | Promise<true | string | undefined>): Promise<void> {
  const until = Date.now() + endMsMax;
  for (;;) {
    const last = await seen();
    if (last === true) return;
    if (Date.now() > until) throw new Error(`not within ${endMsMax} ms: ${what}: ${String(last)}`);
    await delay(lookEveryMs);
  }
}

/** The name the cloud knows: static pods carry the node's behind their own. */
const cloudName = ({ one }: Running, name: string): string => (one.source === 'file' ? `${name}-${nodeName}` : name);
const namespaceOf = ({ pods }: Running, name: string): string => pods.get(name)?.metadata?.namespace ?? 'default';

function cloudPod(running: Running, name: string): Pod | undefined {
  const [wanted, namespace] = [cloudName(running, name), namespaceOf(running, name)];
  return running.node.cloud.pods().find(({ metadata }) => metadata?.name === wanted && metadata.namespace === namespace);
}

/** The UID the node works with: of a static pod the hash, which the mirror pod carries. */
function uidOf(running: Running, name: string): string {
  const { metadata } = cloudPod(running, name) ?? {};
  return metadata?.annotations?.['kubernetes.io/config.hash'] ?? metadata?.uid ?? '';
}

function eventsOf(running: Running, name: string) {
  return running.node.cloud.events().filter(({ involvedObject }) => involvedObject.name === cloudName(running, name));
}

/** RFC 7396. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {}) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

const trimmed = (text: string): string => text.split('\n').map((line) => line.trimEnd()).join('\n').trim();

// `mqlet get pods|nodes|events`: tables, whole objects, and watching. Asks the node; decides nothing.
import { stringify } from 'yaml';
import { age } from '../demo/table.ts';
import type { EventsAnswer, NodeAnswer, PodRow, PodsAnswer } from '../ports/admin-answers.ts';
import type { Why } from '../ports/why.ts';
import type { Event } from '../ports/pod-types.ts';
import { parseRfc3339 } from '../ports/rfc3339.ts';
import type { AdminClient, Newer } from './admin-client.ts';
import { columns } from './columns.ts';
import { kindAndName, type VerbOptions } from './options.ts';
import { Refusal, wrongUsage } from './refusal.ts';
import type { Terminal } from './terminal.ts';

/** One question of a watcher; then it asks again. */
const watchSeconds = 30;

const kinds: Readonly<Record<string, 'pods' | 'nodes' | 'events'>> = {
  pods: 'pods', pod: 'pods', po: 'pods', nodes: 'nodes', node: 'nodes', no: 'nodes', events: 'events', event: 'events', ev: 'events',
};

export interface VerbWorld {
  readonly client: AdminClient;
  readonly terminal: Terminal;
}

/** @throws Refusal */
export async function runGet(options: VerbOptions, world: VerbWorld): Promise<number> {
  const [word, name, ...more] = kindAndName(options.words);
  const kind = kinds[word ?? ''];
  if (kind === undefined) throw wrongUsage(word === undefined ? 'get what? mqlet get pods|nodes|events' : `there is no kind "${word}"; mqlet get pods|nodes|events`);
  if (more.length > 0) throw wrongUsage(`too many words: ${more.join(' ')}`);
  if (options.watch && (options.output === 'json' || options.output === 'yaml')) throw wrongUsage('-w prints tables; leave -o json and yaml out');
  if (kind === 'pods') return getPods(options, world, name);
  if (name !== undefined && kind === 'events') throw wrongUsage('events have no name to get; mqlet describe pod NAME shows those of one pod');
  return kind === 'nodes' ? getNode(options, world, name) : getEvents(options, world);
}

async function getPods(options: VerbOptions, { client, terminal }: VerbWorld, name: string | undefined): Promise<number> {
  const wanted = ({ namespace, name: rowName }: PodRow): boolean => (options.allNamespaces || namespace === options.namespace) && (name === undefined || rowName === name);
  const whole = options.output === 'json' || options.output === 'yaml';
  const answer = await client.pods({ full: whole, why: options.output === 'wide' });
  const rows = answer.items.filter(wanted);
  if (name !== undefined && rows.length === 0) throw new Refusal(`pod ${options.namespace}/${name} was not found`);
  if (whole) {
    const objects = answer.items.flatMap((row, index) => (wanted(row) ? [answer.objects?.[index]] : []));
    terminal.print(objectText(name === undefined ? list(objects) : objects[0], options.output));
    return 0;
  }
  if (rows.length === 0 && !options.watch) terminal.complain(options.allNamespaces ? 'No pods.' : `No pods in namespace ${options.namespace}; -A shows all namespaces.`);
  else terminal.print(columns([podHeader(options), ...rows.map((row) => podCells(row, options, { nowMs: terminal.nowMs(), why: whyOf(answer, row) }))]));
  return options.watch ? watchPods(options, { client, terminal }, { answer, wanted }) : 0;
}

/** Prints a row each time it has changed, as kubectl does, until the process is ended. */
async function watchPods(options: VerbOptions, { client, terminal }: VerbWorld, start: { readonly answer: PodsAnswer; wanted(row: PodRow): boolean }): Promise<never> {
  let known = new Map(start.answer.items.filter(start.wanted).map((row) => [row.uid, row]));
  let after = start.answer.revision;
  for (;;) {
    const answer = await client.pods({ newer: { after, waitSeconds: watchSeconds }, why: options.output === 'wide' });
    after = answer.revision;
    const now = new Map(answer.items.filter(start.wanted).map((row) => [row.uid, row]));
    const changed = [...now.values()].filter((row) => JSON.stringify(row) !== JSON.stringify(known.get(row.uid)));
    const gone = [...known.values()].filter(({ uid }) => !now.has(uid)).map((row) => ({ ...row, status: 'Deleted' }));
    if (changed.length + gone.length > 0) terminal.print(columns([...changed, ...gone].map((row) => podCells(row, options, { nowMs: terminal.nowMs(), why: whyOf(answer, row) }))));
    known = now;
  }
}

function podHeader({ allNamespaces, output }: VerbOptions): string[] {
  return [...(allNamespaces ? ['NAMESPACE'] : []), 'NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'SOURCE', ...(output === 'wide' ? ['IP', 'NODE', 'STATE', 'ORIGIN', 'WAITS FOR'] : [])];
}

/** With `-o wide` alone. */
function whyOf({ items, whys }: PodsAnswer, { uid }: PodRow): Why | undefined {
  return whys?.[items.findIndex((item) => item.uid === uid)];
}

function podCells(row: PodRow, { allNamespaces, output }: VerbOptions, { nowMs, why }: { readonly nowMs: number; readonly why: Why | undefined }): string[] {
  const restarted = row.lastRestartAtMs === 0 ? '' : ` (${age(nowMs - row.lastRestartAtMs)} ago)`;
  return [
    ...(allNamespaces ? [row.namespace] : []),
    row.name, `${row.readyContainers}/${row.containers}`, row.status, `${row.restarts}${restarted}`, ageSince(row.createdAtMs, nowMs), row.source,
    ...(output === 'wide' ? [row.ip || '<none>', row.node || '<none>', row.state || '<none>', row.origin, waitsText(why, nowMs)] : []),
  ];
}

/** `restart 3 of web (in 12s)`: what is waited for, and when the next thing is done about it. */
function waitsText(why: Why | undefined, nowMs: number): string {
  if (why === undefined || why.waitingFor === '') return '<none>';
  return why.next.atMs > nowMs ? `${why.waitingFor} (in ${age(why.next.atMs - nowMs)})` : why.waitingFor;
}

async function getNode(options: VerbOptions, { client, terminal }: VerbWorld, name: string | undefined): Promise<number> {
  const answer = await client.node();
  if (name !== undefined && name !== answer.nodeName) throw new Refusal(`node ${name} was not found; this is ${answer.nodeName}`);
  if (options.output === 'json' || options.output === 'yaml') {
    if (answer.node === undefined) throw new Refusal('the node has not computed its status yet; try again in a moment');
    const object = { apiVersion: 'v1', kind: 'Node', ...answer.node };
    terminal.print(objectText(name === undefined ? list([object]) : object, options.output));
    return 0;
  }
  terminal.print(columns([nodeHeader(options), nodeCells(answer, options)]));
  if (!options.watch) return 0;
  return watch(answer, (newer) => client.node(newer), (before, now) => {
    const cells = nodeCells(now, options);
    if (cells.join() !== nodeCells(before, options).join()) terminal.print(columns([cells]));
  });
}

function nodeHeader({ output }: VerbOptions): string[] {
  return ['NAME', 'STATUS', 'MQTT', 'PODS', 'VERSION', ...(output === 'wide' ? ['INTERNAL-IP', 'OS-IMAGE', 'KERNEL-VERSION', 'CONTAINER-RUNTIME', 'EVENTS'] : [])];
}

function nodeCells({ nodeName, node, registered, link, runtime, pods, version }: NodeAnswer, { output }: VerbOptions): string[] {
  const ready = node?.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
  const mqtt = link === undefined ? '<none>' : link.state === 'up' ? (registered ? 'up' : 'up, not registered') : link.state;
  const info = node?.status?.nodeInfo;
  return [
    nodeName, ready ? 'Ready' : 'NotReady', mqtt, String(pods), version,
    ...(output === 'wide' ? [
      node?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '<none>',
      info?.osImage || '<unknown>', info?.kernelVersion || '<unknown>', info?.containerRuntimeVersion || '<unknown>', runtime?.streaming === true ? 'streamed' : 'listed',
    ] : []),
  ];
}

async function getEvents(options: VerbOptions, { client, terminal }: VerbWorld): Promise<number> {
  const wanted = ({ metadata }: Event): boolean => options.allNamespaces || (metadata.namespace ?? 'default') === options.namespace;
  const answer = await client.events();
  const events = answer.items.filter(wanted);
  if (options.output === 'json' || options.output === 'yaml') {
    terminal.print(objectText(list(events.map((event) => ({ apiVersion: 'v1', kind: 'Event', ...event }))), options.output));
    return 0;
  }
  if (events.length === 0 && !options.watch) terminal.complain(`No events${options.allNamespaces ? '' : ` in namespace ${options.namespace}; -A shows all namespaces`}.`);
  else terminal.print(columns([eventHeader(options), ...events.map((event) => eventCells(event, options, terminal.nowMs()))]));
  if (!options.watch) return 0;
  return watch(answer, (newer) => client.events(newer), (before: EventsAnswer, now) => {
    const seen = new Set(before.items.map((event) => JSON.stringify(event)));
    const fresh = now.items.filter((event) => wanted(event) && !seen.has(JSON.stringify(event)));
    if (fresh.length > 0) terminal.print(columns(fresh.map((event) => eventCells(event, options, terminal.nowMs()))));
  });
}

function eventHeader({ allNamespaces, output }: VerbOptions): string[] {
  return [...(allNamespaces ? ['NAMESPACE'] : []), 'LAST SEEN', 'TYPE', 'REASON', 'OBJECT', ...(output === 'wide' ? ['COUNT'] : []), 'MESSAGE'];
}

function eventCells(event: Event, { allNamespaces, output }: VerbOptions, nowMs: number): string[] {
  const { involvedObject, metadata, type = '', reason = '', message = '', count = 1 } = event;
  const object = `${(involvedObject.kind ?? '').toLowerCase()}/${involvedObject.name ?? ''}`;
  return [
    ...(allNamespaces ? [metadata.namespace ?? 'default'] : []), ageSince(parseRfc3339(event.lastTimestamp ?? '') ?? 0, nowMs), type, reason, object,
    ...(output === 'wide' ? [String(count)] : []), message.replaceAll('\n', ' '),
  ];
}

async function watch<Answer extends { readonly revision: number }>(
  first: Answer,
  ask: (newer: Newer) => Promise<Answer>,
  changed: (before: Answer, now: Answer) => void,
): Promise<never> {
  for (let before = first; ;) {
    const now = await ask({ after: before.revision, waitSeconds: watchSeconds });
    changed(before, now);
    before = now;
  }
}

function ageSince(sinceMs: number, nowMs: number): string {
  return sinceMs === 0 ? '<unknown>' : age(nowMs - sinceMs);
}

function list(items: readonly unknown[]): object {
  return { apiVersion: 'v1', kind: 'List', metadata: {}, items };
}

function objectText(object: unknown, output: VerbOptions['output']): string {
  return output === 'json' ? `${JSON.stringify(object, null, 2)}\n` : stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });
}

// `mqlet describe pod NAME` and `mqlet describe node`: everything the node knows of a pod or of itself, and why it is where it is.
import { age } from '../demo/table.ts';
import type { NodeAnswer, PodDetails } from '../ports/admin-answers.ts';
import type { Container, ContainerState, ContainerStatus, PodCondition } from '../ports/pod-types.ts';
import { parseRfc3339, rfc3339Seconds } from '../ports/rfc3339.ts';
import { columns, fields } from './columns.ts';
import type { VerbWorld } from './get.ts';
import { kindAndName, type VerbOptions } from './options.ts';
import { Refusal, wrongUsage } from './refusal.ts';

/** @throws Refusal */
export async function runDescribe(options: VerbOptions, { client, terminal }: VerbWorld): Promise<number> {
  const [kind, name, ...more] = kindAndName(options.words);
  if (kind === 'node' || kind === 'nodes' || kind === 'no') return describeNode(more.length > 0 ? undefined : (name ?? ''), { client, terminal });
  if (kind !== 'pod' && kind !== 'pods' && kind !== 'po') throw wrongUsage('describe what? mqlet describe pod NAME [-n NAMESPACE], or mqlet describe node');
  if (name === undefined || more.length > 0) throw wrongUsage('describe which pod? mqlet describe pod NAME [-n NAMESPACE]');
  const details = await client.pod({ namespace: options.namespace, name });
  if (details === undefined) throw new Refusal(`pod ${options.namespace}/${name} was not found`);
  terminal.print(details.items.map((one) => podText(one, terminal.nowMs())).join('\n\n'));
  return 0;
}

/** @param name empty: this one, whatever its name */
async function describeNode(name: string | undefined, { client, terminal }: VerbWorld): Promise<number> {
  if (name === undefined) throw wrongUsage('too many words: mqlet describe node');
  const answer = await client.node();
  if (name !== '' && name !== answer.nodeName) throw new Refusal(`node ${name} was not found; this is ${answer.nodeName}`);
  terminal.print(nodeText(answer));
  return 0;
}

/** The node as text. */
export function nodeText({ nodeName, why, version, registered, link, runtime, pods, node }: NodeAnswer): string {
  const nextAttempt = link?.state === 'up' || link === undefined ? '' : `, ${link.reason || 'no reason yet'}`;
  return fields([
    ['Name', nodeName],
    ['Why', why.sentence],
    ['Version', version],
    ['Registered', String(registered)],
    ['Broker', link === undefined ? '<none>' : `${link.state}${nextAttempt}`],
    ['Runtime', runtime === undefined ? '<unknown>' : runtime.message || 'ready'],
    ['Pods', String(pods)],
  ]) + conditionsText(node?.status?.conditions ?? []);
}

/** One pod as text. */
export function podText(details: PodDetails, nowMs: number): string {
  const { row, pod, why, lastPlan } = details;
  const { metadata = {}, spec, status } = pod;
  return [
    fields([
      ['Name', row.name],
      ['Namespace', row.namespace],
      ['UID', row.uid],
      ['Why', why.sentence],
      ['Source', row.source === row.origin ? row.source : `${row.source} (${row.origin})`],
      ['Status', row.status],
      ...(status?.reason ? [['Reason', status.reason] as const] : []),
      ...(status?.message ? [['Message', status.message] as const] : []),
      ['State', row.state || '<none>'],
      ...(metadata.deletionTimestamp === undefined ? [] : [['Deletion', `by ${metadata.deletionTimestamp}, grace period ${metadata.deletionGracePeriodSeconds ?? 0} s`] as const]),
      ['Node', `${row.node || '<none>'}${status?.hostIP ? `/${status.hostIP}` : ''}`],
      ['Started', status?.startTime ?? '<none>'],
      ['IP', (status?.podIPs ?? []).map(({ ip }) => ip).join(', ') || row.ip || '<none>'],
      ['QoS class', status?.qosClass ?? '<none>'],
      ['Restart policy', spec?.restartPolicy ?? 'Always'],
      ['Labels', pairs(metadata.labels)],
      ['Annotations', pairs(metadata.annotations)],
    ]),
    containersText('Init containers', spec?.initContainers ?? [], status?.initContainerStatuses ?? []),
    containersText('Containers', spec?.containers ?? [], status?.containerStatuses ?? []),
    containersText('Ephemeral containers', spec?.ephemeralContainers ?? [], status?.ephemeralContainerStatuses ?? []),
    conditionsText(status?.conditions ?? []),
    transitionsText(details, nowMs),
    lastPlan === undefined ? '' : `Last plan (${age(nowMs - lastPlan.atMs)} ago):\n${lastPlan.steps.map((step) => `  ${step}\n`).join('')}`,
    eventsText(details, nowMs),
  ].filter((part) => part !== '').join('');
}

function pairs(record: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(record ?? {}).map(([key, value]) => `${key}=${value}`).join(', ') || '<none>';
}

function containersText(title: string, containers: readonly Pick<Container, 'name' | 'image' | 'command' | 'args'>[], statuses: readonly ContainerStatus[]): string {
  if (containers.length === 0) return '';
  return `${title}:\n${containers.map((container) => {
    const status = statuses.find(({ name }) => name === container.name);
    return `  ${container.name}:\n${fields([
      ['Image', container.image ?? ''],
      ['Image ID', status?.imageID || '<none>'],
      ['Container ID', status?.containerID ?? '<none>'],
      ['Ready', String(status?.ready ?? false)],
      ['Restarts', String(status?.restartCount ?? 0)],
      ['State', stateText(status?.state)],
      ...(status?.lastState === undefined || Object.keys(status.lastState).length === 0 ? [] : [['Last state', stateText(status.lastState)] as const]),
      ...(container.command === undefined ? [] : [['Command', [...container.command, ...(container.args ?? [])].join(' ')] as const]),
    ], '    ')}`;
  }).join('')}`;
}

function stateText(state: ContainerState | undefined): string {
  if (state?.running !== undefined) return `running since ${state.running.startedAt ?? '<unknown>'}`;
  if (state?.terminated !== undefined) {
    const { exitCode, reason, message, finishedAt } = state.terminated;
    return `terminated with exit code ${exitCode}${reason ? ` (${reason})` : ''}${finishedAt === undefined ? '' : ` at ${finishedAt}`}${message ? `: ${message}` : ''}`;
  }
  if (state?.waiting === undefined) return '<none>';
  return `waiting${state.waiting.reason ? `: ${state.waiting.reason}` : ''}${state.waiting.message ? `: ${state.waiting.message}` : ''}`;
}

function conditionsText(conditions: readonly Pick<PodCondition, 'type' | 'status' | 'lastTransitionTime' | 'reason' | 'message'>[]): string {
  if (conditions.length === 0) return '';
  const rows = conditions.map(({ type, status: value, lastTransitionTime = '', reason = '', message = '' }) => [`  ${type}`, value, lastTransitionTime, reason, message]);
  return `Conditions:\n${columns([['  TYPE', 'STATUS', 'SINCE', 'REASON', 'MESSAGE'], ...rows])}`;
}

function transitionsText({ transitions }: PodDetails, nowMs: number): string {
  if (transitions.length === 0) return '';
  const rows = transitions.map(({ atMs, from, to, on }) => [`  ${rfc3339Seconds(atMs)}`, `${age(nowMs - atMs)} ago`, from || '<none>', to, on]);
  return `Transitions:\n${columns([['  AT', 'AGE', 'FROM', 'TO', 'ON'], ...rows])}`;
}

function eventsText({ events }: PodDetails, nowMs: number): string {
  if (events.length === 0) return 'Events:  <none>\n';
  const rows = events.map(({ type = '', reason = '', count = 1, lastTimestamp = '', message = '' }) => {
    const since = age(nowMs - (parseRfc3339(lastTimestamp) ?? nowMs));
    return [`  ${type}`, reason, count === 1 ? since : `${since} (x${count})`, message.replaceAll('\n', ' ')];
  });
  return `Events:\n${columns([['  TYPE', 'REASON', 'AGE', 'MESSAGE'], ...rows])}`;
}

// What a replay prints of the agent it runs: what pods go through, or every message.
import type { AnyEnvelope } from '../bus/messages.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import type { Difference } from '../replay/differences.ts';
import { envelopeText } from '../replay/trace.ts';
import type { Terminal } from './terminal.ts';

/** Differences that are told one by one; more are counted. */
const shownMax = 200;

export function showMessage(envelope: AnyEnvelope, { messages }: { readonly messages: boolean }, { print }: Terminal): void {
  const at = rfc3339Seconds(envelope.at);
  if (messages) return print(`${at} ${envelopeText(envelope)}\n`);
  const { topic, payload } = envelope;
  if (topic === 'pod.transitioned') print(`${at} ${payload.pod.namespace}/${payload.pod.name}: ${payload.from} → ${payload.to} (${payload.on})\n`);
  if (topic === 'pod.planned') print(`${at} ${payload.pod.namespace}/${payload.pod.name}: ${payload.steps.join(', ')}\n`);
  if (topic === 'event.noted') print(`${at} ${payload.subject.kind === 'Pod' ? `${payload.subject.pod.namespace}/${payload.subject.pod.name}` : 'node'}: ${payload.type} ${payload.reason}: ${payload.message}\n`);
  if (topic === 'mqtt.link') print(`${at} link: ${payload.state}${payload.reason === '' ? '' : ` (${payload.reason})`}\n`);
  if (topic === 'input.refused') print(`${at} refused: ${payload.fault.origin}: ${payload.fault.field === undefined ? '' : `${payload.fault.field}: `}${payload.fault.message}\n`);
}

/** @param same what is printed where nothing differs @returns the exit code */
export function showDifferences(differences: readonly Difference[], same: string, terminal: Terminal): number {
  for (const difference of differences.slice(0, shownMax)) terminal.print(`${differenceText(difference)}\n`);
  if (differences.length > shownMax) terminal.print(`… and ${differences.length - shownMax} more\n`);
  const objects = new Set(differences.map(({ object }) => object)).size;
  terminal.print(differences.length === 0 ? `${same}\n` : `${differences.length} difference${differences.length === 1 ? '' : 's'} in ${objects} object${objects === 1 ? '' : 's'}\n`);
  return differences.length === 0 ? 0 : 1;
}

function differenceText({ object, place, field, recorded, now }: Difference): string {
  return `${object}${place === '' ? '' : ` (${place})`}${field === '' ? '' : `: ${field}`}\n  recorded: ${recorded}\n  now:      ${now}`;
}

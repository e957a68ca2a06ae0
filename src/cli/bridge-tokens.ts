// `mqlet bridge token` and `mqlet bridge node`: who may join, and who has. They work on the bridge's files, whether it runs or not.
import { parseArgs } from 'node:util';
import { tokenLifeMs, type TokenRecord } from '../bridge/join/token-store.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import { columns } from './columns.ts';
import { type JoinRoom, openJoinRoom } from './join-site.ts';
import { Refusal, wrongUsage } from './refusal.ts';
import type { Terminal } from './terminal.ts';

export const tokenUsage = `Usage: mqlet bridge token create [--ttl 24h] [--node NAME] [--description TEXT] [--print-join-command]
       mqlet bridge token list
       mqlet bridge token revoke ID…
       mqlet bridge node list
       mqlet bridge node revoke NAME…

      --ttl TIME               how long the token may be used, once: 30m, 24h, 7d. Default: 24h
      --node NAME              the only node it is for, also one that has joined before and does so again
      --description TEXT       for the list
      --print-join-command     the command for the device, instead of the token alone
      --data-dir DIR           of the bridge. Default: /var/lib/mqlet-bridge
  -o, --output json            of the lists
  -h, --help                   this text
`;

const text = { type: 'string' } as const;
const options = { ttl: text, node: text, description: text, 'print-join-command': { type: 'boolean' }, 'data-dir': text, output: { type: 'string', short: 'o' }, help: { type: 'boolean', short: 'h' } } as const;

/** @param argv from `token` or `node` on @returns the exit code @throws Refusal */
export async function runBridgeTokens(argv: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals: [what, verb, ...names] } = parsed(argv);
  if (values.help === true) {
    terminal.print(tokenUsage);
    return 0;
  }
  if (values.output !== undefined && values.output !== 'json') throw wrongUsage(`-o must be json, not "${values.output}"`);
  const opened = await openJoinRoom(values['data-dir'] ?? '/var/lib/mqlet-bridge');
  if (!opened.ok) throw new Refusal(opened.fault);
  const { value: room } = opened;
  switch (`${what} ${verb}`) {
    case 'token create': return create(room, values, terminal);
    case 'token list': return listTokens(room, values, terminal);
    case 'token revoke': return revokeTokens(room, names, terminal);
    case 'node list': return listNodes(room, values, terminal);
    case 'node revoke': return revokeNodes(room, names, terminal);
    default: throw wrongUsage(`mqlet bridge ${what} knows ${what === 'token' ? 'create, list and revoke' : 'list and revoke'} (see mqlet bridge token --help)`);
  }
}

type Values = ReturnType<typeof parsed>['values'];

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split(/\.\s/);
    throw wrongUsage(`${line.replace(/\.$/, '')} (see mqlet bridge token --help)`);
  }
}

async function create(room: JoinRoom, values: Values, terminal: Terminal): Promise<number> {
  const { node = '', description = '' } = values;
  if (node !== '' && !/^[a-z0-9]([-a-z0-9.]{0,238}[a-z0-9])?$/.test(node)) throw wrongUsage(`--node must be a DNS name in lower case, not "${node}"`);
  const facts = values['print-join-command'] === true ? await room.facts() : undefined;
  if (values['print-join-command'] === true && facts === undefined) throw new Refusal('no bridge has run here with --join-url, so that where devices join is not known; start it so once, or leave out --print-join-command');
  const made = await room.tokens.create({ lifeMs: lifeOf(values.ttl ?? '24h'), node, description });
  if (!made.ok) throw new Refusal(made.fault);
  const { token } = made.value;
  if (facts === undefined) terminal.print(`${token}\n`);
  else {
    const { joinUrl, rootTopic, pins } = facts;
    const words = ['mqlet', 'join', joinUrl, '--token', token, ...pins.flatMap((pin) => ['--discovery-ca-cert-hash', pin]), ...(rootTopic === 'mqlet' ? [] : ['--mqtt-root-topic', rootTopic]), ...(node === '' ? [] : ['--node-name', node])];
    terminal.print(`${words.map(quoted).join(' ')}\n`);
  }
  return 0;
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(word) ? word : `'${word.replaceAll('\'', '\'\\\'\'')}'`;
}

function lifeOf(given: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(given) ?? [];
  const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  const lifeMs = Number(count ?? 0) * (unitMs[unit] ?? 0);
  if (lifeMs > 0 && lifeMs <= tokenLifeMs.max) return lifeMs;
  throw wrongUsage(`--ttl must be a time such as 30m, 24h or 7d, at most 365d, not "${given}"`);
}

async function listTokens(room: JoinRoom, { output }: Values, terminal: Terminal): Promise<number> {
  const listed = await room.tokens.list();
  if (!listed.ok) throw new Refusal(listed.fault);
  const shown = listed.value.map((record) => ({
    id: record.id, state: stateOf(record, terminal.nowMs()), expires: rfc3339Seconds(record.expiresAtMs), node: record.usedBy === '' ? record.node : record.usedBy, description: record.description,
  }));
  if (output === 'json') terminal.print(`${JSON.stringify({ tokens: shown }, undefined, 2)}\n`);
  else terminal.print(columns([['ID', 'STATE', 'EXPIRES', 'NODE', 'DESCRIPTION'], ...shown.map(({ id, state, expires, node, description }) => [id, state, expires, node, description])]));
  return 0;
}

function stateOf({ state, expiresAtMs }: TokenRecord, nowMs: number): string {
  return state === 'new' && nowMs >= expiresAtMs ? 'expired' : state;
}

async function revokeTokens(room: JoinRoom, ids: readonly string[], terminal: Terminal): Promise<number> {
  if (ids.length === 0) throw wrongUsage('which? mqlet bridge token revoke ID…, the part before the dot');
  for (const id of ids) {
    // The whole token is taken for its name: that is what people have at hand.
    const [name = ''] = id.split('.');
    const revoked = await room.tokens.revoke(name);
    if (!revoked.ok) throw new Refusal(revoked.fault);
    if (!revoked.value) throw new Refusal(`there is no token ${name}`);
    terminal.print(`token ${name} lets nobody in any more\n`);
  }
  return 0;
}

async function listNodes(room: JoinRoom, { output }: Values, terminal: Terminal): Promise<number> {
  const listed = await room.ledger.list();
  if (!listed.ok) throw new Refusal(listed.fault);
  const shown = listed.value.map(({ node, certificates }) => {
    const good = certificates.filter(({ revokedAtMs }) => revokedAtMs === 0);
    const state = good.length > 0 ? 'joined' : certificates.length > 0 ? 'revoked' : 'expired';
    return { node, state, certificates: good.length, until: good.length === 0 ? '' : rfc3339Seconds(Math.max(...good.map(({ notAfterMs }) => notAfterMs))) };
  });
  if (output === 'json') terminal.print(`${JSON.stringify({ nodes: shown }, undefined, 2)}\n`);
  else terminal.print(columns([['NODE', 'STATE', 'CERTIFICATES', 'UNTIL'], ...shown.map(({ node, state, certificates, until }) => [node, state, String(certificates), until])]));
  return 0;
}

async function revokeNodes(room: JoinRoom, names: readonly string[], terminal: Terminal): Promise<number> {
  if (names.length === 0) throw wrongUsage('which? mqlet bridge node revoke NAME…');
  for (const name of names) {
    if (!/^[a-z0-9]([-a-z0-9.]{0,238}[a-z0-9])?$/.test(name)) throw wrongUsage(`"${name}" is no name of a node`);
    const revoked = await room.ledger.revoke(name);
    if (!revoked.ok) throw new Refusal(revoked.fault);
    const { taken, unreadable } = revoked.value;
    for (const line of unreadable) terminal.print(`not in the list of what is taken back: ${line}\n`);
    if (taken === 0) throw new Refusal(`there is no node ${name} with a certificate that is good`);
    terminal.print(`node ${name}: ${taken} certificate${taken === 1 ? '' : 's'} revoked\n`);
  }
  terminal.print(`${room.ledger.listPath} is written anew; let the broker read it (mosquitto: SIGHUP), and end the connections that are open there\n`);
  return 0;
}

// Recordings that are none, are damaged, or are made to harm: one clear line with file and line number, and nothing else happens.
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apply, deleteInCloud, simPod } from '../sim/offline-world.ts';
import type { World } from '../sim/world.ts';
import { recordedEverything, recordedWorld, type ReplayedCommand, replayCommand } from '../support/recorded-traffic.ts';

let everything: readonly string[] = [];
let packets: readonly string[] = [];

/** A replay hears of what fails in the agent; the test runner shall not hear of it too. */
const events = ['unhandledRejection', 'uncaughtException'] as const;
const others = new Map<string, readonly ((...args: unknown[]) => void)[]>();

beforeAll(async () => {
  for (const event of events) {
    // Listeners of the process take what the process gives them.
    others.set(event, process.listeners(event as 'exit') as ((...args: unknown[]) => void)[]);
    process.removeAllListeners(event);
  }
  everything = await recordedEverything('hostile', { dialect: 'lite' }, shortLife);
  const { world, own } = await recordedWorld('hostile', { dialect: 'lite' });
  await shortLife(world);
  packets = own;
});
afterAll(() => {
  for (const event of events) for (const listener of others.get(event) ?? []) process.on(event, listener);
});

async function shortLife(world: World): Promise<void> {
  world.startDaemon();
  await world.pass(3_000);
  apply(world, simPod('web'));
  await world.pass(5_000);
  deleteInCloud(world, 'web');
  await world.pass(5_000);
  await world.stopDaemon({ downMs: 1_000_000 });
}

const changed = (lines: readonly string[], at: number, line: string): readonly string[] => [...lines.slice(0, at), line, ...lines.slice(at + 1)];
const header = (fields: object): string => JSON.stringify({ recording: 1, made: 'v0.1.0', kind: 'all', at: '', masked: false, ...fields });
const packet = (fields: object): string => JSON.stringify({ k: 'packet', now: 1_767_225_600_000, dir: 'down', topic: 'fleet/ctl/edge-07', qos: 1, retain: false, base64: '', ...fields });
const indexOfKind = (kind: string): number => everything.findIndex((line) => line.startsWith(`{"k":"${kind}"`));
const withField = (kind: string, field: string, value: string): readonly string[] => {
  const at = indexOfKind(kind);
  return changed(everything, at, (everything[at] ?? '').replace(new RegExp(`"${field}":[^,}]+`), `"${field}":${value}`));
};
const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
const bytes = (text: string): Uint8Array => Buffer.from(text);

type Row = readonly [name: string, recording: () => Uint8Array | readonly string[], line: RegExp, flags?: readonly string[]];

/** Each with the one line it leads to. */
const rows: readonly Row[] = [
  ['an empty file', () => new Uint8Array(), /^recording\.jsonl:1: the file is empty$/],
  ['blank lines', () => bytes('\n \r\n\t\n'), /^recording\.jsonl:1: the file is empty$/],
  ['another text', () => ['hello'], /^recording\.jsonl:1: the line is not JSON/],
  ['a picture', () => Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0]), /^recording\.jsonl:1: the line is not UTF-8$/],
  ['text in UTF-16', () => Buffer.from('{"recording":1}\n', 'utf16le'), /^recording\.jsonl:1: the line is not JSON/],
  ['a list', () => ['[1,2]'], /^recording\.jsonl:1: the line is no JSON object$/],
  ['another object', () => ['{"a":1}'], /^recording\.jsonl:1: the line is neither a packet of ours nor one of mosquitto_sub -F %j$/],
  ['a later format', () => [header({ recording: 2 })], /^recording\.jsonl:1: the recording has format 2; this version reads 1$/],
  ['a format in words', () => [header({ recording: 'one' })], /^recording\.jsonl:1: the header has no field recording with the version of the format$/],
  ['an unknown kind', () => [header({ kind: 'some' })], /^recording\.jsonl:1: the header's kind is "some"; mqtt and all are known$/],
  ['a header without an agent', () => [header({})], /^recording\.jsonl:1: the header says nothing of the agent/],
  ['settings that are none', () => [header({ agent: { settings: null, has: [] } })], /^recording\.jsonl:1: the header says nothing of the agent/],
  ['empty settings', () => [header({ agent: { settings: {}, has: ['files'] } }), '{"k":"start","ms":0,"now":0}'], /^entry 1, line 2 differs/],
  ['settings of another shape', () => [header({ agent: { settings: { node: 7, identity: [] }, has: [] } }), '{"k":"start","ms":0,"now":0}'], /^entry 1, line 2 differs/],
  ['an unknown entry', () => changed(everything, 5, '{"k":"miracle"}'), /^recording\.jsonl:6: the kind of entry "miracle" is not known/],
  ['an entry named as a property', () => changed(everything, 5, '{"k":"__proto__","ms":1,"now":1}'), /^recording\.jsonl:6: the kind of entry "__proto__" is not known/],
  ['a number in words', () => withField('answer', 'n', '"one"'), /^recording\.jsonl:\d+: the field n of an entry "answer" is missing or of a wrong type/],
  ['a number without end', () => withField('timer', 'ms', '1e999'), /^recording\.jsonl:\d+: the field ms of an entry "timer" is missing or of a wrong type/],
  ['a time before time', () => withField('answer', 'now', '-1e300'), /^recording\.jsonl:\d+: the field now of an entry "answer" is missing or of a wrong type/],
  ['a value of great depth', () => changed(everything, 5, `{"k":"answer","ms":1,"now":1,"n":1,"value":${deep}}`), /^recording\.jsonl:6: the line nests deeper than 256 levels/],
  ['a line without end', () => Buffer.concat([bytes(`${everything[0] ?? ''}\n`), Buffer.alloc(65 * 1024 * 1024, 0x61)]), /^recording\.jsonl:2: the line is longer than 67108864 bytes/],
  ['bytes that are no text', () => Buffer.concat([bytes(`${everything.slice(0, 3).join('\n')}\n{"k":"timer`), Buffer.from([0xff, 0xfe, 0x0a]), bytes(everything.slice(3).join('\n'))]), /^recording\.jsonl:4: the line is not UTF-8/],
  ['a line that is torn', () => changed(everything, 9, (everything[9] ?? '').slice(0, 20)), /^recording\.jsonl:10: the line is not JSON/],
  ['a line that is missing', () => everything.filter((_line, index) => index !== 20), /^entry \d+, line \d+ differs/],
  ['lines in another order', () => [everything[0] ?? '', ...everything.slice(1).reverse()], /^entry 1, line 2 differs/],
  ['a line twice', () => [...everything.slice(0, indexOfKind('answer') + 1), everything[indexOfKind('answer')] ?? '', ...everything.slice(indexOfKind('answer') + 1)], /^entry \d+, line \d+ differs/],
  ['an answer to nobody', () => withField('answer', 'n', '999999'), /^entry \d+, line \d+ differs/],
  ['an event for nobody', () => withField('event', 'callback', '999999'), /^entry \d+, line \d+ differs/],
  ['a timer that is not set', () => withField('timer', 'n', '999999'), /^entry \d+, line \d+ differs/],
  ['answers without content', () => everything.map((line) => (line.startsWith('{"k":"answer"') ? line.replace(/"value":.*?,"ms"/, '"value":null,"ms"') : line)), /^entry \d+, line \d+ differs/],
  ['packed data that ends early', () => gzipSync(everything.join('\n')).subarray(0, 2_000), /^recording\.jsonl: the packed data ends early$/],
  ['packed data that is damaged', () => gzipSync(everything.join('\n')).map((byte, index) => (index > 500 && index < 520 ? 0 : byte)), /^recording\.jsonl: the packed data is damaged$/],
  ['packed data of zeros alone', () => gzipSync(Buffer.alloc(65 * 1024 * 1024)), /^recording\.jsonl:1: the line is longer than 67108864 bytes$/],
  ['packed data of nothing', () => gzipSync(''), /^recording\.jsonl:1: the file is empty$/],
  ['a capture that ends in its header', () => Uint8Array.from([0xd4, 0xc3, 0xb2, 0xa1, 2, 0]), /^recording\.jsonl: the capture ends within its header$/],
  ['a packet for all topics', () => [packet({ topic: '#' })], /^recording\.jsonl:1: the field topic must be a topic without wildcards$/],
  ['a topic that is too long', () => [packet({ topic: 'a'.repeat(70_000) })], /^recording\.jsonl:1: the field topic is longer than 65535 bytes$/],
  ['a payload that is no base64', () => [packet({ base64: '***' })], /^recording\.jsonl:1: the field base64 is no base64$/],
  ['a packet from nowhere', () => [packet({ dir: 'left' })], /^recording\.jsonl:1: the field dir must be up or down$/],
  ['a packet at no time', () => [packet({ now: 'then' })], /^recording\.jsonl:1: the field now must be a number of milliseconds$/],
  ['a link in between', () => [...packets.slice(0, 4), '{"k":"link","now":1,"state":"half"}', ...packets.slice(4)], /^recording\.jsonl:5: the field state must be up or down/],
  ['a payload cut by mosquitto_sub', () => ['{"tst":"2026-01-01T00:00:00.000000+0000","topic":"a","qos":0,"retain":0,"payloadlen":9,"payload":"a"}'], /^recording\.jsonl:1: the payload has 1 of its 9 bytes/],
  ['a clock that leaps', () => [...packets, packet({ now: 1_967_225_600_000 })], /^recording\.jsonl:\d+: it is \d+ days after the line before/],
  ['packets of nobody we know', () => [packet({ topic: 'weather/today', base64: '', text: 'sun' })], /^recording\.jsonl: no packet of a node in a dialect of ours is in it/],
  ['a header alone', () => [header({ kind: 'mqtt' })], /^recording\.jsonl: no packet of a node in a dialect of ours is in it/],
  ['settings of another shape, with packets', () => [header({ kind: 'mqtt', agent: { settings: { node: 7 }, has: [] } }), ...packets.slice(1)], /^recording\.jsonl: this version fails on it: /],
  ['an export of what is torn', () => changed(packets, 4, '{"k":"pack'), /^recording\.jsonl:5: the line is not JSON/, ['--export']],
  ['an export of something else', () => ['hello'], /^recording\.jsonl:1: the line is not JSON/, ['--export']],
];

/** Standard error without the name of the command. */
const complaint = ({ stderr }: ReplayedCommand): string => stderr.replace(/^mqlet replay: /, '').trimEnd();

describe('a recording that is none of ours, or was', () => {
  it.each(rows.map(([name, recording, line, flags = []]) => ({ name, recording, line, flags })))('given $name, when it is replayed, then one clear line says what is wrong and where', async ({ recording, line, flags }) => {
    const outcome = await replayCommand(recording(), flags);
    expect(complaint(outcome)).toMatch(line);
    expect(outcome.code).toBe(1);
    // A difference has two lines of its own: what was recorded, and what is now.
    expect(complaint(outcome).split('\n').length).toBe(complaint(outcome).startsWith('entry ') ? 3 : 1);
  });

  it('given hostile payloads among the packets, when they are replayed, then the agent refuses each and goes on', async () => {
    const payloads = [gzipSync(Buffer.alloc(64 * 1024 * 1024)), gzipSync(`{"data_type":${deep}}`), bytes('\u001f\u008b'), gzipSync('a: &a [*a]'), Buffer.alloc(0), gzipSync('{"data_type":"pod","pod_data":{"metadata":{"name":"../../etc"}}}')];
    const hostile = payloads.map((payload, index) => packet({ now: 1_767_225_602_000 + index, base64: payload.toString('base64') }));
    const { code, stdout } = await replayCommand([...packets.slice(0, 8), ...hostile, ...packets.slice(8)]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/default\/web: .*→ done /);
    expect(stdout.match(/ refused: fleet\/ctl\/edge-07: /g)?.length).toBeGreaterThan(3);
  });

  it.each([['a recording of everything', () => everything], ['packets', () => packets]])('given %s whose last line was cut off by a kill, when it is replayed, then all before it is', async (_name, lines) => {
    const cut = bytes(lines().join('\n').slice(0, -10));
    expect(await replayCommand(cut)).toMatchObject({ code: 0, stderr: '' });
    expect(await replayCommand(gzipSync(cut))).toMatchObject({ code: 0, stderr: '' });
    expect((await replayCommand(bytes(lines().join('\r\n')))).code).toBe(0);
  });

  it.each(['lite', 'mqlet'] as const)('given one in %s that ends after any line, as a kill leaves it, when it is replayed, then nothing fails', async (dialect) => {
    const lines = await recordedEverything('ends', { dialect }, shortLife);
    const ends = lines.map((_line, index) => index + 1).filter((count) => count > 1 && (count < 100 || count % 11 === 0));
    const failing: unknown[] = [];
    for (const count of ends) {
      const { stderr } = await replayCommand(lines.slice(0, count));
      // The simulated node calls itself another version in its presence.
      if (stderr !== '' && !stderr.includes('/presence"')) failing.push({ count, stderr });
    }
    expect(failing).toEqual([]);
  });

  it('given any damage, when a recording is replayed, then the command ends with 0 or 1 and says at most three lines', async () => {
    const damage = fc.record({ everything: fc.boolean(), at: fc.nat(), what: fc.constantFrom('byte', 'cut', 'double', 'drop', 'swap', 'field'), by: fc.nat(255), diff: fc.boolean() });
    await fc.assert(fc.asyncProperty(damage, async (given) => {
      const outcome = await replayCommand(damaged(given), given.diff ? ['--diff'] : []);
      expect([0, 1]).toContain(outcome.code);
      expect(complaint(outcome).split('\n').length).toBeLessThanOrEqual(3);
    }), { numRuns: 60, seed: 7 });
  });
});

interface Damage {
  readonly everything: boolean;
  readonly at: number;
  readonly what: 'byte' | 'cut' | 'double' | 'drop' | 'swap' | 'field';
  readonly by: number;
}

function damaged({ everything: ofAll, at, what, by }: Damage): Uint8Array | readonly string[] {
  const lines = ofAll ? everything : packets;
  const index = at % lines.length;
  const line = lines[index] ?? '';
  switch (what) {
    case 'byte': {
      const whole = bytes(lines.join('\n'));
      return whole.map((byte, place) => (place === at % whole.length ? by : byte));
    }
    case 'cut': return bytes(lines.join('\n').slice(0, at % 50_000));
    case 'double': return [...lines.slice(0, index), line, ...lines.slice(index)];
    case 'drop': return lines.filter((_each, place) => place !== index);
    case 'swap': return changed(changed(lines, index, lines[(index + by) % lines.length] ?? ''), (index + by) % lines.length, line);
    case 'field': return changed(lines, index, line.replace(/:("[^"]*"|\d+)/, [':null', ':-1', ':[]', ':{"$function":7}', ':1e300'][by % 5] ?? ':0'));
    default: return what satisfies never;
  }
}

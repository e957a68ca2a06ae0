// Recordings of everything from a version that did something else: how far they go, what is named, and what --diff makes of it.
import { beforeAll, describe, expect, it } from 'vitest';
import { packYaml, unpack } from '../../src/bus/dialects/lite/payload.ts';
import type { JsonObject } from '../../src/bus/dialects/json-value.ts';
import { version } from '../../src/version.ts';
import { apply, deleteInCloud, simPod } from '../sim/offline-world.ts';
import { recordedEverything, replayCommand } from '../support/recorded-traffic.ts';

let lines: readonly string[] = [];

beforeAll(async () => {
  lines = await recordedEverything('versions', { dialect: 'lite' }, async (world) => {
    world.startDaemon();
    await world.pass(3_000);
    apply(world, simPod('web'));
    await world.pass(8_000);
    deleteInCloud(world, 'web');
    await world.pass(8_000);
    await world.stopDaemon({ downMs: 1_000_000 });
  });
});

interface Call {
  readonly k: string;
  readonly n: number;
  readonly port: string;
  readonly method: string;
  readonly args: readonly { readonly payload?: { readonly $bytes?: string } }[];
}

const entries = (): readonly Call[] => lines.map((line) => JSON.parse(line) as Call); // ours
const published = (text: string): number => entries().findIndex(({ k, method, args }) => k === 'call' && method === 'publish' && textIn(args).includes(text));

function textIn(args: Call['args']): string {
  const unpacked = unpack(Buffer.from(args[0]?.payload?.$bytes ?? '', 'base64'));
  return unpacked.ok ? JSON.stringify(unpacked.value) : '';
}

/** The recording as a version had made it that said something else. */
function saidOtherwise(at: number, change: (fields: JsonObject) => JsonObject): readonly string[] {
  const line = lines[at] ?? '';
  const [, base64 = ''] = /"\$bytes":"([^"]+)"/.exec(line) ?? [];
  const fields = unpack(Buffer.from(base64, 'base64'));
  if (!fields.ok) throw new Error(fields.fault.message);
  return lines.map((each, index) => (index === at ? line.replace(base64, Buffer.from(packYaml(change(fields.value))).toString('base64')) : each));
}

describe('a replay of another version\'s recording', () => {
  it('given one that did the same, when it is replayed, then that it is another version is said, and nothing differs', async () => {
    const [header = '', ...rest] = lines;
    const { code, stdout, stderr } = await replayCommand([header.replace(`"made":"${version}"`, '"made":"v0.0.9"'), ...rest], ['--diff']);
    expect(stderr).toBe(`mqlet replay: recorded by mqlet v0.0.9, replayed by ${version}: it goes as far as they mean the same\n`);
    expect({ code, stdout: stdout.split('\n').slice(-3) }).toEqual({ code: 0, stdout: ['no difference in what was called and published', expect.stringMatching(/^replayed \d+ inputs and \d+ messages: the same \([0-9a-f]{8}\)$/), ''] });
  });

  it('given one that told another event, when it is replayed, then entry and line of it are named; compared, object and field, and it goes on', async () => {
    const at = published('Started container');
    const otherwise = saidOtherwise(at, (fields) => ({ ...fields, object: { ...(fields.object as JsonObject), message: 'Begun with container app' } })); // an event is an object
    expect(await replayCommand(otherwise)).toMatchObject({ code: 1, stderr: expect.stringMatching(new RegExp(`^mqlet replay: entry ${at}, line ${at + 1} differs\n {2}recorded: mqtt\\.publish\\(.*\n {2}now: {6}mqtt\\.publish\\(.*\n$`)) });
    const { code, stdout, stderr } = await replayCommand(otherwise, ['--diff']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toContain(`Event of Pod default/web: Started (entry ${at}, line ${at + 1}): message\n  recorded: "Begun with container app"\n  now:      "Started container app"\n1 difference in 1 object\nreplayed `);
    // What came after it was replayed too.
    expect(stdout).toContain('default/web: finishing.removing → done');
  });

  it('given one that published something more, when it is compared, then that is told, and it goes on', async () => {
    const at = published('Pulling image');
    const call = lines[at] ?? '';
    const more = [...lines.slice(0, at), call.replace(/"n":\d+/, '"n":900001'), ...lines.slice(at)];
    const answerAt = more.findIndex((line, index) => index > at + 1 && /^{"k":"answer"/.test(line));
    const answered = [...more.slice(0, answerAt), (more[answerAt] ?? '').replace(/"n":\d+,"value":.*,"ms"/, '"n":900001,"value":{"ok":true},"ms"'), ...more.slice(answerAt)];
    const { code, stdout, stderr } = await replayCommand(answered, ['--diff']);
    expect(stderr).toBe('');
    expect(code).toBe(1);
    expect(stdout).toMatch(/Event of Pod default\/web: Pulling \(entry \d+, line \d+\)\n {2}recorded: [^\n]+\n {2}now: {6}\(nothing\)\n/);
    expect(stdout).toContain('default/web: finishing.removing → done');
  });

  it('given one that did not publish something, when it is compared, then what is published now is told, and it goes on', async () => {
    const at = published('Pulling image');
    const n = entries()[at]?.n;
    const less = lines.filter((line, index) => index !== at && !line.startsWith(`{"k":"answer","n":${n},`));
    const { code, stdout } = await replayCommand(less, ['--diff']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/Event of Pod default\/web: Pulling \(entry \d+, line \d+\)\n {2}recorded: \(nothing\)\n {2}now: {6}[^\n]+\n/);
    expect(stdout).toContain('default/web: finishing.removing → done');
  });

  it('given one that called the runtime with something else, when it is compared, then call and field are told; a call that was none of it ends the replay', async () => {
    const at = entries().findIndex(({ method }) => method === 'createContainer');
    const otherwise = lines.map((line, index) => (index === at ? line.replace('"attempt":0', '"attempt":7') : line));
    expect((await replayCommand(otherwise, ['--diff'])).stdout).toMatch(new RegExp(`runtime\\.createContainer \\(entry ${at}, line ${at + 1}\\): \\[1\\]\\.metadata\\.attempt\n {2}recorded: 7\n {2}now: {6}0\n`));
    const another = lines.map((line, index) => (index === at ? line.replace('"createContainer"', '"makeContainer"') : line));
    expect(await replayCommand(another, ['--diff'])).toMatchObject({ code: 1, stderr: expect.stringMatching(new RegExp(`^mqlet replay: entry ${at}, line ${at + 1} differs\n {2}recorded: runtime\\.makeContainer`)) });
  });

  it('given packets in a recording of everything, when they are replayed on a simulated runtime, then the pod lives again', async () => {
    const { code, stdout, stderr } = await replayCommand(lines, ['--simulated', '--diff']);
    expect({ code, stderr, last: stdout.trimEnd().split('\n').at(-1) }).toEqual({ code: 0, stderr: '', last: expect.stringMatching(/^no difference: \d+ objects, \d+ states$/) });
    expect((await replayCommand(lines, ['--export'])).stdout.split('\n').length).toBeGreaterThan(10);
  });

  it('given steps, when keys are typed, then each entry that came in is told before it is handed in', async () => {
    const { stdout } = await replayCommand(lines, ['--step'], ['', '', '5', 'q']);
    expect(stdout).toMatch(/^#1 line 2 \+00:00\.000 the entry "start" ⏎ [^#]*#\d+ line \d+ \+00:00\.\d+ [^⏎]+ ⏎ /);
    expect(stdout).toMatch(/replayed 7 inputs and \d+ messages up to there: the same/);
  });
});

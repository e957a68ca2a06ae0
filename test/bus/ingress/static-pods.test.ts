import { describe, expect, it } from 'vitest';
import { SimFiles } from '../../../src/adapters/sim/sim-files.ts';
import { VirtualClock } from '../../../src/adapters/sim/virtual-clock.ts';
import { Bus } from '../../../src/bus/bus.ts';
import { isManifestName } from '../../../src/bus/ingress/manifest-names.ts';
import { startStaticPods } from '../../../src/bus/ingress/static-pods.ts';
import { type InputFault, inputFaultLine } from '../../../src/ports/faults.ts';
import type { DesiredPod } from '../../../src/ports/pod-types.ts';
import { manifest } from '../../support/manifests.ts';
import { silentLog } from '../../support/silent-log.ts';

const scanMs = 20_000;

class World {
  readonly clock = new VirtualClock();
  readonly files = new SimFiles({ clock: this.clock });
  readonly faults: InputFault[] = [];
  readonly sets: (readonly DesiredPod[])[] = [];
  readonly #bus = new Bus(this.clock);
  #stop: (() => Promise<void>) | undefined;

  constructor() {
    const test = this.#bus.as('test');
    test.on('input.refused', ({ payload }) => this.faults.push(payload.fault));
    test.on('source.updated', ({ payload }) => { if (payload.kind === 'set' && payload.source === 'file') this.sets.push(payload.pods); });
  }

  /** Starts the actor with what is there already old enough to be believed. */
  async start(directory = '/pods'): Promise<void> {
    await this.clock.advance(10_000);
    const actor = startStaticPods({ bus: this.#bus.as('static-pods'), files: this.files, clock: this.clock, log: silentLog, directory, nodeName: 'n', scanMs });
    this.#stop = () => actor.stop();
    await this.clock.settle();
  }

  /** Names in the sets said since the last call. */
  said(): string[][] {
    return this.sets.splice(0).map((pods) => pods.map(({ name }) => name));
  }

  told(): string[] {
    return this.faults.splice(0).map(inputFaultLine);
  }

  async end(): Promise<void> {
    await this.#stop?.();
    await this.#stop?.();
    expect(this.clock.pendingTimers()).toEqual([]);
  }
}

async function inWorld(run: (world: World) => Promise<void>): Promise<void> {
  const world = new World();
  await run(world);
  await world.end();
}

describe('static pods', () => {
  it('given no directory, when started, then an empty content is said; when it appears with a file, then its pod', () => inWorld(async (world) => {
    await world.start();
    expect(world.said()).toEqual([[]]);
    world.files.put('/pods/a.yaml', manifest('a'));
    await world.clock.advance(100);
    expect(world.said()).toEqual([['a-n']]);
    await world.clock.advance(10 * scanMs);
    expect(world.said()).toEqual([]);
    expect(world.told()).toEqual([]);
  }));

  it('given files, when started, then their pods are said at once, in order of name, temporary ones left alone', () => inWorld(async (world) => {
    for (const name of ['b.yaml', 'a', 'c.json', '.hidden', 'a~', '.a.swp', '#a#', '4913', 'x.tmp', 'x.bak', 'x.dpkg-new']) {
      world.files.put(`/pods/${name}`, manifest(`pod-${name.charAt(0) === 'c' ? 'c' : name.charAt(0).replace(/[^a-z]/, 'x')}`));
    }
    world.files.putDirectory('/pods/folder');
    await world.start();
    expect(world.said()).toEqual([['pod-a-n', 'pod-b-n', 'pod-c-n']]);
  }));

  it('given a file, when it is edited, removed or renamed, then the new content is said within 200 ms', () => inWorld(async (world) => {
    world.files.put('/pods/a.yaml', manifest('a'));
    await world.start();
    const [first] = world.sets.splice(0);
    world.files.put('/pods/a.yaml', manifest('a', 'b:2'));
    await world.clock.advance(200);
    const [second] = world.sets.splice(0);
    expect(second?.[0]?.pod.spec.containers[0]?.image).toBe('b:2');
    expect(second?.[0]?.uid).not.toBe(first?.[0]?.uid);
    world.files.move('/pods/a.yaml', '/pods/z.yaml');
    await world.clock.advance(200);
    expect(world.sets.splice(0).map((pods) => pods.map(({ origin }) => origin))).toEqual([['/pods/z.yaml']]);
    world.files.take('/pods/z.yaml');
    await world.clock.advance(200);
    expect(world.said()).toEqual([[]]);
  }));

  it('given an editor that moves the file away and writes a new one, when it has saved without a change, then nothing is said', () => inWorld(async (world) => {
    world.files.put('/pods/a.yaml', manifest('a'));
    await world.start();
    world.said();
    world.files.move('/pods/a.yaml', '/pods/a.yaml~');
    await world.clock.advance(80);
    world.files.put('/pods/a.yaml', manifest('a'));
    await world.clock.advance(2_000);
    expect(world.said()).toEqual([]);
  }));

  it('given a watch that says nothing, when a file changes, then the next scan notices', () => inWorld(async (world) => {
    world.files.faults.noWatches = true;
    world.files.put('/pods/a.yaml', manifest('a'));
    await world.start();
    world.said();
    world.files.put('/pods/b.yaml', manifest('b'));
    await world.clock.advance(scanMs);
    expect(world.said()).toEqual([['a-n', 'b-n']]);
  }));

  it('given a file touched without a change, when noticed, then nothing is said', () => inWorld(async (world) => {
    world.files.put('/pods/a.yaml', manifest('a'));
    await world.start();
    world.said();
    world.files.put('/pods/a.yaml', manifest('a'));
    await world.clock.advance(scanMs);
    expect(world.said()).toEqual([]);
  }));

  it('given a good file, when it is broken, then its pod stays and one line is told; when mended, then the new pod', () => inWorld(async (world) => {
    world.files.put('/pods/a.yaml', manifest('a'));
    world.files.put('/pods/b.yaml', manifest('b'));
    await world.start();
    world.said();
    world.files.put('/pods/a.yaml', `${manifest('a')}    tty: maybe\n`);
    await world.clock.advance(10 * scanMs);
    expect(world.told()).toEqual(['/pods/a.yaml:9: spec.containers[0].tty: Invalid value: "maybe": must be true or false']);
    expect(world.said()).toEqual([]);
    world.files.put('/pods/c.yaml', manifest('c'));
    await world.clock.advance(1_000);
    expect(world.said()).toEqual([['a-n', 'b-n', 'c-n']]);
    world.files.put('/pods/a.yaml', manifest('mended'));
    await world.clock.advance(1_000);
    expect(world.said()).toEqual([['mended-n', 'b-n', 'c-n']]);
    expect(world.told()).toEqual([]);
  }));

  it('given a broken file, when it is removed, then its pods go', () => inWorld(async (world) => {
    world.files.put('/pods/a.yaml', manifest('a'));
    await world.start();
    world.files.put('/pods/a.yaml', ': :');
    await world.clock.advance(5_000);
    world.said();
    world.files.take('/pods/a.yaml');
    await world.clock.advance(200);
    expect(world.said()).toEqual([[]]);
  }));

  it('given a file of two pods, when one document is broken, then the other is updated and the broken one stays as it was', () => inWorld(async (world) => {
    world.files.put('/pods/ab.yaml', `${manifest('a')}---\n${manifest('b')}`);
    await world.start();
    world.said();
    world.files.put('/pods/ab.yaml', `${manifest('a', 'new:2')}---\n${manifest('b')}    image: twice\n`);
    await world.clock.advance(5_000);
    const [pods] = world.sets.splice(0);
    expect(pods?.map(({ name, pod }) => `${name} ${pod.spec.containers[0]?.image}`)).toEqual(['b-n registry.example/app:1', 'a-n new:2']);
    expect(world.told()).toHaveLength(1);
  }));

  it.each([
    ['half a document', manifest('a', 'b:2'), 0.5],
    ['an empty file', manifest('a', 'b:2'), 0],
    ['one pod of two', `${manifest('a', 'b:2')}---\n${manifest('b')}`, 0.5],
  ])('given %s on the disk for half a second, when the rest comes, then nothing was told or said of the half', (_name, text, half) => inWorld(async (world) => {
    world.files.put('/pods/a.yaml', `${manifest('a')}---\n${manifest('b')}`);
    await world.start();
    world.said();
    world.files.put('/pods/a.yaml', text, { half });
    await world.clock.advance(500);
    expect([world.said(), world.told()]).toEqual([[], []]);
    world.files.put('/pods/a.yaml', text);
    await world.clock.advance(3_000);
    expect(world.told()).toEqual([]);
    expect(world.said()).toHaveLength(1);
  }));

  it('given a half-written file at the start, when it is completed soon, then the first content has its pod', () => inWorld(async (world) => {
    world.files.put('/pods/a.yaml', manifest('a'));
    await world.clock.advance(20_000);
    world.files.put('/pods/b.yaml', manifest('b'), { half: 0.4 });
    await world.clock.settle();
    const start = startAt(world);
    await world.clock.advance(300);
    expect(world.said()).toEqual([]);
    world.files.put('/pods/b.yaml', manifest('b'));
    await world.clock.advance(2_000);
    expect(world.said()).toEqual([['a-n', 'b-n']]);
    await start.stop();
  }));

  it('given a file that is written again and again, when started, then the first content does not wait for ever', () => inWorld(async (world) => {
    world.files.put('/pods/a.yaml', manifest('a'));
    await world.clock.advance(20_000);
    const start = startAt(world);
    for (let round = 0; round < 30; round += 1) {
      world.files.put('/pods/b.yaml', `: ${round}`);
      await world.clock.advance(400);
    }
    expect(world.said()).toEqual([['a-n']]);
    await start.stop();
  }));

  it('given an unreadable file, when seen many times, then its pods stay, one line is told, and it is read when it can be', () => inWorld(async (world) => {
    world.files.put('/pods/a.yaml', manifest('a'));
    await world.start();
    world.said();
    world.files.put('/pods/a.yaml', manifest('changed'));
    world.files.faults.forbidden.add('/pods/a.yaml');
    await world.clock.advance(5 * scanMs);
    expect(world.told()).toEqual(['/pods/a.yaml: cannot be read: permission denied; its pods stay as they were']);
    expect(world.said()).toEqual([]);
    world.files.faults.forbidden.clear();
    await world.clock.advance(scanMs);
    expect(world.said()).toEqual([['changed-n']]);
  }));

  it('given a directory that cannot be listed, when started, then nothing is said until it can be', () => inWorld(async (world) => {
    world.files.put('/pods/a.yaml', manifest('a'));
    world.files.faults.forbidden.add('/pods');
    await world.start();
    await world.clock.advance(5 * scanMs);
    expect(world.said()).toEqual([]);
    expect(world.told()).toEqual(['/pods: cannot be listed: /pods: permission denied']);
    world.files.faults.forbidden.clear();
    await world.clock.advance(scanMs);
    expect(world.said()).toEqual([['a-n']]);
  }));

  it('given two files with one pod, when said, then the last in order of name counts and the other is told once', () => inWorld(async (world) => {
    world.files.put('/pods/a.yaml', manifest('web', 'a:1'));
    world.files.put('/pods/b.yaml', manifest('web', 'b:1'));
    await world.start();
    await world.clock.advance(5 * scanMs);
    expect(world.sets.map((pods) => pods.map(({ origin }) => origin))).toEqual([['/pods/b.yaml']]);
    expect(world.told()).toEqual([
      '/pods/a.yaml: metadata.name: Duplicate value: "default/web-n": /pods/b.yaml has it too, and the last in order of name counts',
    ]);
  }));

  it('given the path of a single file, when it changes, goes and comes back, then its pods follow and its neighbours do not count', () => inWorld(async (world) => {
    world.files.put('/etc/pod.yaml', manifest('a'));
    world.files.put('/etc/other.yaml', manifest('other'));
    await world.start('/etc/pod.yaml');
    expect(world.said()).toEqual([['a-n']]);
    world.files.put('/etc/pod.yaml', manifest('b'));
    await world.clock.advance(100);
    expect(world.said()).toEqual([['b-n']]);
    world.files.take('/etc/pod.yaml');
    await world.clock.advance(200);
    expect(world.said()).toEqual([[]]);
  }));

  it('given it was stopped, when files change, then nothing is said', () => inWorld(async (world) => {
    await world.start();
    world.said();
    await world.end();
    world.files.put('/pods/a.yaml', manifest('a'));
    await world.clock.advance(10 * scanMs);
    expect(world.said()).toEqual([]);
  }));
});

function startAt(world: World): { stop(): Promise<void> } {
  const bus = new Bus(world.clock);
  const test = bus.as('test');
  test.on('source.updated', ({ payload }) => { if (payload.kind === 'set') world.sets.push(payload.pods); });
  return startStaticPods({ bus: bus.as('static-pods'), files: world.files, clock: world.clock, log: silentLog, directory: '/pods/', nodeName: 'n', scanMs });
}

describe('isManifestName', () => {
  it.each([
    ['web.yaml', true], ['web.yml', true], ['web.json', true], ['web', true], ['web.manifest', true], ['4914', true], ['sed', true], ['a.swap', true],
    ['.web.yaml', false], ['web.yaml~', false], ['.web.yaml.swp', false], ['web.swx', false], ['#web.yaml#', false], ['.#web.yaml', false], ['4913', false],
    ['sedAb12Cd', false], ['web.yaml.tmp', false], ['web.yaml.bak', false], ['web.yaml.dpkg-dist', false], ['web.yaml.ucf-old', false],
    ['web.yaml.rpmnew', false], ['web.yaml.part', false], ['web.yaml.orig', false],
  ])('given %s, when asked, then %s', (name, expected) => {
    expect(isManifestName(name)).toBe(expected);
  });
});

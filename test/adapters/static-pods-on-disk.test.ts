// Static pods on a real directory, in real time: what inotify, rename and partial writes do in earnest.
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NodeFiles } from '../../src/adapters/node-files.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { Bus } from '../../src/bus/bus.ts';
import { startStaticPods } from '../../src/bus/ingress/static-pods.ts';
import { inputFaultLine } from '../../src/ports/faults.ts';
import type { Stoppable } from '../../src/ports/result.ts';
import { manifest } from '../support/manifests.ts';
import { silentLog } from '../support/silent-log.ts';

const pause = (delayMs: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, delayMs); });

describe('static pods on a real directory', () => {
  let root: string;
  let actor: Stoppable;
  let sets: string[];
  let faults: string[];
  beforeEach(async () => {
    root = await fs.mkdtemp(path.join(os.tmpdir(), 'mqlet-static-'));
    sets = [];
    faults = [];
    const clock = new SystemClock();
    const bus = new Bus(clock);
    bus.as('test').on('source.updated', ({ payload }) => { if (payload.kind === 'set') sets.push(payload.pods.map(({ name }) => name).join(' ')); });
    bus.as('test').on('input.refused', ({ payload }) => faults.push(inputFaultLine(payload.fault)));
    actor = startStaticPods({
      bus: bus.as('static-pods'), files: new NodeFiles(), clock, log: silentLog, directory: `${root}/pods`, nodeName: 'n', scanMs: 20_000,
    });
    await until(() => sets.length === 1);
  });
  afterEach(async () => {
    await actor.stop();
    await fs.rm(root, { recursive: true, force: true });
  });

  async function until(condition: () => boolean): Promise<void> {
    for (let left = 500; left > 0 && !condition(); left -= 1) await pause(10);
    expect(condition()).toBe(true);
  }

  it('given a directory that appears later, when files are written, replaced, renamed and removed, then the content follows', async () => {
    await fs.mkdir(`${root}/pods`);
    await fs.writeFile(`${root}/pods/a.yaml`, manifest('a'));
    await until(() => sets.at(-1) === 'a-n');
    await fs.writeFile(`${root}/pods/.b.tmp`, manifest('b'));
    await fs.rename(`${root}/pods/.b.tmp`, `${root}/pods/b.yaml`);
    await until(() => sets.at(-1) === 'a-n b-n');
    await fs.rename(`${root}/pods/a.yaml`, `${root}/pods/c.yaml`);
    await until(() => sets.at(-1) === 'b-n a-n');
    await fs.rm(`${root}/pods/b.yaml`);
    await until(() => sets.at(-1) === 'a-n');
    expect(sets.filter((set) => set === '')).toEqual(['']);
    expect(faults).toEqual([]);
  });

  it('given a manifest that is written byte by byte and a directory that is replaced, when done, then nothing is refused', async () => {
    await fs.mkdir(`${root}/pods`);
    const handle = await fs.open(`${root}/pods/slow.yaml`, 'w');
    const text = manifest('slow');
    for (let at = 0; at < text.length; at += 10) {
      await handle.write(text.slice(at, at + 10));
      await pause(5);
    }
    await handle.close();
    await until(() => sets.at(-1) === 'slow-n');
    await fs.mkdir(`${root}/new`);
    await fs.writeFile(`${root}/new/other.yaml`, manifest('other'));
    await fs.rename(`${root}/pods`, `${root}/old`);
    await fs.rename(`${root}/new`, `${root}/pods`);
    await until(() => sets.at(-1) === 'other-n');
    await fs.writeFile(`${root}/pods/bad.yaml`, 'kind: Pod\nmetadata: {name: 5}\n');
    await until(() => faults.length === 1);
    expect(faults).toEqual([`${root}/pods/bad.yaml:2: metadata.name: Invalid value: 5: must be a string; put it in quotes`]);
  });
});

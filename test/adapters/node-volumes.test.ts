// Volumes on the real file system: content that changes at once, paths that cannot be led out, trees given to a group.
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NodeVolumes } from '../../src/adapters/node-volumes.ts';
import type { ContentFile } from '../../src/ports/volumes-port.ts';

const file = (name: string, text: string, mode = 0o644): ContentFile => ({ path: name, content: new TextEncoder().encode(text), mode });

describe('node volumes', () => {
  const volumes = new NodeVolumes();
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'mqlet-volumes-'));
  });
  afterEach(async () => {
    await volumes.unmountBelow(directory);
    rmSync(directory, { recursive: true, force: true });
  });
  const inside = (...names: string[]) => path.join(directory, ...names);
  const text = (name: string) => readFileSync(inside(name), 'utf8');

  it('given content, when written, changed and written again, then readers have one set or the other, and equal content is not written', async () => {
    expect(await volumes.writeContent(inside('v'), [file('a', '1'), file('x/b', '2', 0o600)], {})).toEqual({ ok: true, value: 'written' });
    expect([text('v/a'), text('v/x/b'), readlinkSync(inside('v/a')), readlinkSync(inside('v/x'))]).toEqual(['1', '2', '..data/a', '..data/x']);
    expect(statSync(inside('v/x/b')).mode & 0o777).toBe(0o600);
    const first = readlinkSync(inside('v/..data'));
    expect(first).toMatch(/^\.\.\d{4}(_\d\d){5}\./);
    expect(await volumes.writeContent(inside('v'), [file('a', '1'), file('x/b', '2', 0o600)], {})).toEqual({ ok: true, value: 'same' });
    expect(await volumes.writeContent(inside('v'), [file('a', '3'), file('c', '4')], {})).toEqual({ ok: true, value: 'written' });
    expect(readdirSync(inside('v')).sort()).toEqual([readlinkSync(inside('v/..data')), '..data', 'a', 'c']);
    expect(text('v/a')).toBe('3');
    expect(existsSync(inside('v', first))).toBe(false);
  });

  it('given what a crash left, when written, then it is cleared', async () => {
    mkdirSync(inside('v/..2001_02_03_04_05_06.dead'), { recursive: true });
    symlinkSync('nowhere', inside('v/..data_tmp'));
    await volumes.writeContent(inside('v'), [file('a', '1')], {});
    expect(readdirSync(inside('v')).sort()).toEqual([readlinkSync(inside('v/..data')), '..data', 'a']);
  });

  it('given damaged content, when written again, then it is mended', async () => {
    await volumes.writeContent(inside('v'), [file('a', 'whole')], {});
    writeFileSync(inside('v/..data/a'), '');
    expect(await volumes.writeContent(inside('v'), [file('a', 'whole')], {})).toEqual({ ok: true, value: 'written' });
  });

  it.each([
    ['Directory', 'file', 'is not a directory'], ['File', 'dir', 'is not a file'], ['Socket', 'file', 'is not a socket file'],
    ['CharDevice', 'file', 'is not a character device'], ['BlockDevice', 'none', 'is not a block device'], ['Directory', 'none', 'is not a directory'],
  ] as const)('given type %s, when the host path is a %s, then it %s', async (type, name, words) => {
    writeFileSync(inside('file'), '');
    mkdirSync(inside('dir'));
    expect(await volumes.checkHostPath(inside(name), type)).toMatchObject({ ok: false, fault: { message: `hostPath type check failed: ${inside(name)} ${words}` } });
  });

  it('given the OrCreate types, when missing, then made, and parents only for directories', async () => {
    expect(await volumes.checkHostPath(inside('a/b'), 'DirectoryOrCreate')).toEqual({ ok: true, value: undefined });
    expect(await volumes.checkHostPath(inside('f'), 'FileOrCreate')).toEqual({ ok: true, value: undefined });
    expect(await volumes.checkHostPath(inside('none/f'), 'FileOrCreate')).toMatchObject({ ok: false, fault: { kind: 'not-found' } });
    expect(await volumes.checkHostPath('/dev/null', 'CharDevice')).toEqual({ ok: true, value: undefined });
  });

  it('given a missing sub path, when bound, then it is made with the mode of the volume and seen through the target', async () => {
    mkdirSync(inside('v'));
    chmodSync(inside('v'), 0o771);
    const request = { volume: 'v', root: inside('v'), subPath: 'a/b', target: inside('t/0') };
    expect(await volumes.bindSubPath(request)).toEqual({ ok: true, value: undefined });
    expect(await volumes.bindSubPath(request)).toEqual({ ok: true, value: undefined });
    writeFileSync(inside('t/0/x'), 'seen');
    expect(text('v/a/b/x')).toBe('seen');
    expect(statSync(inside('v/a')).mode & 0o777).toBe(0o771);
    expect(await volumes.unmountBelow(directory)).toEqual({ ok: true, value: undefined });
    expect(existsSync(inside('t/0/x'))).toBe(false);
  });

  it.each([['a link out at the end', 'out'], ['a link out on the way', 'out/deeper'], ['a link out by dots', 'dots'], ['a dangling link', 'dangling/x']])('given %s, when bound, then refused and nothing made outside', async (_what, subPath) => {
    mkdirSync(inside('v'));
    mkdirSync(inside('outside'));
    symlinkSync(inside('outside'), inside('v/out'));
    symlinkSync('../outside', inside('v/dots'));
    symlinkSync(inside('outside/none'), inside('v/dangling'));
    expect(await volumes.bindSubPath({ volume: 'v', root: inside('v'), subPath, target: inside('t') })).toMatchObject({ ok: false });
    expect(readdirSync(inside('outside'))).toEqual([]);
  });

  it('given a link to elsewhere in a tree, when the tree is given to a group, then what it leads to keeps its owner', async () => {
    mkdirSync(inside('v/d'), { recursive: true });
    writeFileSync(inside('v/d/f'), '', { mode: 0o600 });
    writeFileSync(inside('secret'), '', { mode: 0o600 });
    symlinkSync(inside('secret'), inside('v/link'));
    expect(await volumes.giveToGroup(inside('v'), { gid: 4242, unless: 'never' })).toEqual({ ok: true, value: undefined });
    expect([lstatSync(inside('v/d')).gid, lstatSync(inside('v/d')).mode & 0o7070, lstatSync(inside('v/d/f')).mode & 0o777]).toEqual([4242, 0o2070, 0o660]);
    expect([statSync(inside('secret')).gid, statSync(inside('secret')).mode & 0o777]).toEqual([0, 0o600]);
  });

  it('given memory that is mounted, when asked for again, then it is left as it is', async () => {
    expect(await volumes.mountMemory(inside('m'), { mode: 0o700, sizeBytes: 65_536 })).toEqual({ ok: true, value: undefined });
    writeFileSync(inside('m/x'), 'kept');
    expect(await volumes.mountMemory(inside('m'), { mode: 0o700, sizeBytes: 65_536 })).toEqual({ ok: true, value: undefined });
    expect(text('m/x')).toBe('kept');
    expect(() => writeFileSync(inside('m/big'), Buffer.alloc(200_000))).toThrow(/ENOSPC/);
  });
});

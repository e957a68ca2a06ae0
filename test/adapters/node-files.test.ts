import { execFileSync } from 'node:child_process';
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NodeFiles } from '../../src/adapters/node-files.ts';
import { NodeLogFiles } from '../../src/adapters/node-log-files.ts';
import { filesContract } from '../ports/files-contract.ts';
import { logFilesContract, type LogFilesWorld } from '../ports/log-files-contract.ts';

const pause = (delayMs: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, delayMs); });

async function realWorld(): Promise<LogFilesWorld> {
  const root = await fs.mkdtemp(path.join(os.tmpdir(), 'mqlet-files-'));
  return {
    files: new NodeFiles(),
    logFiles: new NodeLogFiles(),
    root,
    put: async (file, content) => {
      await fs.mkdir(path.dirname(file), { recursive: true });
      await fs.writeFile(file, content);
    },
    remove: (file) => fs.rm(file, { recursive: true }),
    move: (from, to) => fs.rename(from, to),
    modeOf: async (file) => (await fs.stat(file)).mode & 0o777,
    until: async (condition) => {
      for (let left = 500; left > 0 && !condition(); left -= 1) await pause(10);
      expect(condition()).toBe(true);
    },
    rest: () => pause(60),
    stop: () => fs.rm(root, { recursive: true, force: true }),
  };
}

filesContract('node-files on this machine', realWorld);
logFilesContract('node-log-files on this machine', realWorld);

describe('NodeFiles', () => {
  let root: string;
  const files = new NodeFiles();
  beforeEach(async () => {
    root = await fs.mkdtemp(path.join(os.tmpdir(), 'mqlet-files-'));
  });
  afterEach(() => fs.rm(root, { recursive: true, force: true }));

  it('given links in a tree, when it is removed, then what they lead to stays', async () => {
    await fs.mkdir(`${root}/tree/inner`, { recursive: true });
    await fs.mkdir(`${root}/outside`);
    await fs.writeFile(`${root}/outside/keep`, 'x');
    await fs.symlink(`${root}/outside`, `${root}/tree/inner/link`);
    await fs.symlink(`${root}/outside/keep`, `${root}/tree/file-link`);
    await fs.symlink(`${root}/outside`, `${root}/tree-link`);
    expect(await files.removeTree(`${root}/tree`)).toMatchObject({ ok: true });
    expect(await files.removeTree(`${root}/tree-link`)).toMatchObject({ ok: true });
    expect(await fs.readdir(`${root}/outside`)).toEqual(['keep']);
    expect(await fs.readdir(root)).toEqual(['outside']);
  });

  it.skipIf(process.getuid?.() !== 0)('given mounts in a tree (needs root), when it is removed, then nothing is and the mount is named', async () => {
    await fs.mkdir(`${root}/tree/mounted point`, { recursive: true });
    await fs.mkdir(`${root}/outside`);
    await fs.writeFile(`${root}/outside/keep`, 'x');
    execFileSync('mount', ['--bind', `${root}/outside`, `${root}/tree/mounted point`]);
    try {
      const removed = await files.removeTree(`${root}/tree`);
      expect(removed).toMatchObject({ ok: false, fault: { kind: 'failed' } });
      expect(removed.ok ? '' : removed.fault.message).toContain(`${root}/tree/mounted point is mounted there; unmount it first`);
      expect(await fs.readdir(`${root}/outside`)).toEqual(['keep']);
    } finally {
      execFileSync('umount', [`${root}/tree/mounted point`]);
    }
    expect(await files.removeTree(`${root}/tree`)).toMatchObject({ ok: true });
  });

  it('given a tree deeper than a path may be long, when it is removed, then it is reported and not endless', async () => {
    let at = `${root}/tree`;
    for (let depth = 0; depth < 300; depth += 1) at += '/d';
    await fs.mkdir(at, { recursive: true });
    expect(await files.removeTree(`${root}/tree`)).toMatchObject({ ok: false, fault: { kind: 'failed' } });
  });

  it('given a pipe, a dangling link and a socket name, when listed and read, then they are `other` and do not hang', async () => {
    execFileSync('mkfifo', [`${root}/pipe`]);
    await fs.symlink(`${root}/nowhere`, `${root}/dangling`);
    const listed = await files.list(root);
    expect(listed.ok ? listed.value.map(({ name, kind }) => [name, kind]) : []).toEqual([['dangling', 'other'], ['pipe', 'other']]);
    expect(await files.read(`${root}/pipe`, { bytesMax: 10 })).toMatchObject({ ok: false, fault: { kind: 'failed' } });
    expect(await files.read(`${root}/dangling`, { bytesMax: 10 })).toMatchObject({ ok: false, fault: { kind: 'not-found' } });
  });

  it('given a link to a file, when listed, then it is a file of that size', async () => {
    await fs.writeFile(`${root}/.target`, '12345');
    await fs.symlink('.target', `${root}/link`);
    const listed = await files.list(root);
    expect(listed.ok ? listed.value.find(({ name }) => name === 'link') : undefined).toMatchObject({ kind: 'file', sizeBytes: 5 });
  });

  it('given a file of /proc, which says it is empty, when read, then its content comes', async () => {
    const read = await files.read('/proc/self/status', { bytesMax: 100_000 });
    expect(read.ok ? new TextDecoder().decode(read.value) : '').toContain('Name:');
    expect(await files.read('/proc/self/status', { bytesMax: 10 })).toMatchObject({ ok: false, fault: { kind: 'too-large' } });
  });

  it('given a place nobody may write to, when written, then the fault is not-permitted or not-found, with one line', async () => {
    const written = await files.writeAtomic('/proc/mqlet-test', 'x', { mode: 0o644 });
    expect(written.ok).toBe(false);
    expect(written.ok ? '' : written.fault.message).toMatch(/^\/proc\/mqlet-test: [^\n]+$/);
  });
});

describe('files that others write', () => {
  it('given a file made for somebody else, when it is written, then its end is read; made again, it is empty', async () => {
    const directory = await fs.mkdtemp(path.join(os.tmpdir(), 'mqlet-end-'));
    const files = new NodeFiles();
    const file = path.join(directory, 'last');
    expect(await files.makeFile(file, { mode: 0o666 })).toMatchObject({ ok: true });
    expect((await fs.stat(file)).mode & 0o777).toBe(0o666);
    await fs.writeFile(file, 'one two');
    const end = await files.readEnd(file, { bytesMax: 3 });
    expect(end.ok && new TextDecoder().decode(end.value)).toBe('two');
    await files.makeFile(file, { mode: 0o666 });
    expect(await files.readEnd(file, { bytesMax: 3 })).toMatchObject({ ok: true, value: expect.objectContaining({ length: 0 }) });
    expect(await files.readEnd(`${file}-no`, { bytesMax: 3 })).toMatchObject({ ok: false, fault: { kind: 'not-found' } });
    await fs.rm(directory, { recursive: true });
  });
});

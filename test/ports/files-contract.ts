// What every FilesPort must do, whatever is behind it. Run on the real file system and on the twin in memory.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FilesPort } from '../../src/ports/files-port.ts';
import type { Stoppable } from '../../src/ports/result.ts';

/** A file system with an empty directory in it. */
export interface FilesWorld {
  readonly files: FilesPort;
  /** Absolute path of the empty directory. */
  readonly root: string;
  /** Another program writes in place, parents made as needed. */
  put(path: string, content: string): Promise<void>;
  remove(path: string): Promise<void>;
  move(from: string, to: string): Promise<void>;
  modeOf(path: string): Promise<number>;
  /** Lets time pass until the condition holds; fails when it does not. */
  until(condition: () => boolean): Promise<void>;
  /** Long enough for anything that is still on its way. */
  rest(): Promise<void>;
  stop(): Promise<void>;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const large = { bytesMax: 1_000_000 };

export function filesContract(name: string, startWorld: () => Promise<FilesWorld>): void {
  describe(`a FilesPort: ${name}`, () => {
    let world: FilesWorld;
    let files: FilesPort;
    let root: string;
    const watches: Stoppable[] = [];
    beforeEach(async () => {
      world = await startWorld();
      ({ files, root } = world);
    });
    afterEach(async () => {
      for (const watch of watches.splice(0)) await watch.stop();
      await world.stop();
    });

    const read = async (path: string): Promise<string> => {
      const answer = await files.read(path, large);
      expect(answer).toMatchObject({ ok: true });
      return answer.ok ? text(answer.value) : '';
    };
    const names = async (path: string): Promise<string[]> => {
      const answer = await files.list(path);
      return answer.ok ? answer.value.map((entry) => `${entry.name} ${entry.kind}`) : [answer.fault.kind];
    };
    const watched = (path: string): { readonly count: () => number } => {
      let count = 0;
      watches.push(files.watch(path, () => { count += 1; }));
      return { count: () => count };
    };

    it('given files and directories, when listed, then they come sorted by name with size and time', async () => {
      await world.put(`${root}/b`, 'four');
      await world.put(`${root}/a`, '');
      await world.put(`${root}/C/inner`, 'x');
      expect(await names(root)).toEqual(['C directory', 'a file', 'b file']);
      const listed = await files.list(root);
      const entry = listed.ok ? listed.value[2] : undefined;
      expect(entry?.sizeBytes).toBe(4);
      expect(entry?.modifiedAtMs).toBeGreaterThan(1_000_000_000_000);
    });

    it.each(['list', 'read'] as const)('given nothing there, when %s is called, then the fault is not-found with the path', async (call) => {
      const path = `${root}/missing/deep`;
      const answer = call === 'list' ? await files.list(path) : await files.read(path, large);
      expect(answer).toMatchObject({ ok: false, fault: { kind: 'not-found', path } });
      expect(answer.ok ? '' : answer.fault.message).toBe(`${path}: no such file or directory`);
    });

    it('given a file, when it is listed as a directory, then the fault is not-found', async () => {
      await world.put(`${root}/a`, '');
      expect(await files.list(`${root}/a`)).toMatchObject({ ok: false, fault: { kind: 'not-found' } });
    });

    it('given a directory, when it is read or removed as a file, then it fails and stays', async () => {
      await world.put(`${root}/d/a`, '');
      expect(await files.read(`${root}/d`, large)).toMatchObject({ ok: false, fault: { kind: 'failed' } });
      expect(await files.removeFile(`${root}/d`)).toMatchObject({ ok: false });
      expect(await names(`${root}/d`)).toEqual(['a file']);
    });

    it('given a file of the limit, when read, then it comes; one byte more is too-large', async () => {
      await world.put(`${root}/a`, '12345');
      expect(await files.read(`${root}/a`, { bytesMax: 5 })).toMatchObject({ ok: true });
      expect(await files.read(`${root}/a`, { bytesMax: 4 })).toMatchObject({ ok: false, fault: { kind: 'too-large', bytesMax: 4 } });
      expect(await files.read(`${root}/a`, { bytesMax: 0 })).toMatchObject({ ok: false, fault: { kind: 'too-large' } });
    });

    it('given a file, when written atomically, then content and mode are those asked for and nothing else is left', async () => {
      await world.put(`${root}/a`, 'before');
      expect(await files.writeAtomic(`${root}/a`, 'after', { mode: 0o600 })).toEqual({ ok: true, value: undefined });
      expect(await files.writeAtomic(`${root}/b`, new Uint8Array([0, 255]), { mode: 0o666 })).toMatchObject({ ok: true });
      expect(await read(`${root}/a`)).toBe('after');
      expect(await world.modeOf(`${root}/a`)).toBe(0o600);
      expect(await world.modeOf(`${root}/b`)).toBe(0o666);
      expect(await names(root)).toEqual(['a file', 'b file']);
    });

    it('given many writes of one file at once, when all have answered, then one of them is there whole', async () => {
      const contents = Array.from({ length: 20 }, (_, index) => String(index).repeat(10_000));
      const answers = await Promise.all(contents.map((content) => files.writeAtomic(`${root}/a`, content, { mode: 0o644 })));
      expect(answers.every((answer) => answer.ok)).toBe(true);
      expect(contents).toContain(await read(`${root}/a`));
      expect(await names(root)).toEqual(['a file']);
    });

    it('given no directory, when written atomically, then the fault is not-found', async () => {
      expect(await files.writeAtomic(`${root}/missing/a`, 'x', { mode: 0o644 })).toMatchObject({ ok: false, fault: { kind: 'not-found' } });
    });

    it('given a directory in the way, when written atomically, then it fails and leaves nothing behind', async () => {
      await world.put(`${root}/a/inner`, 'x');
      expect(await files.writeAtomic(`${root}/a`, 'x', { mode: 0o644 })).toMatchObject({ ok: false, fault: { kind: 'failed' } });
      expect(await names(root)).toEqual(['a directory']);
    });

    it('given nothing and a file, when appended, then it is made with the mode asked for and grows; one that is there keeps its mode', async () => {
      expect(await files.append(`${root}/a`, 'one', { mode: 0o600 })).toEqual({ ok: true, value: undefined });
      expect(await files.append(`${root}/a`, new Uint8Array([33]), { mode: 0o644 })).toEqual({ ok: true, value: undefined });
      expect(await read(`${root}/a`)).toBe('one!');
      expect(await world.modeOf(`${root}/a`)).toBe(0o600);
    });

    it('given no directory, or a directory in the way, when appended, then it fails', async () => {
      await world.put(`${root}/d/inner`, 'x');
      expect(await files.append(`${root}/missing/a`, 'x', { mode: 0o644 })).toMatchObject({ ok: false, fault: { kind: 'not-found' } });
      expect(await files.append(`${root}/d`, 'x', { mode: 0o644 })).toMatchObject({ ok: false, fault: { kind: 'failed' } });
    });

    it('given missing parents, when a directory is made, then all are there; again is success and leaves the mode', async () => {
      expect(await files.makeDirectory(`${root}/x/y`, { mode: 0o777 })).toMatchObject({ ok: true });
      expect(await world.modeOf(`${root}/x/y`)).toBe(0o777);
      expect(await files.makeDirectory(`${root}/x/y`, { mode: 0o700 })).toMatchObject({ ok: true });
      expect(await world.modeOf(`${root}/x/y`)).toBe(0o777);
    });

    it('given a file in the way, when a directory is made, then it fails', async () => {
      await world.put(`${root}/a`, '');
      expect(await files.makeDirectory(`${root}/a`, { mode: 0o755 })).toMatchObject({ ok: false });
      expect(await files.makeDirectory(`${root}/a/b`, { mode: 0o755 })).toMatchObject({ ok: false });
    });

    it('given files and nothing, when removed, then both are success', async () => {
      await world.put(`${root}/a`, '');
      expect(await files.removeFile(`${root}/a`)).toMatchObject({ ok: true });
      expect(await files.removeFile(`${root}/a`)).toMatchObject({ ok: true });
      expect(await files.removeFile(`${root}/a/b`)).toMatchObject({ ok: true });
      await world.put(`${root}/b`, '');
      expect(await files.removeFile(`${root}/b`, { durable: true })).toMatchObject({ ok: true });
      expect(await files.removeFile(`${root}/b`, { durable: true })).toMatchObject({ ok: true });
      expect(await names(root)).toEqual([]);
    });

    it('given a tree, when removed, then all of it is gone and its neighbours stay; a missing one is success', async () => {
      await world.put(`${root}/tree/a/b/c`, 'x');
      await world.put(`${root}/tree/a/d`, 'x');
      await world.put(`${root}/tree2`, 'x');
      expect(await files.removeTree(`${root}/tree`)).toMatchObject({ ok: true });
      expect(await files.removeTree(`${root}/tree`)).toMatchObject({ ok: true });
      expect(await names(root)).toEqual(['tree2 file']);
      expect(await files.removeTree(`${root}/tree2`)).toMatchObject({ ok: true });
      expect(await names(root)).toEqual([]);
    });

    it('given a tree, when its usage is asked for, then blocks and inodes of all of it are added up', async () => {
      await world.put(`${root}/tree/a`, 'x'.repeat(100_000));
      await world.put(`${root}/tree/d/b`, 'x'.repeat(10_000));
      await world.put(`${root}/tree2`, 'x'.repeat(1_000_000));
      const answer = await files.usage(`${root}/tree`, { entriesMax: 100 });
      expect(answer).toMatchObject({ ok: true, value: { inodes: 4, complete: true } });
      const bytes = answer.ok ? answer.value.bytes : 0;
      expect(bytes).toBeGreaterThanOrEqual(110_000);
      expect(bytes).toBeLessThan(110_000 + 4 * 8_192);
    });

    it('given a tree of many entries, when its usage is asked for with fewer, then it says that it has not seen all', async () => {
      for (let index = 0; index < 40; index += 1) await world.put(`${root}/tree/${index}`, 'x');
      expect(await files.usage(`${root}/tree`, { entriesMax: 10 })).toMatchObject({ ok: true, value: { inodes: 10, complete: false } });
      expect(await files.usage(`${root}/tree`, { entriesMax: 41 })).toMatchObject({ ok: true, value: { inodes: 41, complete: true } });
    });

    it('given nothing there, when its usage is asked for, then it uses nothing', async () => {
      expect(await files.usage(`${root}/missing`, { entriesMax: 10 })).toEqual({ ok: true, value: { bytes: 0, inodes: 0, complete: true } });
    });

    it('given a watch, when files come, change, move and go, then it calls back each time', async () => {
      const watch = watched(root);
      const steps: readonly (() => Promise<unknown>)[] = [
        () => world.put(`${root}/a`, '1'),
        () => world.put(`${root}/a`, '2'),
        () => world.move(`${root}/a`, `${root}/b`),
        () => files.writeAtomic(`${root}/b`, '3', { mode: 0o644 }),
        () => world.remove(`${root}/b`),
      ];
      for (const step of steps) {
        await world.rest();
        const before = watch.count();
        await step();
        await world.until(() => watch.count() > before);
      }
    });

    it('given a watch of what is missing, when it appears, goes and comes back, then it calls back each time', async () => {
      const watch = watched(`${root}/x/y`);
      await world.rest();
      expect(watch.count()).toBe(0);
      for (const round of ['first', 'second']) {
        let before = watch.count();
        await world.put(`${root}/x/y/a`, round);
        await world.until(() => watch.count() > before);
        await world.rest();
        before = watch.count();
        await world.put(`${root}/x/y/b`, round);
        await world.until(() => watch.count() > before);
        await world.rest();
        before = watch.count();
        await world.remove(`${root}/x`);
        await world.until(() => watch.count() > before);
        await world.rest();
      }
    });

    it('given a watch of a file, when it is replaced, then changes of the new one are noticed too', async () => {
      await world.put(`${root}/a`, '1');
      const watch = watched(`${root}/a`);
      for (const content of ['2', '3', '4']) {
        await world.rest();
        const before = watch.count();
        await files.writeAtomic(`${root}/a`, content, { mode: 0o644 });
        await world.until(() => watch.count() > before);
      }
    });

    it('given a stopped watch, when something changes, then it stays silent', async () => {
      const watch = watched(root);
      await watches.pop()?.stop();
      await world.put(`${root}/a`, '');
      await world.rest();
      expect(watch.count()).toBe(0);
    });
  });
}

// What every LogFilesPort must do, whatever is behind it. Run on the real file system and on the twin in memory.
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FilesPort } from '../../src/ports/files-port.ts';
import type { LogFilesPort } from '../../src/ports/log-files-port.ts';
import type { FilesWorld } from './files-contract.ts';

export interface LogFilesWorld extends FilesWorld {
  readonly logFiles: LogFilesPort;
}

export function logFilesContract(name: string, startWorld: () => Promise<LogFilesWorld>): void {
  describe(`a LogFilesPort: ${name}`, () => {
    let world: LogFilesWorld;
    let files: FilesPort;
    let logs: LogFilesPort;
    let root: string;
    beforeEach(async () => {
      world = await startWorld();
      ({ files, root, logFiles: logs } = world);
    });
    afterEach(() => world.stop());
    const bytesOf = async (path: string): Promise<Uint8Array> => {
      const answer = await files.read(path, { bytesMax: 10_000_000 });
      return answer.ok ? answer.value : new TextEncoder().encode(answer.fault.kind);
    };
    const textOf = async (path: string): Promise<string> => new TextDecoder().decode(await bytesOf(path));

    it('given a file, when its size is asked, then it is told; of a directory and of nothing it is a fault', async () => {
      await world.put(`${root}/0.log`, 'twelve bytes');
      expect(await logs.sizeOf(`${root}/0.log`)).toEqual({ ok: true, value: 12 });
      expect(await logs.sizeOf(root)).toMatchObject({ ok: false, fault: { kind: 'failed' } });
      expect(await logs.sizeOf(`${root}/1.log`)).toMatchObject({ ok: false, fault: { kind: 'not-found' } });
    });

    it('given two files, when one takes the name of the other, then only it is left', async () => {
      await world.put(`${root}/0.log`, 'new');
      await world.put(`${root}/1.log`, 'old');
      expect(await logs.rename(`${root}/0.log`, `${root}/1.log`)).toMatchObject({ ok: true });
      expect(await textOf(`${root}/1.log`)).toBe('new');
      expect(await textOf(`${root}/0.log`)).toBe('not-found');
      expect(await logs.rename(`${root}/0.log`, `${root}/1.log`)).toMatchObject({ ok: false, fault: { kind: 'not-found' } });
    });

    it('given a link, when made, made anew and left dangling, then it leads where it was told to', async () => {
      await world.put(`${root}/pods/0.log`, 'zero');
      await world.put(`${root}/pods/1.log`, 'one');
      expect(await logs.link(`${root}/pods/0.log`, `${root}/link`)).toMatchObject({ ok: true });
      expect(await textOf(`${root}/link`)).toBe('zero');
      expect(await logs.link(`${root}/pods/1.log`, `${root}/link`)).toMatchObject({ ok: true });
      expect(await logs.link(`${root}/pods/1.log`, `${root}/link`)).toMatchObject({ ok: true });
      expect(await textOf(`${root}/link`)).toBe('one');
      const kinds = async () => {
        const listed = await files.list(root);
        return listed.ok ? listed.value.map(({ name: entry, kind }) => `${entry} ${kind}`) : [];
      };
      expect(await kinds()).toEqual(['link file', 'pods directory']);
      await world.remove(`${root}/pods/1.log`);
      expect(await kinds()).toEqual(['link other', 'pods directory']);
      expect(await files.removeFile(`${root}/link`)).toMatchObject({ ok: true });
      expect(await textOf(`${root}/pods/0.log`)).toBe('zero');
    });

    it('given a file where a link should be, when it is made, then the file stays and it is a fault', async () => {
      await world.put(`${root}/0.log`, 'mine');
      expect(await logs.link(`${root}/elsewhere`, `${root}/0.log`)).toMatchObject({ ok: false, fault: { kind: 'failed' } });
      expect(await textOf(`${root}/0.log`)).toBe('mine');
    });

    it('given a log, when compressed, then the copy has the same content and mode, and the log stays', async () => {
      const content = 'a line of a log that says what others say\n'.repeat(20_000);
      await world.put(`${root}/0.log.1`, content);
      await world.put(`${root}/0.log.1.gz`, 'left by a crash');
      expect(await logs.compress(`${root}/0.log.1`, `${root}/0.log.1.gz`)).toMatchObject({ ok: true });
      expect(gunzipSync(await bytesOf(`${root}/0.log.1.gz`)).toString()).toBe(content);
      expect((await bytesOf(`${root}/0.log.1.gz`)).length).toBeLessThan(content.length / 20);
      expect(await world.modeOf(`${root}/0.log.1.gz`)).toBe(await world.modeOf(`${root}/0.log.1`));
      expect(await textOf(`${root}/0.log.1`)).toBe(content);
    });

    it('given nothing to compress, when asked to, then it is a fault and nothing is made', async () => {
      expect(await logs.compress(`${root}/0.log.1`, `${root}/0.log.1.gz`)).toMatchObject({ ok: false, fault: { kind: 'not-found' } });
      expect(await textOf(`${root}/0.log.1.gz`)).toBe('not-found');
    });
  });
}

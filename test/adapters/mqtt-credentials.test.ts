// The credential files as the client takes them, on the real file system and on the one in memory, with certificates made by openssl.
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MqttCredentials } from '../../src/adapters/mqtt-credentials.ts';
import { NodeFiles } from '../../src/adapters/node-files.ts';
import { SimFiles } from '../../src/adapters/sim/sim-files.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import type { FilesPort } from '../../src/ports/files-port.ts';
import { type IssuedFiles, pemOf, TestAuthority } from '../support/certificates.ts';

let directory = '';
let authority: TestAuthority;
let first: IssuedFiles;
let second: IssuedFiles;
const notAfterMs = Date.UTC(2040, 0, 1);
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'mqlet-credentials-'));
  authority = new TestAuthority(path.join(directory, 'authority'));
  first = authority.issue('edge-07', { use: 'client', notAfterMs });
  second = authority.issue('edge-07', { use: 'client' });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

for (const [name, start] of [
  ['on disk', () => ({ files: new NodeFiles() as FilesPort, root: mkdtempSync(path.join(directory, 'files-')) })],
  ['in memory', () => ({ files: new SimFiles({ clock: new VirtualClock() }) as FilesPort, root: '/etc/mqlet' })],
] as const) {
  describe(`MqttCredentials ${name}`, () => {
    const world = async () => {
      const { files, root } = start();
      await files.makeDirectory(root, { mode: 0o755 });
      const paths = { ca: `${root}/ca.pem`, cert: `${root}/tls.crt`, key: `${root}/tls.key`, password: `${root}/password` };
      const put = async (kind: keyof typeof paths, text: string) => expect(await files.writeAtomic(paths[kind], text, { mode: 0o600 })).toMatchObject({ ok: true });
      await put('ca', pemOf(authority.ca));
      await put('cert', pemOf(first.cert));
      await put('key', pemOf(first.key));
      await put('password', 'first-secret\n');
      return { files, paths, put, credentials: new MqttCredentials(files, paths) };
    };

    it('given good files, when they are taken, then the connection gets their texts and the facts tell the period', async () => {
      const { credentials } = await world();
      expect(credentials.inUse()).toBeUndefined();
      expect(await credentials.take()).toEqual({
        ok: true, value: { tls: { ca: pemOf(authority.ca), cert: pemOf(first.cert), key: pemOf(first.key) }, password: 'first-secret' },
      });
      expect(credentials.inUse()?.certificate).toMatchObject({ subject: 'CN=edge-07', notAfterMs });
      expect(JSON.stringify(credentials.inUse())).not.toContain('secret');
    });

    it('given a renewal in steps, when only the certificate is there, then the old pair stays in use, and the new pair when the key is there', async () => {
      const { credentials, put, paths } = await world();
      const before = await credentials.reload();
      await put('cert', pemOf(second.cert));
      expect(await credentials.reload()).toEqual({ ok: false, fault: { message: `--mqtt-key-file ${paths.key}: is not the key of the certificate in --mqtt-cert-file ${paths.cert}` } });
      expect(await credentials.take()).toMatchObject({ ok: true, value: { tls: { cert: pemOf(first.cert), key: pemOf(first.key) } } });
      await put('key', pemOf(second.key));
      const after = await credentials.reload();
      expect(after).toMatchObject({ ok: true });
      expect(after).not.toEqual(before);
      expect(await credentials.take()).toMatchObject({ ok: true, value: { tls: { cert: pemOf(second.cert), key: pemOf(second.key) } } });
    });

    it('given another password, when it is taken, then the connection gets it, and the version of the certificates is the same', async () => {
      const { credentials, put } = await world();
      const before = await credentials.reload();
      await put('password', 'second-secret');
      expect(await credentials.take()).toMatchObject({ value: { password: 'second-secret' } });
      expect(await credentials.reload()).toEqual(before);
    });

    it.each([
      ['cert', '', /^--mqtt-cert-file \S+: is empty$/],
      ['cert', 'no certificate', /^--mqtt-cert-file \S+: is no PEM certificate$/],
      ['ca', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', /^--mqtt-ca-file \S+: is no PEM certificate$/],
      ['key', 'top-secret key', /^--mqtt-key-file \S+: is no PEM key without passphrase$/],
    ] as const)('given a %s file with "%s", when it is read, then the fault names file and mend, no content, and what was good stays', async (kind, text, line) => {
      const { credentials, put } = await world();
      await credentials.reload();
      await put(kind, text);
      const read = await credentials.reload();
      expect(read.ok ? '' : read.fault.message).toMatch(line);
      expect(JSON.stringify(read)).not.toContain('top-secret');
      expect((await credentials.take()).ok).toBe(true);
    });

    it('given a file that is gone, when there was never a good one, then there is nothing to connect with, and a line says so', async () => {
      const { credentials, files, paths } = await world();
      await files.removeFile(paths.key);
      expect(await credentials.take()).toMatchObject({ ok: false, fault: { message: expect.stringMatching(/^--mqtt-key-file .*tls\.key/) } });
    });
  });
}

describe('MqttCredentials that are watched', () => {
  const until = async (condition: () => boolean): Promise<void> => {
    for (let tries = 0; !condition(); tries += 1) {
      if (tries > 300) throw new Error('the condition did not come true within 3 s');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  it('given files behind one link, as Kubernetes mounts them, when the link is replaced, then it is noticed', async () => {
    const root = mkdtempSync(path.join(directory, 'mounted-'));
    const files = new NodeFiles();
    for (const [name, issued] of [['1', first], ['2', second]] as const) {
      await files.makeDirectory(`${root}/..data-${name}`, { mode: 0o755 });
      writeFileSync(`${root}/..data-${name}/tls.crt`, pemOf(issued.cert));
      writeFileSync(`${root}/..data-${name}/tls.key`, pemOf(issued.key));
    }
    symlinkSync('..data-1', `${root}/..data`);
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, `${root}/${name}`);
    const credentials = new MqttCredentials(files, { cert: `${root}/tls.crt`, key: `${root}/tls.key` });
    await credentials.take();
    let changes = 0;
    const watch = credentials.watch(() => void (changes += 1));
    symlinkSync('..data-2', `${root}/..data-new`);
    renameSync(`${root}/..data-new`, `${root}/..data`);
    await until(() => changes > 0);
    expect(await credentials.take()).toMatchObject({ value: { tls: { cert: pemOf(second.cert) } } });
    await watch.stop();
  });
});

// The layouts that scripts/images writes, with a folder of three files: the same bytes from the same content, and read by containerd.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ContainerdFixture, containerdProblem, withContainerd } from '../support/containerd.ts';

const checkout = path.resolve(import.meta.dirname, '../..');
const seconds = 1_700_000_000;
const problem = await containerdProblem();

interface Layout {
  layer(folder: string, options: { seconds: number; packed: readonly string[] }): Promise<object>;
  image(image: object): { readonly descriptor: { readonly digest: string }; readonly compressedBytes: number };
  named(name: string, images: readonly object[]): object;
  archive(file: string, named: object, at: number): Promise<void>;
  finish(): void;
}

describe('an OCI layout', () => {
  let directory = '';
  let fixture: ContainerdFixture | undefined;
  beforeAll(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'mqlet-oci-'));
    if (problem === undefined) fixture = await withContainerd();
  }, 120_000);
  afterAll(async () => {
    await fixture?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  /** The same content, made in another order and at another time. */
  const content = (name: string, order: readonly string[]): string => {
    const folder = path.join(directory, name);
    mkdirSync(folder);
    for (const file of order) {
      writeFileSync(path.join(folder, file), `content of ${file}\n`);
      chmodSync(path.join(folder, file), 0o644);
      utimesSync(path.join(folder, file), 1, order.indexOf(file) * 1_000);
    }
    symlinkSync('a', path.join(folder, 'link'));
    chmodSync(folder, 0o755);
    return folder;
  };

  const written = async (name: string, folder: string): Promise<{ readonly file: string; readonly layout: string }> => {
    // Scripts of the project, without types.
    const script = (file: string): Promise<unknown> => import(pathToFileURL(path.join(checkout, 'scripts/images', file)).href);
    const { OciLayout } = await script('oci.mjs') as { OciLayout: new (at: string, tools: object) => Layout };
    const { libdeflate } = await script('libdeflate.mjs') as { libdeflate: () => Promise<object> };
    const layout = path.join(directory, `${name}-layout`);
    const oci = new OciLayout(layout, { libdeflate: await libdeflate() });
    const layer = { ...await oci.layer(folder, { seconds, packed: ['gzip', 'zstd'] }), comment: 'a test' };
    const images = ['gzip', 'zstd'].map((packing) => oci.image({ platform: { os: 'linux', architecture: 'amd64' }, layers: [layer], config: { Cmd: ['/a'] }, packing, created: new Date(seconds * 1_000).toISOString(), annotations: {} }));
    const named = images.map((image, index) => oci.named(`mqlet.local/oci-test:${['gzip', 'zstd'][index]}`, [image]));
    const file = path.join(directory, `${name}.tar`);
    await oci.archive(file, named[1] ?? {}, seconds);
    oci.finish();
    return { file, layout };
  };

  it('given the same content twice, when layouts and archives are written, then they are the same bit for bit', async () => {
    const [one, two] = [await written('one', content('content-1', ['a', 'b', 'c'])), await written('two', content('content-2', ['c', 'a', 'b']))];
    const blobs = (layout: string): readonly string[] => readdirSync(path.join(layout, 'blobs', 'sha256')).sort();
    expect(blobs(two.layout)).toEqual(blobs(one.layout));
    expect(readFileSync(path.join(two.layout, 'index.json'), 'utf8')).toBe(readFileSync(path.join(one.layout, 'index.json'), 'utf8'));
    expect(readFileSync(two.file).equals(readFileSync(one.file))).toBe(true);
    for (const name of blobs(one.layout)) expect(createHash('sha256').update(readFileSync(path.join(one.layout, 'blobs', 'sha256', name))).digest('hex')).toBe(name);
  });

  it.skipIf(problem !== undefined)(`given an archive with zstd, when containerd imports it, then the files are there${problem === undefined ? '' : ` (${problem})`}`, async () => {
    const { file } = await written('three', content('content-3', ['a', 'b', 'c']));
    const ctr = (...args: readonly string[]): string => execFileSync('ctr', ['--address', fixture?.endpoint.slice('unix://'.length) ?? '', '--namespace', 'oci-test', ...args], { encoding: 'utf8' });
    ctr('images', 'import', '--snapshotter', fixture?.containerd.snapshotter ?? '', file);
    const mounted = path.join(directory, 'mounted');
    mkdirSync(mounted);
    ctr('images', 'mount', '--snapshotter', fixture?.containerd.snapshotter ?? '', 'mqlet.local/oci-test:zstd', mounted);
    try {
      expect(Object.fromEntries(['a', 'b', 'c', 'link'].map((name) => [name, readFileSync(path.join(mounted, name), 'utf8')]))).toEqual({ a: 'content of a\n', b: 'content of b\n', c: 'content of c\n', link: 'content of a\n' });
    } finally {
      execFileSync('umount', [mounted]);
      ctr('snapshots', '--snapshotter', fixture?.containerd.snapshotter ?? '', 'remove', mounted);
      ctr('images', 'remove', '--sync', 'mqlet.local/oci-test:zstd');
    }
  });
});

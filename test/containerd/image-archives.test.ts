// Archives lying on the node on a real containerd: a daemon that has them runs a pod whose image no registry has.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ImageArchives } from '../../src/adapters/image-archives.ts';
import { NodeFiles } from '../../src/adapters/node-files.ts';
import { NodeVolumes } from '../../src/adapters/node-volumes.ts';
import { demoImageSources } from '../../src/demo/demo-images.ts';
import { buildImageArchive, type ImageSource } from '../../src/demo/oci-archive.ts';
import { busyboxImage, type ContainerdFixture, containerdProblem, withContainerd } from '../support/containerd.ts';
import { buildMqlet, mqlet, startDaemon } from '../support/daemon-process.ts';

const problem = await containerdProblem();
if (problem !== undefined) console.warn(`skipped: ${problem}`);
const image = 'registry.invalid/site/app:7';
const goArchitecture = arch() === 'x64' ? 'amd64' : arch();

describe.skipIf(problem)('archives lying on the node', () => {
  let fixture: ContainerdFixture;
  let source: ImageSource;
  const at = (name: string): string => path.join(fixture.directory, name);
  beforeAll(async () => {
    await buildMqlet();
    const sources = await demoImageSources();
    const busybox = sources.ok ? sources.value.find(({ name }) => name === busyboxImage) : undefined;
    if (busybox === undefined) throw new Error('busybox cannot be had');
    source = { ...busybox, name: image };
    fixture = await withContainerd();
    mkdirSync(at('archives'));
    mkdirSync(at('manifests'));
  });
  afterAll(async () => {
    await new NodeVolumes().unmountBelow(at('root'));
    await fixture?.stop();
  });

  test('given tar files of several makers, when they are listed, then their images are known, and what cannot be taken says why', async () => {
    const archive = Buffer.from(buildImageArchive([source], goArchitecture).bytes);
    mkdirSync(at('listed/saved'), { recursive: true });
    writeFileSync(at('listed/oci.tar'), archive);
    writeFileSync(at('listed/packed.tar'), gzipSync(archive));
    writeFileSync(at('listed/text.tar'), 'x'.repeat(2_000));
    writeFileSync(at('listed/notes.txt'), '');
    writeFileSync(at('listed/saved/manifest.json'), JSON.stringify([{ Config: 'c.json', RepoTags: ['site/app:7', 'site/app:latest'], Layers: [] }]));
    execFileSync('tar', ['-C', at('listed/saved'), '-cf', at('listed/saved.tar'), './manifest.json']);
    const listed = await new ImageArchives({ directory: at('listed'), endpoint: fixture.endpoint, files: new NodeFiles() }).list();
    expect(listed).toEqual({ ok: true, value: [
      { path: at('listed/oci.tar'), images: [image] },
      { path: at('listed/packed.tar'), images: [], problem: 'is compressed as a whole: unpack it to a plain .tar' },
      { path: at('listed/saved.tar'), images: ['site/app:7', 'site/app:latest'] },
      { path: at('listed/text.tar'), images: [], problem: 'is no tar file' },
    ] });
    expect(await new ImageArchives({ directory: at('none'), endpoint: fixture.endpoint, files: new NodeFiles() }).list()).toEqual({ ok: true, value: [] });
    const taken = await new ImageArchives({ directory: at('listed'), endpoint: fixture.endpoint, files: new NodeFiles() }).take(at('listed/text.tar'));
    expect(taken.ok).toBe(false);
  });

  test('given an archive and a pod of its image, when the node starts, then the pod runs although no registry has it', async () => {
    writeFileSync(at('archives/app.tar'), buildImageArchive([source], goArchitecture).bytes);
    writeFileSync(at('manifests/app.yaml'), `apiVersion: v1\nkind: Pod\nmetadata: {name: app}\nspec:\n  terminationGracePeriodSeconds: 1\n  containers:\n    - {name: app, image: ${image}, command: [sh, -c, 'trap "exit 0" TERM; while :; do sleep 0.1; done']}\n`);
    const daemon = startDaemon([
      '--hostname-override', 'edge-07', '--root-dir', at('root'), '--pod-logs-dir', at('logs'), '--pod-manifest-path', at('manifests'), '--container-runtime-endpoint', fixture.endpoint,
      '--cgroup-root', fixture.containerd.cgroupRoot, '--healthz-port', '0', '--image-archives-dir', at('archives'),
    ]);
    await expect.poll(() => mqlet(['get', 'pods', '-o', 'json', '--root-dir', at('root')]).then(({ stdout }) => stdout), { timeout: 30_000, interval: 250 }).toMatch(/"phase": ?"Running"/);
    expect(daemon.log('archives.taken')).toEqual([expect.objectContaining({ images: [image], path: at('archives/app.tar') })]);
    await daemon.end('SIGTERM');
  });
});

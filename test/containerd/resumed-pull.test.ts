// A pull that was ended in the middle of a layer, on the real containerd and a registry that counts: what is downloaded twice.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { arch } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PacedPull } from '../../src/actors/paced-pull.ts';
import { connectCri, type CriConnection } from '../../src/adapters/cri/cri-client.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { buildImageArchive } from '../../src/demo/oci-archive.ts';
import { type ContainerdFixture, containerdProblem, withContainerd } from '../support/containerd.ts';
import { silentLog } from '../support/silent-log.ts';

const problem = await containerdProblem();
if (problem !== undefined) console.warn(`skipped: ${problem}`);
const layerBytes = 8 * 1_024 * 1_024;
const firstPart = 5 * 1_024 * 1_024;

interface Manifest {
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
}

describe.skipIf(problem)('a pull that was ended', () => {
  let fixture: ContainerdFixture;
  let cri: CriConnection;
  let server: Server;
  let blobs = '';
  let manifest = '';
  let layer = '';
  /** Bytes of the layer that each request asked to leave out, in order. */
  const offsets: number[] = [];
  const blob = (digest: string): Buffer => readFileSync(path.join(blobs, digest.replace('sha256:', '')));

  // A listening TCP server has such an address.
  const imageName = (): string => `127.0.0.1:${(server.address() as AddressInfo).port}/app:1`;
  /** Bytes of the layer a second; 0 is as fast as it goes. */
  let pace = 0;
  const trickle = (content: Buffer, response: ServerResponse): void => {
    if (response.destroyed) return;
    response.write(content.subarray(0, pace / 10));
    if (content.length <= pace / 10) response.end();
    else setTimeout(() => trickle(content.subarray(pace / 10), response), 100);
  };

  const answer = ({ url = '', headers }: IncomingMessage, response: ServerResponse): void => {
    const digest = /sha256:[0-9a-f]{64}$/.exec(url)?.[0];
    if (url.includes('/manifests/')) {
      response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json', 'docker-content-digest': manifest }).end(blob(manifest));
    } else if (digest === undefined) response.writeHead(200).end();
    else {
      const content = blob(digest);
      const from = Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
      response.writeHead(from > 0 ? 206 : 200, { 'content-length': content.length - from, 'accept-ranges': 'bytes', ...(from > 0 ? { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` } : {}) });
      if (digest !== layer) return void response.end(content.subarray(from));
      offsets.push(from);
      if (pace > 0) return trickle(content.subarray(from), response);
      // The first time it stops in the middle, and the line stays open.
      if (offsets.length === 1) response.write(content.subarray(0, firstPart));
      else response.end(content.subarray(from));
    }
  };

  beforeAll(async () => {
    fixture = await withContainerd();
    const archive = buildImageArchive([{ name: 'app:1', files: [{ kind: 'file', path: 'data', mode: 0o644, content: randomBytes(layerBytes) }] }], arch() === 'x64' ? 'amd64' : arch());
    const place = path.join(fixture.directory, 'image');
    mkdirSync(place);
    writeFileSync(path.join(place, 'image.tar'), archive.bytes);
    execFileSync('tar', ['-C', place, '-xf', path.join(place, 'image.tar')]);
    blobs = path.join(place, 'blobs', 'sha256');
    manifest = archive.images[0]?.manifestDigest ?? '';
    // Written by our own builder, in the form of an OCI manifest.
    layer = (JSON.parse(blob(manifest).toString('utf8')) as Manifest).layers[0]?.digest ?? '';
    server = createServer(answer);
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    cri = connectCri({ endpoint: fixture.endpoint, clock: new SystemClock(), log: silentLog, callTimeoutMs: 20_000 });
  });
  afterAll(async () => {
    server?.closeAllConnections();
    server?.close();
    await cri?.close();
    await fixture?.stop();
  });

  test('given a layer that is half there, when it is pulled again, then only the rest is asked for', async () => {
    const image = imageName();
    const controller = new AbortController();
    const first = cri.images.pull(image, undefined, undefined, { signal: controller.signal });
    await expect.poll(async () => {
      const progress = await cri.images.progress();
      return progress.ok ? progress.value : '';
    }, { timeout: 10_000 }).toContain(String(firstPart));
    controller.abort('the window has closed');
    expect((await first).ok).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect((await cri.images.pull(image, undefined, undefined)).ok).toBe(true);
    expect(offsets).toEqual([0, firstPart]);
  });

  test('given a limit, when an image is pulled ahead of pods, then it comes in parts, no faster than that on the average', async () => {
    await cri.images.remove(imageName());
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    offsets.length = 0;
    pace = 2 * 1_024 * 1_024;
    const began = performance.now();
    const paced = new PacedPull({ images: cri.images, clock: new SystemClock(), progressDeadlineMs: 30_000, bytesPerSecondMax: 1_024 * 1_024 });
    expect(await paced.pull(imageName(), new AbortController().signal)).toMatchObject({ ok: true });
    paced.stop();
    // 8 MiB at 1 MiB a second, less the burst at the end that nobody looks at.
    expect(performance.now() - began).toBeGreaterThan(5_000);
    expect(offsets.length).toBeGreaterThan(1);
    expect(offsets[1]).toBeGreaterThan(0);
  });
});

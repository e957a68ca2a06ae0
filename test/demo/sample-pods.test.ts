import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { decodeManifest } from '../../src/bus/ingress/decode-pod.ts';
import { samplePods, type PodCloud } from '../../src/demo/sample-pods.ts';
import type { Pod } from '../../src/ports/pod-types.ts';
import { ok } from '../../src/ports/result.ts';

const examplesDirectory = path.resolve(import.meta.dirname, '../../examples');

describe('samplePods', () => {
  const manifestDirectory = mkdtempSync(path.join(tmpdir(), 'mqlet-manifests-'));
  afterEach(() => rmSync(manifestDirectory, { recursive: true, force: true }));

  const held: Pod[] = [];
  const deleted: unknown[] = [];
  const cloud: PodCloud = {
    applyPod: async (pod) => {
      held.push(pod);
      return ok();
    },
    deletePod: async (pod) => {
      deleted.push(pod);
      return ok();
    },
    pods: () => held,
  };
  const status = (ready: 'True' | 'False') => ({ phase: ready === 'True' ? 'Running' : 'Pending', conditions: [{ type: 'Ready', status: ready }] });

  it('given a cloud, when the pods live and go, then they are ready and gone only as the cloud sees it', async () => {
    const pods = samplePods({ cloud, nodeName: 'n1', examplesDirectory, manifestDirectory });
    expect((await pods.start()).ok).toBe(true);
    expect(readdirSync(manifestDirectory)).toEqual(['web.yaml']);
    expect(held[0]).toMatchObject({ metadata: { name: 'clock', namespace: 'default' } });
    expect(pods.notReady()).toEqual(['web-n1 is not at the cloud', 'clock is without status']);

    const waiting = { ...status('False'), containerStatuses: [{ name: 'c', image: '', imageID: '', ready: false, restartCount: 0, state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } }] };
    held.splice(0, 2, { ...held[0], status: waiting }, { metadata: { name: 'web-n1', namespace: 'default' }, status: status('True') });
    expect(pods.notReady()).toEqual(['clock is Pending (ImagePullBackOff: no such image)']);
    held.splice(0, 1, { ...held[0], status: status('True') });
    expect(pods.notReady()).toEqual([]);

    expect((await pods.remove()).ok).toBe(true);
    expect(existsSync(path.join(manifestDirectory, 'web.yaml'))).toBe(false);
    expect(deleted).toEqual([{ namespace: 'default', name: 'clock' }]);
    expect(pods.notGone()).toEqual(['web-n1 is Running', 'clock is Running']);
    held.splice(0);
    expect(pods.notGone()).toEqual([]);
  });
});

describe('examples', () => {
  it.each(readdirSync(examplesDirectory).filter((name) => name.endsWith('.yaml')))('given %s, when read, then it is one valid pod named like the file, of images the demo has', async (name) => {
    const pod = parse(await readFile(path.join(examplesDirectory, name), 'utf8')) as Pod;
    expect(pod).toMatchObject({ apiVersion: 'v1', kind: 'Pod', metadata: { name: path.basename(name, '.yaml') } });
    const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
    expect(containers.length).toBeGreaterThan(0);
    for (const container of containers) expect(container.image).toBe('mqlet.local/busybox:1');
    const decoded = decodeManifest(await readFile(path.join(examplesDirectory, name)), { origin: name, source: 'file', nodeName: 'n1' });
    expect(decoded.faults).toEqual([]);
  });
});

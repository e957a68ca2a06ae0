// The archives are read back with the system's tar: what containerd's importer sees.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { buildImageArchive, type ImageSource } from '../../src/demo/oci-archive.ts';

const source: ImageSource = {
  name: 'mqlet.local/sample:1',
  command: ['sh'],
  user: '1000',
  files: [
    { kind: 'file', path: 'usr/bin/tool', mode: 0o755, content: 'x'.repeat(1000) },
    { kind: 'link', path: 'bin/sh', target: '/usr/bin/tool' },
    { kind: 'directory', path: 'tmp', mode: 0o1777 },
  ],
};

function tar(args: readonly string[], input: Uint8Array): string {
  return execFileSync('tar', [...args], { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
}

function file(archive: Uint8Array, name: string): string {
  return tar(['--extract', '--to-stdout', '--file=-', name], archive);
}

function blobFile(digest: string): string {
  return digest.replace('sha256:', 'blobs/sha256/');
}

describe('buildImageArchive', () => {
  it('given the same files twice, when built, then the bytes are the same', () => {
    expect(buildImageArchive([source], 'amd64')).toEqual(buildImageArchive([source], 'amd64'));
  });

  it('given one file changed, when built, then manifest and configuration have other digests', () => {
    const changed = { ...source, files: [{ kind: 'file' as const, path: 'a', mode: 0o644, content: 'b' }] };
    const [before] = buildImageArchive([source], 'amd64').images;
    const [after] = buildImageArchive([changed], 'amd64').images;
    expect(after?.manifestDigest).not.toBe(before?.manifestDigest);
    expect(after?.configDigest).not.toBe(before?.configDigest);
  });

  it('given an image, when read back, then index, manifest, configuration and layer name each other by their digests', () => {
    const { bytes, images } = buildImageArchive([source], 'arm64');
    const index = JSON.parse(file(bytes, 'index.json'));
    expect(index.manifests).toEqual([{
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: images[0]?.manifestDigest,
      size: expect.any(Number),
      platform: { architecture: 'arm64', os: 'linux' },
      annotations: { 'io.containerd.image.name': source.name, 'org.opencontainers.image.ref.name': source.name },
    }]);
    const manifestText = file(bytes, blobFile(index.manifests[0].digest));
    expect(manifestText.length).toBe(index.manifests[0].size);
    const manifest = JSON.parse(manifestText);
    expect(manifest.config.digest).toBe(images[0]?.configDigest);
    const config = JSON.parse(file(bytes, blobFile(manifest.config.digest)));
    expect(config.rootfs.diff_ids).toEqual([manifest.layers[0].digest]);
    expect(config.config).toMatchObject({ Cmd: ['sh'], User: '1000' });
    for (const name of tar(['--list', '--file=-'], bytes).split('\n').filter((line) => /sha256\/./.test(line))) {
      expect(createHash('sha256').update(file(bytes, name)).digest('hex')).toBe(name.slice('blobs/sha256/'.length));
    }
  });

  it('given files, a link and a directory, when the layer is listed, then parents come first with root as owner and no time', () => {
    const { bytes } = buildImageArchive([source], 'amd64');
    const index = JSON.parse(file(bytes, 'index.json'));
    const manifest = JSON.parse(file(bytes, blobFile(index.manifests[0].digest)));
    const layer = execFileSync('tar', ['--extract', '--to-stdout', '--file=-', blobFile(manifest.layers[0].digest)], { input: bytes });
    const listing = tar(['--list', '--verbose', '--numeric-owner', '--utc', '--file=-'], layer).trimEnd().split('\n').map((line) => line.replace(/\s+/g, ' '));
    expect(listing).toEqual([
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 bin/',
      'lrwxrwxrwx 0/0 0 1970-01-01 00:00 bin/sh -> /usr/bin/tool',
      'drwxrwxrwt 0/0 0 1970-01-01 00:00 tmp/',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 usr/',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 usr/bin/',
      '-rwxr-xr-x 0/0 1000 1970-01-01 00:00 usr/bin/tool',
    ]);
  });
});

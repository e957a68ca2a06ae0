// The images the demo and the tests run, built on this machine because no registry may be reachable:
// busybox with all its applets, and the pause program of every sandbox. Imports them into a containerd with ctr.
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import path from 'node:path';
import { fail, ok, type Result } from '../ports/result.ts';
import { runCommand, waitUntil } from './child-process.ts';
import { buildImageArchive, type BuiltImage, type ImageFile, type ImageSource } from './oci-archive.ts';
import type { PartFault } from './part-fault.ts';

export const busyboxImage = 'mqlet.local/busybox:1';
export const pauseImage = 'mqlet.local/pause:1';

/** Time containerd's CRI plugin may take to notice an imported image. */
const noticedMsMax = 10_000;

const goArchitectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm', ia32: '386', riscv64: 'riscv64', ppc64: 'ppc64le', s390x: 's390x' };

const busyboxPaths = ['/bin/busybox', '/usr/bin/busybox'];
const catatonitPaths = ['/usr/bin/catatonit', '/usr/libexec/podman/catatonit', '/usr/libexec/catatonit/catatonit'];

/** The two images every demo needs. Fails where a program they are made of is missing. */
export async function demoImageSources(): Promise<Result<readonly ImageSource[], PartFault>> {
  const busybox = busyboxPaths.find(existsSync);
  const catatonit = catatonitPaths.find(existsSync);
  if (busybox === undefined) return fail(missing('busybox-static', busyboxPaths));
  if (catatonit === undefined) return fail(missing('catatonit', catatonitPaths));
  const program = readFileSync(busybox);
  if (!isStatic(program)) {
    return fail({ part: 'images', message: `${busybox} needs shared libraries; install the package busybox-static`, tail: [] });
  }
  const applets = await runCommand(busybox, ['--list-full']);
  const links = applets.stdout.split('\n').filter((applet) => applet !== '' && applet !== 'bin/busybox')
    .map((applet): ImageFile => ({ kind: 'link', path: applet, target: '/bin/busybox' }));
  return ok([
    {
      name: busyboxImage,
      command: ['sh'],
      files: [
        { kind: 'file', path: 'bin/busybox', mode: 0o755, content: program },
        ...links,
        { kind: 'file', path: 'etc/passwd', mode: 0o644, content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' },
        { kind: 'file', path: 'etc/group', mode: 0o644, content: 'root:x:0:\nnogroup:x:65534:\n' },
        { kind: 'directory', path: 'root', mode: 0o700 },
        { kind: 'directory', path: 'tmp', mode: 0o1777 },
        { kind: 'directory', path: 'var/www', mode: 0o755 },
      ],
    },
    {
      name: pauseImage,
      entrypoint: ['/catatonit', '-P'],
      files: [{ kind: 'file', path: 'catatonit', mode: 0o755, content: readFileSync(catatonit) }],
    },
  ]);
}

/**
 * Builds the images and imports them for CRI (namespace `k8s.io`), returning once CRI knows them.
 * Names already there are replaced.
 * @param directory where the archive lies for the moment of the import
 */
export async function importImages(options: {
  readonly endpoint: string;
  readonly directory: string;
  readonly snapshotter: string;
  readonly images: readonly ImageSource[];
}): Promise<Result<readonly BuiltImage[], PartFault>> {
  const archive = buildImageArchive(options.images, goArchitectures[arch()] ?? arch());
  const file = path.join(options.directory, 'images.tar');
  await writeFile(file, archive.bytes);
  const imported = await containerdImages(options.endpoint, ['import', '--snapshotter', options.snapshotter, file]);
  await rm(file, { force: true });
  if (imported.code !== 0) {
    return fail({ part: 'images', message: 'ctr images import failed', tail: imported.stderr.trim().split('\n') });
  }
  // CRI takes images from containerd's event stream; its own name for each is the configuration's digest.
  const noticed = await waitUntil({
    timeoutMs: noticedMsMax,
    everyMs: 20,
    ask: async () => {
      const listed = new Set((await containerdImages(options.endpoint, ['list', '--quiet'])).stdout.split('\n'));
      return archive.images.every((image) => listed.has(image.configDigest)) ? true : undefined;
    },
  });
  if (noticed === undefined) {
    return fail({ part: 'images', message: `the CRI plugin did not take in the images within ${noticedMsMax / 1000} s`, tail: [] });
  }
  return ok(archive.images);
}

/** Names of all images CRI knows in a containerd. Empty where it cannot be asked. */
export async function importedImageNames(endpoint: string): Promise<ReadonlySet<string>> {
  const listed = await containerdImages(endpoint, ['list', '--quiet']);
  return new Set(listed.stdout.split('\n').filter((name) => name !== ''));
}

/** Removes images by name, with CRI's own names of them. Missing ones are success. */
export async function removeImages(endpoint: string, images: readonly BuiltImage[]): Promise<void> {
  if (images.length === 0) return;
  await containerdImages(endpoint, ['remove', ...images.flatMap((image) => [image.name, image.configDigest])]);
}

function containerdImages(endpoint: string, args: readonly string[]) {
  return runCommand('ctr', ['--address', endpoint.replace(/^unix:\/\//, ''), '--namespace', 'k8s.io', 'images', ...args]);
}

/** An ELF file without PT_INTERP runs without a dynamic loader, so it runs in an empty root. */
function isStatic(elf: Buffer): boolean {
  return !elf.subarray(0, 4096).includes('/ld-');
}

function missing(packageName: string, paths: readonly string[]): PartFault {
  return { part: 'images', message: `none of ${paths.join(', ')} exists; install the package ${packageName}`, tail: [] };
}

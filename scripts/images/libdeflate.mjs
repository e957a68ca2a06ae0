// The program that packs gzip better than zlib does, from Debian's package: the machine that builds need not have it.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { home } from '../setup.mjs';
import { debianRelease, unpack } from './debian.mjs';

const release = 'bookworm';
const architectures = { x64: ['amd64', 'x86_64-linux-gnu'], arm64: ['arm64', 'aarch64-linux-gnu'] };

/** @returns {Promise<{program: string, environment: Record<string, string>}>} how it is run here */
export async function libdeflate() {
  const [architecture, triplet] = architectures[process.arch];
  const directory = path.join(home, 'build', 'cache', `libdeflate-${architecture}`);
  const program = path.join(directory, 'usr/bin/libdeflate-gzip');
  if (!existsSync(program)) {
    const debian = await debianRelease(release, architecture);
    // The program last: it is there when all of it is.
    for (const name of ['libdeflate0', 'libdeflate-tools']) await unpack(await debian.fetch(name), directory);
  }
  return { program, environment: { LD_LIBRARY_PATH: path.join(directory, 'usr/lib', triplet) } };
}

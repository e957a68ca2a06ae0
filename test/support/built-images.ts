// The project's own images, built by its script for this machine's platform, and started by plain ctr on a private containerd.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from '../../src/demo/child-process.ts';
import type { ContainerdFixture } from './containerd.ts';
import { until } from './daemon-process.ts';

const checkout = path.resolve(import.meta.dirname, '../..');
const goNames: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
export const platform = `linux/${goNames[process.arch] ?? process.arch}`;
/** Fetching Node.js and Debian packages, and packing. */
const buildMsMax = 240_000;
/** runc keeps its books of all of them at one place of the machine, by namespace. */
export const namespace = `mqlet-test-${process.pid}`;
const runcBooks = `/run/containerd/runc/${namespace}`;

export interface ImageWeight {
  readonly name: string;
  readonly platform: string;
  readonly compressedBytes: number;
  readonly extractedBytes: number;
  readonly digest: string;
}

/** @returns what `npm run images -- --json` writes; archives are in the directory, `mqlet-TAG.tar` each */
export async function buildImages(directory: string, ...variants: readonly string[]): Promise<readonly ImageWeight[]> {
  const json = path.join(directory, 'images.json');
  const words = ['run', '--silent', '--prefix', checkout, 'images', '--', '--platform', platform, ...variants.flatMap((variant) => ['--variant', variant]), '--packing', 'gzip', '--out', directory, '--json', json];
  const { code, stdout, stderr } = await runCommand('npm', words, { timeoutMs: buildMsMax });
  if (code !== 0) throw new Error(`the images cannot be built: ${stdout}${stderr}`);
  // Written by the project's script.
  return (JSON.parse(readFileSync(json, 'utf8')) as { images: ImageWeight[] }).images;
}

/** ctr on the fixture's containerd, in a namespace that CRI does not look at. @throws with what it said */
export function ctr(fixture: ContainerdFixture, ...words: readonly string[]): string {
  return execFileSync('ctr', ['--address', fixture.endpoint.slice('unix://'.length), '--namespace', namespace, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export function importImage(fixture: ContainerdFixture, file: string): void {
  ctr(fixture, 'images', 'import', '--snapshotter', fixture.containerd.snapshotter, file);
}

/** `type=bind,…` for ctr. */
export function bind(from: string, to: string, option: string): readonly string[] {
  return ['--mount', `type=bind,src=${from},dst=${to},options=rbind:${option}`];
}

/** Ends a container that runs detached, and forgets it. */
export async function endContainer(fixture: ContainerdFixture, id: string, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  const runs = (): boolean => ctr(fixture, 'tasks', 'list').split('\n').some((line) => line.startsWith(`${id} `) && line.includes('RUNNING'));
  if (runs()) ctr(fixture, 'tasks', 'kill', '--signal', signal, id);
  await until(`container ${id} ends`, () => !runs());
  // It tells the exit code by its own, and a killed one's is not 0.
  await runCommand('ctr', ['--address', fixture.endpoint.slice('unix://'.length), '--namespace', namespace, 'tasks', 'delete', id]);
  ctr(fixture, 'containers', 'delete', id);
}

/** What runc remembers of containers that were cut short. */
export function forgetContainers(): void {
  rmSync(runcBooks, { recursive: true, force: true });
}

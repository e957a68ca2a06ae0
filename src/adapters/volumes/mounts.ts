// Mounting and unmounting through the system's own programs, which know every kernel's way. Node.js has no call for it.
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import path from 'node:path';

/** A mount that takes longer hangs. */
const programMsMax = 30_000;
/** Mounts on top of each other at one place that are taken away in one go. */
const layersMax = 32;

/** @throws Error with the program's own words */
export function runMount(program: 'mount' | 'umount', args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { timeout: programMsMax, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(stderr.trim().split('\n')[0] || error.message));
    });
  });
}

/** Mount points at the path and below it, deepest and newest first, as often as something is mounted there. */
export async function mountsBelow(directory: string): Promise<readonly string[]> {
  const [mounts, real] = await Promise.all([fs.readFile('/proc/self/mountinfo', 'utf8'), realPathOf(directory)]);
  if (!mounts.includes(real)) return [];
  const points: string[] = [];
  for (const line of mounts.split('\n')) {
    // proc(5): the fifth field is the mount point, with blanks and the like in octal.
    const point = line.split(' ')[4]?.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    if (point !== undefined && (point === real || point.startsWith(`${real}/`))) points.push(point);
  }
  return points.reverse().sort((a, b) => b.split('/').length - a.split('/').length);
}

async function realPathOf(directory: string): Promise<string> {
  return fs.realpath(directory).catch(async () => path.join(await fs.realpath(path.dirname(directory)).catch(() => path.dirname(directory)), path.basename(directory)));
}

export async function unmountBelow(directory: string): Promise<void> {
  for (let layer = 0; layer < layersMax; layer += 1) {
    const points = await mountsBelow(directory);
    if (points.length === 0) return;
    for (const point of new Set(points)) {
      // Lazily where something still holds it: the name is free at once, the rest follows when the last user goes.
      await runMount('umount', [point]).catch(() => runMount('umount', ['-l', point]));
    }
  }
  throw new Error(`${directory}: more than ${layersMax} mounts on top of each other`);
}

// What a reader must know of the machine and the programs to judge the figures.
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { runCommand } from '../src/demo/child-process.ts';

export interface MachineFacts {
  readonly system: string;
  readonly kernel: string;
  readonly cpu: string;
  readonly cpuCount: number;
  readonly memoryMib: number;
  /** Of the last minute, before and after; more than the number of CPUs before the start spoils the figures. */
  readonly loadAverage: number;
  readonly loadAverageAtEnd: number;
  readonly cgroupVersion: string;
  readonly transparentHugePages: string;
  /** Of the containerd that was measured, if one was. */
  readonly snapshotter: string | undefined;
}

export interface Versions {
  readonly mqlet: string;
  readonly daemonNode: string;
  readonly benchNode: string;
  readonly containerd: string;
  readonly runc: string;
  readonly broker: string;
}

export function machineFacts(): Omit<MachineFacts, 'snapshotter' | 'loadAverageAtEnd'> {
  return {
    system: /^PRETTY_NAME="(.*)"$/m.exec(textOf('/etc/os-release'))?.[1] ?? 'unknown',
    kernel: release(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpuCount: availableParallelism(),
    memoryMib: Math.round(totalmem() / 1024 / 1024),
    loadAverage: loadavg()[0] ?? 0,
    cgroupVersion: textOf('/sys/fs/cgroup/cgroup.controllers') === '' ? 'v1' : 'v2',
    transparentHugePages: /\[(\w+)\]/.exec(textOf('/sys/kernel/mm/transparent_hugepage/enabled'))?.[1] ?? 'unknown',
  };
}

export async function versions(options: { readonly home: string; readonly daemonNode: string }): Promise<Versions> {
  const firstLine = async (program: string, args: readonly string[]): Promise<string> =>
    (await runCommand(program, args)).stdout.split('\n')[0]?.trim() ?? '';
  const manifest: unknown = JSON.parse(textOf(`${options.home}/package.json`));
  return {
    mqlet: typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown',
    daemonNode: await firstLine(options.daemonNode, ['--version']),
    benchNode: process.version,
    containerd: (await firstLine('containerd', ['--version'])).split(' ').slice(1, 3).join(' '),
    runc: (await firstLine('runc', ['--version'])).replace(/^runc version /, ''),
    broker: await firstLine('mosquitto', ['-h']),
  };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

// HostPort from /proc, /sys and /etc. Reads when asked, remembers nothing: the node actor decides how often to look.
import type { StatsFs } from 'node:fs';
import { readFile, readdir, stat, statfs } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { FilesystemRoom, HostFacts, HostPort, HostPressure, HostPressurePort } from '../ports/host-port.ts';
import { defaultRouteAddresses } from './host-addresses.ts';

export interface HostFactsOptions {
  /** The directory whose file system is the node's ephemeral storage. The nearest existing parent counts until it is made. */
  readonly rootDirectory: string;
  /** Prefix of /proc, /sys and /etc; empty for this machine. */
  readonly systemRoot?: string;
  /** Where the root of the host is mounted, for an agent in a container: its /proc, /sys and /etc count, and its images are there. */
  readonly hostRoot?: string;
}

/** Go's names of the architectures Node runs on. */
const goArchitectures: Readonly<Record<string, string>> = {
  x64: 'amd64', ia32: '386', arm64: 'arm64', arm: 'arm', ppc64: 'ppc64le', s390x: 's390x', riscv64: 'riscv64', loong64: 'loong64', mips: 'mips', mipsel: 'mipsle',
};
const hugePagesDirectory = '/sys/kernel/mm/hugepages';

class HostFactsReader implements HostPort, HostPressurePort {
  readonly #rootDirectory: string;
  readonly #systemRoot: string;
  readonly #hostRoot: string;

  constructor({ rootDirectory, hostRoot = '', systemRoot = hostRoot }: HostFactsOptions) {
    this.#rootDirectory = rootDirectory;
    this.#hostRoot = hostRoot;
    this.#systemRoot = systemRoot;
  }

  async facts(): Promise<HostFacts> {
    const [machineId, productUuid, treeUuid, bootId, release, osRelease, memory, online, hugePages, appArmor, filesystem, addresses] = await Promise.all([
      this.#first(['/etc/machine-id', '/var/lib/dbus/machine-id']),
      this.#first(['/sys/class/dmi/id/product_uuid']),
      this.#first(['/proc/device-tree/system-id', '/proc/device-tree/vm,uuid']),
      this.#first(['/proc/sys/kernel/random/boot_id']),
      this.#first(['/proc/sys/kernel/osrelease']),
      this.#first(['/etc/os-release', '/usr/lib/os-release']),
      this.#first(['/proc/meminfo']),
      this.#first(['/sys/devices/system/cpu/online']),
      this.#hugePages(),
      this.#first(['/sys/module/apparmor/parameters/enabled']),
      existingFilesystem(this.#rootDirectory),
      defaultRouteAddresses({ systemRoot: this.#systemRoot }),
    ]);
    return {
      hostname: os.hostname().trim().toLowerCase(),
      architecture: goArchitectures[os.arch()] ?? os.arch(),
      kernelVersion: release || os.release(),
      osImage: prettyName(osRelease),
      machineId,
      systemUuid: productUuid || treeUuid || machineId,
      bootId,
      cpus: countCpus(online) || os.cpus().length,
      memoryBytes: kilobytes(memory, 'MemTotal') * 1_024 || os.totalmem(),
      rootFilesystemBytes: filesystem === undefined ? 0 : filesystem.blocks * filesystem.bsize,
      hugePages,
      ...(appArmor === 'Y' ? { appArmor: true } : {}),
      addresses,
    };
  }

  async measure({ imageDirectory }: { readonly imageDirectory?: string } = {}): Promise<HostPressure> {
    const [memory, rootFilesystem, imageFilesystem, pidsMax, load] = await Promise.all([
      this.#first(['/proc/meminfo']),
      roomOf(this.#rootDirectory),
      imageDirectory === undefined ? undefined : roomOf(this.#hostRoot + imageDirectory),
      this.#first(['/proc/sys/kernel/pid_max']),
      this.#first(['/proc/loadavg']),
    ]);
    const pidsUsed = /\s\d+\/(\d+)\s/.exec(load)?.[1];
    return {
      ...memoryRoom(memory),
      ...(rootFilesystem === undefined ? {} : { rootFilesystem }),
      ...(imageFilesystem === undefined ? {} : { imageFilesystem }),
      ...(pidsMax === '' || pidsUsed === undefined ? {} : { pidsMax: Number(pidsMax), pidsUsed: Number(pidsUsed) }),
    };
  }

  /** Content of the first file that can be read and is not empty, trimmed; else the empty text. */
  async #first(files: readonly string[]): Promise<string> {
    for (const file of files) {
      try {
        // Device tree texts end in a zero byte.
        const text = (await readFile(this.#systemRoot + file, 'utf8')).replaceAll('\0', '').trim();
        if (text !== '') return text;
      } catch {
        // A missing or unreadable file is the ordinary case on another kind of machine.
      }
    }
    return '';
  }

  async #hugePages(): Promise<Record<string, number>> {
    const sizes: Record<string, number> = {};
    const names = await readdir(this.#systemRoot + hugePagesDirectory).catch(() => []);
    for (const name of names.sort()) {
      const kilobytesEach = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1] ?? Number.NaN);
      if (!Number.isFinite(kilobytesEach)) continue;
      const count = Number(await this.#first([`${hugePagesDirectory}/${name}/nr_hugepages`]));
      sizes[sizeSuffix(kilobytesEach)] = (Number.isFinite(count) ? count : 0) * kilobytesEach * 1_024;
    }
    return sizes;
  }
}

/** Reads this machine. Both ports in one, because they read the same files. */
export function createHostFacts(options: HostFactsOptions): HostPort & HostPressurePort {
  return new HostFactsReader(options);
}

/** The root cgroup's working set is what is neither free nor cache that has not been touched lately; one file tells all of it. */
function memoryRoom(meminfo: string): Pick<HostPressure, 'memoryBytes' | 'memoryAvailableBytes'> {
  const total = kilobytes(meminfo, 'MemTotal');
  if (total === 0) return {};
  const available = Math.min(total, kilobytes(meminfo, 'MemFree') + kilobytes(meminfo, 'Inactive\\(file\\)'));
  return { memoryBytes: total * 1_024, memoryAvailableBytes: available * 1_024 };
}

async function roomOf(directory: string): Promise<FilesystemRoom | undefined> {
  const [filesystem, status] = await Promise.all([existingFilesystem(directory), stat(directory).catch(() => undefined)]);
  if (filesystem === undefined) return undefined;
  const { blocks, bavail, bsize, files, ffree } = filesystem;
  return { device: status?.dev ?? 0, capacityBytes: blocks * bsize, availableBytes: bavail * bsize, inodes: files, inodesFree: ffree };
}

/** The directory may not exist before the first start; then its file system is that of its nearest parent. */
async function existingFilesystem(directory: string): Promise<StatsFs | undefined> {
  for (let current = path.resolve(directory); ; current = path.dirname(current)) {
    try {
      return await statfs(current);
    } catch {
      if (current === path.dirname(current)) return undefined;
    }
  }
}

function prettyName(osRelease: string): string {
  const value = /^PRETTY_NAME=(.*)$/m.exec(osRelease)?.[1]?.trim();
  return value === undefined || value === '' ? 'Linux' : value.replace(/^(['"])(.*)\1$/, '$2');
}

/** @returns the number after `name:` (a pattern) in the form of /proc/meminfo, 0 when it is not there */
function kilobytes(meminfo: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1] ?? 0);
}

/** Counts a kernel list such as `0-3,6`. */
function countCpus(list: string): number {
  if (list === '') return 0;
  return list.split(',').reduce((sum, range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return sum + (last - first + 1);
  }, 0) || 0;
}

function sizeSuffix(kilobytesEach: number): string {
  if (kilobytesEach % (1_024 * 1_024) === 0) return `${kilobytesEach / (1_024 * 1_024)}Gi`;
  return kilobytesEach % 1_024 === 0 ? `${kilobytesEach / 1_024}Mi` : `${kilobytesEach}Ki`;
}

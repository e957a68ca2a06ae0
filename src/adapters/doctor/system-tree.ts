// Reads small files of this machine, or of a copy of its tree under a prefix. Never throws; what cannot be read is absent.
import { accessSync, constants, readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';

/** No file of /proc, /sys or /etc that is asked for is larger. */
const bytesMax = 1_048_576;
const programDirectories = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'] as const;

export class SystemTree {
  readonly #root: string;

  /** @param root prefix of every path; empty for this machine */
  constructor(root = '') {
    this.#root = root;
  }

  /** The path with the prefix, for those who open it themselves. */
  at(file: string): string {
    return this.#root + file;
  }

  /** Without line ends around it. */
  text(file: string): string | undefined {
    try {
      return readFileSync(this.at(file), 'utf8').slice(0, bytesMax).trim();
    } catch {
      return undefined;
    }
  }

  /** Sorted; undefined where there is no such directory. */
  names(directory: string): readonly string[] | undefined {
    try {
      return readdirSync(this.at(directory)).sort();
    } catch {
      return undefined;
    }
  }

  /** Links followed. */
  stats(file: string): Stats | undefined {
    return statSync(this.at(file), { throwIfNoEntry: false });
  }

  exists(file: string): boolean {
    try {
      return this.stats(file) !== undefined;
    } catch {
      // Not permitted to look: it is there for somebody.
      return true;
    }
  }

  /** Where a program is, by name or path; undefined where it is not, or may not be run. */
  program(name: string, environmentPath: string): string | undefined {
    const directories = [...environmentPath.split(':').filter((one) => one.startsWith('/')), ...programDirectories];
    const places = name.includes('/') ? [name] : directories.map((directory) => path.join(directory, name));
    return places.find((place) => {
      try {
        accessSync(this.at(place), constants.X_OK);
        return this.stats(place)?.isFile() === true;
      } catch {
        return false;
      }
    });
  }
}

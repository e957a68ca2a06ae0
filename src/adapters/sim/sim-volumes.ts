// The twin of the machine's volumes: remembers what was written and mounted where. Mounts survive the daemon and end with `reboot`.
import type { FileFault } from '../../ports/faults.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { ContentFile, HostPathType, SubPathRequest, VolumesPort } from '../../ports/volumes-port.ts';

type Answer<T> = Promise<Result<T, FileFault>>;

const utf8 = new TextDecoder();

export class SimVolumes implements VolumesPort {
  /** Files by path, by directory of the volume. */
  readonly contents = new Map<string, ReadonlyMap<string, string>>();
  readonly texts = new Map<string, string>();
  readonly mounts = new Set<string>();
  /** Paths that answer a fault with this message. */
  readonly broken = new Map<string, string>();
  written = 0;

  mountMemory(path: string): Answer<void> {
    return this.#act(path, () => void this.mounts.add(path));
  }

  mountHugePages(path: string): Answer<void> {
    return this.#act(path, () => void this.mounts.add(path));
  }

  writeContent(directory: string, files: readonly ContentFile[]): Answer<'written' | 'same'> {
    return this.#act(directory, () => {
      const next = new Map(files.map(({ path, content }) => [path, utf8.decode(content)]));
      const before = this.contents.get(directory);
      if (before !== undefined && before.size === next.size && [...next].every(([path, text]) => before.get(path) === text)) return 'same';
      this.contents.set(directory, next);
      this.written += 1;
      return 'written';
    });
  }

  checkHostPath(path: string, _type: HostPathType): Answer<void> {
    return this.#act(path, () => undefined);
  }

  bindSubPath({ target }: SubPathRequest): Answer<void> {
    return this.#act(target, () => void this.mounts.add(target));
  }

  giveToGroup(path: string): Answer<void> {
    return this.#act(path, () => undefined);
  }

  writeInPlace(path: string, content: string): Answer<void> {
    return this.#act(path, () => void this.texts.set(path, content));
  }

  unmountBelow(path: string): Answer<void> {
    return this.#act(path, () => {
      for (const mount of this.mounts) if (mount === path || mount.startsWith(`${path}/`)) this.mounts.delete(mount);
    });
  }

  reboot(): void {
    this.mounts.clear();
  }

  async #act<T>(path: string, act: () => T): Answer<T> {
    await Promise.resolve();
    const message = this.broken.get(path);
    return message === undefined ? ok(act()) : fail({ kind: 'failed', path, message });
  }
}

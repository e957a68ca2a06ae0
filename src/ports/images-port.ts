// What our actors need of a runtime's image service, in CRI's shapes and our words.
// Every call resolves to a Result; a port never rejects.
import type { RuntimeFault } from './faults.ts';
import type { Result } from './result.ts';
import type { SandboxConfig } from './runtime-port.ts';

type Answer<T> = Promise<Result<T, RuntimeFault>>;

export interface ImageFacts {
  readonly id: string;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
  /** Numeric user of the image, or its name; at most one is set. */
  readonly uid?: number;
  readonly username?: string;
  readonly pinned: boolean;
}

export interface PullAuth {
  readonly username: string;
  readonly password: string;
  readonly auth: string;
  readonly serverAddress: string;
  readonly identityToken: string;
  readonly registryToken: string;
}

export interface FilesystemUsage {
  readonly mountpoint: string;
  readonly usedBytes: number;
  readonly inodesUsed: number;
}

export interface ImagesPort {
  list(): Answer<readonly ImageFacts[]>;
  /** `undefined` when the runtime does not have it. */
  status(image: string): Answer<ImageFacts | undefined>;
  /**
   * No deadline of its own.
   * @param options.signal ends the pull
   * @returns the reference to hand to createContainer
   */
  pull(image: string, auth: PullAuth | undefined, sandboxConfig: SandboxConfig | undefined, options?: { readonly signal?: AbortSignal }): Answer<string>;
  /** Any text that changes as long as some pull gets on; its lines of a name and a number are downloads and the bytes there are of them. `unimplemented` where the runtime does not tell. */
  progress(): Answer<string>;
  remove(image: string): Answer<void>;
  fsInfo(): Answer<readonly FilesystemUsage[]>;
}

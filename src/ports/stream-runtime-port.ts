// What a container runtime offers beside its calls: a command, an attached terminal or a port of a pod, as bytes in both directions.
import type { RuntimeFault } from './faults.ts';
import type { ContainerId, SandboxId } from './pod-types.ts';
import type { Result } from './result.ts';

export type PipeEvent =
  | { readonly kind: 'data'; readonly lane: 'stdout' | 'stderr'; readonly bytes: Uint8Array }
  /** `exitCode` of a command; `message` where it did not end as it should. */
  | { readonly kind: 'ended'; readonly exitCode?: number; readonly message?: string };

export interface RuntimePipe {
  /** The next thing that came. One caller at a time; after `ended` it answers `ended` again. */
  read(): Promise<PipeEvent>;
  /** Resolves when there is room for more; false where nobody takes it. */
  write(bytes: Uint8Array): Promise<boolean>;
  /** Nothing more will be written. */
  finish(): void;
  resize(size: { readonly width: number; readonly height: number }): void;
  /** Whoever wanted it is gone; idempotent. */
  close(): void;
}

/** At least one of the first three; with `tty` standard error comes with standard output. */
export interface PipeOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

type Answer<T> = Promise<Result<T, RuntimeFault>>;

export interface StreamRuntimePort {
  exec(id: ContainerId, command: readonly string[], options: PipeOptions): Answer<RuntimePipe>;
  /** To the first process of a container. */
  attach(id: ContainerId, options: PipeOptions): Answer<RuntimePipe>;
  /** One connection to a port of a pod, as from inside it. */
  forward(id: SandboxId, port: number): Answer<RuntimePipe>;
}

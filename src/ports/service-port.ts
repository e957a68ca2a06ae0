// The service manager that started this process, as far as it wants to be told how the process is.
import type { Result } from './result.ts';

export type ServiceFault =
  /** It could not be told; the next word may reach it. */
  { readonly kind: 'failed'; readonly message: string };

/** What is told in one go; what is absent is not said. */
export interface ServiceWords {
  /** The start is over. */
  readonly ready?: true;
  /** The end has begun. */
  readonly stopping?: true;
  /** A sign of life, for its watchdog. */
  readonly alive?: true;
  /** What is being done takes this long from now, in milliseconds: it shall wait. */
  readonly extendMs?: number;
  /** One line for people. */
  readonly status?: string;
}

export interface ServicePort {
  /** Longest silence in milliseconds after which it takes the process for hung; undefined where it does not watch. */
  readonly watchdogMs: number | undefined;
  tell(words: ServiceWords): Promise<Result<void, ServiceFault>>;
}

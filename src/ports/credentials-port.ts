// The files by which the node shows the broker who it is, as our actors need them: when they change and how long they are good for.
// Keys and passwords never pass here: they go from the files to the connection inside the adapters.
import type { Result, Stoppable } from './result.ts';

/** The node's own certificate. */
export interface CertificateFacts {
  /** One line, as in `CN=edge-07`. */
  readonly subject: string;
  /** Wall milliseconds. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface CredentialsState {
  /** Another one whenever the content of a file is another. */
  readonly version: string;
  /** Undefined when the node shows none. */
  readonly certificate: CertificateFacts | undefined;
}

/** One line which names the file and the mend. */
export interface CredentialsFault {
  readonly message: string;
}

export interface CredentialsPort {
  /** Reads the files again. A fault: they cannot be used as they are now, and what was read before stays in use. */
  reload(): Promise<Result<CredentialsState, CredentialsFault>>;
  /** What the newest connection was made with; undefined before the first. */
  inUse(): CredentialsState | undefined;
  /** A hint that a file may have changed; several changes may be one call. */
  watch(changed: () => void): Stoppable;
}

// gRPC status to RuntimeFault: the one place where codes and texts of runtimes are read.
import type { RuntimeFault } from '../../ports/faults.ts';

/** The part of a gRPC ServiceError that is read. */
export interface CallError {
  readonly code?: number;
  readonly details?: string;
  readonly message?: string;
}

/** Longest text of a runtime that is passed on, in characters; runc can answer with pages. The end is cut. */
const messageLengthMax = 2_048;

// Status codes of gRPC, doc/statuscodes.
const cancelled = 1;
const unknown = 2;
const deadlineExceeded = 4;
const notFound = 5;
const alreadyExists = 6;
const unimplemented = 12;
const unavailable = 14;

/**
 * @param afterMs how long was waited, for `timeout`
 * @returns the fault; `rejected` where repeating at once cannot help
 */
export function toRuntimeFault(error: CallError, afterMs: number): RuntimeFault {
  const grpcCode = error.code ?? unknown;
  const message = oneLine(withoutClientWords(error.details || error.message || `gRPC code ${grpcCode}`));
  switch (grpcCode) {
    case unavailable: return { kind: 'unavailable', message };
    // A runtime that is being stopped cancels what it was doing.
    case cancelled: return { kind: 'unavailable', message };
    case deadlineExceeded: return { kind: 'timeout', message, afterMs };
    case notFound: return { kind: 'not-found', message };
    case alreadyExists: return { kind: 'already-exists', message };
    case unimplemented: return { kind: 'unimplemented', message };
    case unknown: return fromText(message, afterMs);
    default: return { kind: 'rejected', message, grpcCode };
  }
}

/** containerd gives code UNKNOWN to what its Go code had no code for; the meaning is in the text alone. */
function fromText(message: string, afterMs: number): RuntimeFault {
  // containerd: failed to reserve sandbox name "…": name "…" is reserved for "<id>". CRI-O: name is reserved / already in use.
  if (/\bis reserved for\b|\bname is reserved\b|\bis already in use by\b/.test(message)) return { kind: 'already-exists', message };
  if (message.includes('server is not initialized yet')) return { kind: 'unavailable', message };
  if (/context canceled$/.test(message)) return { kind: 'unavailable', message };
  if (/context deadline exceeded$/.test(message)) return { kind: 'timeout', message, afterMs };
  return { kind: 'rejected', message, grpcCode: unknown };
}

/** What the gRPC library says around the reason for which it has no connection. */
function withoutClientWords(text: string): string {
  return text.replace(/^No connection established\. Last error: (?:Error: )?/, '').replace(/\.?\s*Resolution note:\s*$/, '');
}

function oneLine(text: string): string {
  const line = text.replace(/\s*[\r\n]+\s*/g, ' ').trim();
  return line.length > messageLengthMax ? `${line.slice(0, messageLengthMax - 1)}…` : line;
}

// Closed unions of expected failures. Decisions are made on `kind`, never on the text.

/** What a container runtime can answer instead of success. */
export type RuntimeFault =
  /** The socket is down: wait for the link, then repeat. */
  | { readonly kind: 'unavailable'; readonly message: string }
  /** It may have happened: look first, then repeat. */
  | { readonly kind: 'timeout'; readonly message: string; readonly afterMs: number }
  /** For stop and remove this is success. */
  | { readonly kind: 'not-found'; readonly message: string }
  /** The runtime still holds the name of an earlier, equal request. */
  | { readonly kind: 'already-exists'; readonly message: string }
  /** The runtime lacks the method. */
  | { readonly kind: 'unimplemented'; readonly message: string }
  /** Repeating at once cannot help: show it to the user. `grpcCode` is the status code, 0 to 16. */
  | { readonly kind: 'rejected'; readonly message: string; readonly grpcCode: number };

/** What a file system can answer instead of success. */
export type FileFault =
  | { readonly kind: 'not-found'; readonly path: string; readonly message: string }
  | { readonly kind: 'not-permitted'; readonly path: string; readonly message: string }
  | { readonly kind: 'too-large'; readonly path: string; readonly message: string; readonly bytesMax: number }
  | { readonly kind: 'no-space'; readonly path: string; readonly message: string }
  | { readonly kind: 'failed'; readonly path: string; readonly message: string };

/** What an MQTT broker, or the way to it, can answer instead of success. */
export type MqttFault =
  /** No TCP or TLS connection, or it broke while waiting. */
  | { readonly kind: 'unreachable'; readonly message: string }
  /** CONNACK, SUBACK or PUBACK carried a refusal. `reasonCode` as in MQTT 5.0, section 2.4. */
  | { readonly kind: 'refused'; readonly message: string; readonly reasonCode: number }
  /** The certificate, the CA or the server name does not fit. `cause` is the same for the same mistake, whatever time the message tells. */
  | { readonly kind: 'untrusted'; readonly message: string; readonly cause?: string }
  | { readonly kind: 'not-connected'; readonly message: string }
  | { readonly kind: 'timeout'; readonly message: string; readonly afterMs: number };

/**
 * One thing that is wrong with input from a file, the wire or the admin API.
 * Rendered as `<origin>[:<line>][: <field>]: <message>`.
 */
export interface InputFault {
  /** Where it came from: a file's path, an MQTT topic, `admin`. */
  readonly origin: string;
  /** First line is 1. Only where the input is text with lines. */
  readonly line?: number;
  /** Path in the API server's style: `spec.containers[0].image`. */
  readonly field?: string;
  /** What is wrong and, where it is not plain, how to mend it. One line, at most 1,000 characters. */
  readonly message: string;
  /** `error`: the object was refused. `warning`: it runs, without the field named. */
  readonly severity: 'error' | 'warning';
}

/** The one line a person reads for an InputFault. */
export function inputFaultLine(fault: InputFault): string {
  const place = fault.line === undefined ? fault.origin : `${fault.origin}:${fault.line}`;
  return [place, fault.field, fault.message].filter((part) => part !== undefined && part !== '').join(': ');
}

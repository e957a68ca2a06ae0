// Why a message of the mqlet dialect is refused (docs/wire.md, section 3).

/** In the words of a metav1.Status: decisions are made on it. */
export type RefusalReason = 'UnsupportedVersion' | 'UnknownMessage' | 'UnknownDictionary' | 'BadRequest';

export interface WireFault {
  readonly reason: RefusalReason;
  /** Where in the body it is, if it is there. */
  readonly field?: string;
  readonly message: string;
  /** Of the refused message, as far as it could be read. */
  readonly correlation?: Uint8Array;
}

export function bad(message: string, field?: string): WireFault {
  return { reason: 'BadRequest', message, ...(field === undefined ? {} : { field }) };
}

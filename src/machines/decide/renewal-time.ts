// When a certificate is renewed. Pure.
import type { CertificateFacts } from '../../ports/credentials-port.ts';

/** Parts of a certificate's life: from the first on it is renewed, at the latest from the second; a fleet that joined at once is spread between. */
const renewed = { from: 0.6, to: 0.75 } as const;

/** @param fraction 0 to 1, chance @returns wall milliseconds */
export function renewalTimeMs({ notBeforeMs, notAfterMs }: CertificateFacts, fraction: number): number {
  return notBeforeMs + (notAfterMs - notBeforeMs) * (renewed.from + (renewed.to - renewed.from) * fraction);
}

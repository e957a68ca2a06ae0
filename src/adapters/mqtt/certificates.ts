// What is written in certificates: who they are for and when they are good, and the line about one that is not good now.
import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate } from 'node:tls';
import type { CertificateFacts } from '../../ports/credentials-port.ts';

/** The facts of the first certificate of a PEM text. Throws what OpenSSL has to say. */
export function certificateFacts(pem: string): CertificateFacts {
  return factsOf(new X509Certificate(pem));
}

export function factsOf({ subject, validFrom, validTo }: X509Certificate): CertificateFacts {
  return { subject: subject.replaceAll('\n', ', '), notBeforeMs: Date.parse(validFrom), notAfterMs: Date.parse(validTo) };
}

/**
 * Why a certificate is no good at this time, and what to do.
 * @param whose as in `the broker's certificate`
 * @returns undefined when it is good
 */
export function outOfDate(whose: string, { subject, notBeforeMs, notAfterMs }: CertificateFacts, nowMs: number): string | undefined {
  const clock = `the clock of this machine says ${timeText(nowMs)}`;
  if (nowMs < notBeforeMs) {
    return `${whose} (${subject}) is not valid before ${timeText(notBeforeMs)}, and ${clock}: set the clock (is NTP reached?), or renew the certificate if the clock is right`;
  }
  if (nowMs > notAfterMs) {
    return `${whose} (${subject}) expired at ${timeText(notAfterMs)}, and ${clock}: renew the certificate, or set the clock if it is wrong`;
  }
  return undefined;
}

/** RFC 3339, whole seconds. */
export function timeText(ms: number): string {
  return Number.isNaN(ms) ? 'an unknown time' : `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** The chain that the other side showed, its own certificate first; each once. Empty when it showed none. */
export function chainFacts(first: DetailedPeerCertificate | undefined): readonly CertificateFacts[] {
  const seen = new Set<string>();
  const chain: CertificateFacts[] = [];
  // The types promise every field; a side that shows nothing gives an empty object.
  let each: Partial<DetailedPeerCertificate> | undefined = first;
  while (each?.fingerprint256 !== undefined && !seen.has(each.fingerprint256)) {
    seen.add(each.fingerprint256);
    const subject = Object.entries(each.subject ?? {}).map(([name, value]) => `${name}=${[value].flat().join('+')}`).join(', ');
    chain.push({ subject, notBeforeMs: Date.parse(each.valid_from ?? ''), notAfterMs: Date.parse(each.valid_to ?? '') });
    each = each.issuerCertificate;
  }
  return chain;
}

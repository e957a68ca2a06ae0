// X.509 structures that certificates, requests and revocation lists share, as DER.
// @see RFC 5280, RFC 2986
import { createHash, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import type { Validity } from '../../ports/certificates-port.ts';
import { bits, bool, explicit, int, octets, oid, sequence, set, time, utf8 } from './der.ts';

export const oids = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2', commonName: '2.5.4.3', organization: '2.5.4.10',
  basicConstraints: '2.5.29.19', keyUsage: '2.5.29.15', extendedKeyUsage: '2.5.29.37', subjectAltName: '2.5.29.17', subjectKey: '2.5.29.14', authorityKey: '2.5.29.35', crlNumber: '2.5.29.20',
  serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** Bits of keyUsage, the first one the highest. */
export const usage = { signing: 0b1000_0000, certificates: 0b0000_0100, revocations: 0b0000_0010 } as const;

export interface Signing {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly validity: Validity;
  readonly extensions: readonly Buffer[];
  readonly by: KeyObject;
}

export function signedCertificate({ issuer, subject, publicKey, validity, extensions, by }: Signing): string {
  // A positive number of at most 20 octets.
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const version3 = explicit(0, int(Buffer.from([2])));
  const body = sequence(
    version3, int(serial), signatureAlgorithm, issuer, sequence(time(validity.notBeforeMs), time(validity.notAfterMs)), subject,
    publicKey.export({ type: 'spki', format: 'der' }), explicit(3, sequence(...extensions)),
  );
  return pemText('CERTIFICATE', signedBody(body, by));
}

export const signatureAlgorithm = sequence(oid(oids.ecdsaWithSha256));

/** What all three kinds are: a body, how it is signed, and the signature. */
export function signedBody(body: Buffer, by: KeyObject): Buffer {
  return sequence(body, signatureAlgorithm, bits(sign('sha256', body, by), 0));
}

export function pemText(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

export function distinguished(commonName: string, organizations: readonly string[]): Buffer {
  const attribute = (type: string, value: string) => set(sequence(oid(type), utf8(value)));
  return sequence(...organizations.map((one) => attribute(oids.organization, one)), attribute(oids.commonName, commonName));
}

export function extension(type: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(type), ...(critical ? [bool(true)] : []), octets(value));
}

/** Any digest of the key does; it only has to be the same in the authority and in what it signs. */
export function keyId(key: KeyObject): Buffer {
  return createHash('sha256').update(key.export({ type: 'spki', format: 'der' })).digest().subarray(0, 20);
}

export function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

export function commonNameOf(cert: string): string {
  return /(?:^|\n)CN=(.*)/.exec(new X509Certificate(cert).subject)?.[1] ?? '';
}

// JoinCertificatesPort on node:crypto: certificate requests (PKCS#10) and revocation lists as DER, beside the certificates of CertificatesPort.
// @see RFC 2986, RFC 5280 section 5
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify, X509Certificate } from 'node:crypto';
import type { CertificatePair, Validity } from '../ports/certificates-port.ts';
import type { CertificateDetails, JoinCertificatesPort, RequestDetails } from '../ports/join-certificates-port.ts';
import { Certificates } from './certificates.ts';
import { bits, explicit, implicit, int, oid, sequence, time } from './certificates/der.ts';
import { derParts } from './certificates/der-reader.ts';
import { commonNameOf, distinguished, extension, keyId, keyPem, oids, pemText, signatureAlgorithm, signedBody, signedCertificate, usage } from './certificates/x509.ts';

/** A request has some 300 bytes. */
const requestBytesMax = 4 * 1024;
const tags = { sequence: 0x30, set: 0x31, bitString: 3, integer: 2 } as const;

interface ReadRequest extends RequestDetails {
  readonly publicKey: KeyObject;
}

export class JoinCertificates extends Certificates implements JoinCertificatesPort {
  makeRequest({ commonName, organizations }: { readonly commonName: string; readonly organizations: readonly string[] }): { readonly request: string; readonly key: string } {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const info = sequence(int(Buffer.from([0])), distinguished(commonName, organizations), publicKey.export({ type: 'spki', format: 'der' }), explicit(0, Buffer.alloc(0)));
    return { request: pemText('CERTIFICATE REQUEST', signedBody(info, privateKey)), key: keyPem(privateKey) };
  }

  readRequest(request: string): RequestDetails | undefined {
    const read = attempt(() => requestOf(request));
    return read === undefined ? undefined : { commonName: read.commonName, organizations: read.organizations, keyHash: read.keyHash };
  }

  certify(authority: CertificatePair, request: string, validity: Validity): string | undefined {
    const read = attempt(() => requestOf(request));
    if (read === undefined) return undefined;
    const by = createPrivateKey(authority.key);
    const extensions = [
      extension(oids.basicConstraints, sequence(), true), extension(oids.keyUsage, bits(Buffer.from([usage.signing]), 7), true),
      extension(oids.extendedKeyUsage, sequence(oid(oids.clientAuth))), authorityKey(by),
    ];
    return signedCertificate({
      issuer: distinguished(commonNameOf(authority.cert), []), subject: distinguished(read.commonName, read.organizations), publicKey: read.publicKey, validity, extensions, by,
    });
  }

  details(cert: string): CertificateDetails | undefined {
    return attempt(() => {
      const { serialNumber, subject, validFrom, validTo, publicKey } = new X509Certificate(cert);
      const fields = subject.split('\n');
      const valuesOf = (name: string) => fields.filter((field) => field.startsWith(`${name}=`)).map((field) => field.slice(name.length + 1));
      return {
        serial: serialNumber.toLowerCase(), commonName: valuesOf('CN')[0] ?? '', organizations: valuesOf('O'),
        notBeforeMs: Date.parse(validFrom), notAfterMs: Date.parse(validTo), keyHash: hashOf(publicKey),
      };
    });
  }

  isIssued(cert: string, authorityCert: string): boolean {
    return attempt(() => {
      const [own, authority] = [new X509Certificate(cert), new X509Certificate(authorityCert)];
      return own.checkIssued(authority) && own.verify(authority.publicKey);
    }) === true;
  }

  isKeyOf(key: string, cert: string): boolean {
    return attempt(() => new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) === true;
  }

  sign(key: string, text: string): string {
    return sign('sha256', Buffer.from(text), createPrivateKey(key)).toString('base64url');
  }

  isSignedBy(cert: string, text: string, signature: Uint8Array): boolean {
    return attempt(() => verify('sha256', Buffer.from(text), new X509Certificate(cert).publicKey, signature)) === true;
  }

  revocationList(authority: CertificatePair, serials: readonly { readonly serial: string; readonly revokedAtMs: number }[], { notBeforeMs, notAfterMs, numberMs }: Validity & { readonly numberMs: number }): string {
    const by = createPrivateKey(authority.key);
    const entries = serials.map(({ serial, revokedAtMs }) => sequence(int(Buffer.from(serial, 'hex')), time(revokedAtMs)));
    // Numbers only ever grow: times do, where nobody turns the clock back.
    const number = Buffer.from(Math.floor(numberMs).toString(16).padStart(12, '0'), 'hex');
    const body = sequence(
      int(Buffer.from([1])), signatureAlgorithm, distinguished(commonNameOf(authority.cert), []), time(notBeforeMs), time(notAfterMs),
      ...(entries.length === 0 ? [] : [sequence(...entries)]), explicit(0, sequence(authorityKey(by), extension(oids.crlNumber, int(trimmed(number))))),
    );
    return pemText('X509 CRL', signedBody(body, by));
  }
}

function authorityKey(by: KeyObject): Buffer {
  return extension(oids.authorityKey, sequence(implicit(0, keyId(createPublicKey(by)))));
}

/** DER has no leading zeros. */
function trimmed(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  return bytes.subarray(first < 0 ? bytes.length - 1 : first);
}

function hashOf(key: KeyObject): string {
  return `sha256:${createHash('sha256').update(key.export({ type: 'spki', format: 'der' })).digest('hex')}`;
}

/** node:crypto throws for whatever is no certificate, key or signature. */
function attempt<T>(compute: () => T | undefined): T | undefined {
  try {
    return compute();
  } catch {
    return undefined;
  }
}

/** CertificationRequest: info, algorithm, signature; info: version, subject, key, attributes. Throws what node:crypto has to say. */
function requestOf(pem: string): ReadRequest | undefined {
  const [, base64] = /^\s*-----BEGIN CERTIFICATE REQUEST-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE REQUEST-----\s*$/.exec(pem) ?? [];
  const der = Buffer.from(base64 ?? '', 'base64');
  if (der.length === 0 || der.length > requestBytesMax) return undefined;
  const [whole, ...more] = derParts(der) ?? [];
  if (whole?.tag !== tags.sequence || more.length > 0) return undefined;
  const [info, algorithm, signature] = derParts(whole.content) ?? [];
  if (info?.tag !== tags.sequence || signature?.tag !== tags.bitString || algorithm?.whole.equals(signatureAlgorithm) !== true || signature.content[0] !== 0) return undefined;
  const [version, subject, spki] = derParts(info.content) ?? [];
  if (version?.tag !== tags.integer || subject?.tag !== tags.sequence || spki?.tag !== tags.sequence) return undefined;
  const publicKey = createPublicKey({ key: spki.whole, format: 'der', type: 'spki' });
  if (publicKey.asymmetricKeyType !== 'ec' || publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return undefined;
  if (!verify('sha256', info.whole, publicKey, signature.content.subarray(1))) return undefined;
  const names = namesOf(subject.content);
  const [commonName, ...others] = names?.filter(([type]) => type === oids.commonName).map(([, value]) => value) ?? [];
  if (names === undefined || commonName === undefined || others.length > 0) return undefined;
  return { commonName, organizations: names.filter(([type]) => type === oids.organization).map(([, value]) => value), keyHash: hashOf(publicKey), publicKey };
}

/** Type and value of each attribute; undefined where one is neither a common name nor an organization. */
function namesOf(subject: Buffer): readonly (readonly [type: string, value: string])[] | undefined {
  const names: (readonly [string, string])[] = [];
  for (const relative of derParts(subject) ?? []) {
    const [attribute, ...more] = derParts(relative.content) ?? [];
    const [type, value] = attribute === undefined ? [] : (derParts(attribute.content) ?? []);
    const known = [oids.commonName, oids.organization].find((one) => type?.whole.equals(oid(one)) === true);
    if (more.length > 0 || known === undefined || value === undefined) return undefined;
    names.push([known, value.content.toString('utf8')]);
  }
  return names;
}

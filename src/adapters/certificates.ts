// CertificatesPort on node:crypto: X.509 certificates with keys on P-256, written as DER by hand, because Node reads certificates and makes none.
// @see RFC 5280 for the structures
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { CertificatePair, CertificatesPort, CertificateWish, Validity } from '../ports/certificates-port.ts';
import { addressBytes, bits, bool, explicit, implicit, int, oid, octets, sequence, set, time, utf8 } from './certificates/der.ts';

const oids = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2', commonName: '2.5.4.3', organization: '2.5.4.10',
  basicConstraints: '2.5.29.19', keyUsage: '2.5.29.15', extendedKeyUsage: '2.5.29.37', subjectAltName: '2.5.29.17', subjectKey: '2.5.29.14', authorityKey: '2.5.29.35',
  serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** Bits of keyUsage, the first one the highest. */
const usage = { signing: 0b1000_0000, certificates: 0b0000_0100 } as const;

export class Certificates implements CertificatesPort {
  makeAuthority(commonName: string, validity: Validity): CertificatePair {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const name = distinguished(commonName, []);
    const extensions = [
      extension(oids.basicConstraints, sequence(bool(true)), true), extension(oids.keyUsage, bits(Buffer.from([usage.signing | usage.certificates]), 2), true),
      extension(oids.subjectKey, octets(keyId(publicKey))),
    ];
    return { cert: signed({ issuer: name, subject: name, publicKey, validity, extensions, by: privateKey }), key: pemOf(privateKey) };
  }

  issue(authority: CertificatePair, wish: CertificateWish): CertificatePair {
    const by = createPrivateKey(authority.key);
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const issuer = distinguished(commonNameOf(authority.cert), []);
    const extensions = [
      extension(oids.basicConstraints, sequence(), true), extension(oids.keyUsage, bits(Buffer.from([usage.signing]), 7), true),
      extension(oids.extendedKeyUsage, sequence(oid(wish.use === 'server' ? oids.serverAuth : oids.clientAuth))),
      extension(oids.authorityKey, sequence(implicit(0, keyId(createPublicKey(by))))),
      ...(wish.hosts.length === 0 ? [] : [extension(oids.subjectAltName, sequence(...wish.hosts.map(alternative)))]),
    ];
    const subject = distinguished(wish.commonName, wish.organizations);
    return { cert: signed({ issuer, subject, publicKey, validity: wish, extensions, by }), key: pemOf(privateKey) };
  }

  read(cert: string): { readonly notAfterMs: number; readonly hosts: readonly string[] } | undefined {
    try {
      const { validTo, subjectAltName = '' } = new X509Certificate(cert);
      const hosts = subjectAltName.split(', ').map((one) => one.slice(one.indexOf(':') + 1)).filter((one) => one !== '');
      return { notAfterMs: Date.parse(validTo), hosts };
    } catch {
      return undefined;
    }
  }

  secret(): string {
    return randomBytes(32).toString('hex');
  }
}

interface Signing {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly validity: Validity;
  readonly extensions: readonly Buffer[];
  readonly by: KeyObject;
}

function signed({ issuer, subject, publicKey, validity, extensions, by }: Signing): string {
  const algorithm = sequence(oid(oids.ecdsaWithSha256));
  // A positive number of at most 20 octets.
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const version3 = explicit(0, int(Buffer.from([2])));
  const body = sequence(
    version3, int(serial), algorithm, issuer, sequence(time(validity.notBeforeMs), time(validity.notAfterMs)), subject,
    publicKey.export({ type: 'spki', format: 'der' }), explicit(3, sequence(...extensions)),
  );
  const der = sequence(body, algorithm, bits(sign('sha256', body, by), 0));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function distinguished(commonName: string, organizations: readonly string[]): Buffer {
  const attribute = (type: string, value: string) => set(sequence(oid(type), utf8(value)));
  return sequence(...organizations.map((one) => attribute(oids.organization, one)), attribute(oids.commonName, commonName));
}

function extension(type: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(type), ...(critical ? [bool(true)] : []), octets(value));
}

function alternative(host: string): Buffer {
  const [dnsName, address] = [2, 7];
  return isIP(host) === 0 ? implicit(dnsName, Buffer.from(host)) : implicit(address, addressBytes(host));
}

/** Any digest of the key does; it only has to be the same in the authority and in what it signs. */
function keyId(key: KeyObject): Buffer {
  return createHash('sha256').update(key.export({ type: 'spki', format: 'der' })).digest().subarray(0, 20);
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function commonNameOf(cert: string): string {
  return /(?:^|\n)CN=(.*)/.exec(new X509Certificate(cert).subject)?.[1] ?? '';
}

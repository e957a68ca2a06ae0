// CertificatesPort on node:crypto: X.509 certificates with keys on P-256, written as DER by hand, because Node reads certificates and makes none.
// @see RFC 5280 for the structures
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { CertificatePair, CertificatesPort, CertificateWish, Validity } from '../ports/certificates-port.ts';
import { addressBytes, bits, bool, implicit, octets, oid, sequence } from './certificates/der.ts';
import { commonNameOf, distinguished, extension, keyId, keyPem, oids, signedCertificate, usage } from './certificates/x509.ts';

export class Certificates implements CertificatesPort {
  makeAuthority(commonName: string, validity: Validity): CertificatePair {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const name = distinguished(commonName, []);
    const extensions = [
      extension(oids.basicConstraints, sequence(bool(true)), true), extension(oids.keyUsage, bits(Buffer.from([usage.signing | usage.certificates | usage.revocations]), 1), true),
      extension(oids.subjectKey, octets(keyId(publicKey))),
    ];
    return { cert: signedCertificate({ issuer: name, subject: name, publicKey, validity, extensions, by: privateKey }), key: keyPem(privateKey) };
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
    return { cert: signedCertificate({ issuer, subject, publicKey, validity: wish, extensions, by }), key: keyPem(privateKey) };
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

function alternative(host: string): Buffer {
  const [dnsName, address] = [2, 7];
  return isIP(host) === 0 ? implicit(dnsName, Buffer.from(host)) : implicit(address, addressBytes(host));
}

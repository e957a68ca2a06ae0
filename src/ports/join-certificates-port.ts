// Certificates that somebody else holds the key of: requests made where the key is, signed where the authority is, and taken back.
import type { CertificatePair, CertificatesPort, Validity } from './certificates-port.ts';

/** What a certificate says of itself; whoever signed it is another question. */
export interface CertificateDetails extends Validity {
  /** Hexadecimal, lower case. */
  readonly serial: string;
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** SHA-256 of its public key with its kind (SubjectPublicKeyInfo), as kubeadm writes it: `sha256:` and 64 hexadecimal digits. */
  readonly keyHash: string;
}

export interface RequestDetails {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly keyHash: string;
}

export interface JoinCertificatesPort extends CertificatesPort {
  /** A new key and the request (PKCS#10) for a certificate of it. */
  makeRequest(subject: { readonly commonName: string; readonly organizations: readonly string[] }): { readonly request: string; readonly key: string };
  /** Undefined where it is no request with a key on P-256, or not signed by that key. */
  readRequest(request: string): RequestDetails | undefined;
  /** A client certificate for the subject and key of a request that can be read. @returns undefined for one that cannot */
  certify(authority: CertificatePair, request: string, validity: Validity): string | undefined;
  /** Undefined for a text that is no certificate. */
  details(cert: string): CertificateDetails | undefined;
  /** Whether the authority signed it, with its very key. */
  isIssued(cert: string, authorityCert: string): boolean;
  isKeyOf(key: string, cert: string): boolean;
  /** Over a text, by a private key; base64url. */
  sign(key: string, text: string): string;
  isSignedBy(cert: string, text: string, signature: Uint8Array): boolean;
  /** A list of certificates taken back (CRL), PEM. @param serials hexadecimal @param validity.numberMs the list's number, which must grow: when it is made */
  revocationList(authority: CertificatePair, serials: readonly { readonly serial: string; readonly revokedAtMs: number }[], validity: Validity & { readonly numberMs: number }): string;
}

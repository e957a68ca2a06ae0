// Certificates and secrets that a server makes for itself and for those it lets in. PEM texts; keys pass here and nowhere else.

export interface CertificatePair {
  readonly cert: string;
  /** Secret. */
  readonly key: string;
}

export interface Validity {
  /** Wall milliseconds. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

export interface CertificateWish extends Validity {
  readonly use: 'server' | 'client';
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** Names and addresses under which a server is reached. */
  readonly hosts: readonly string[];
}

export interface CertificatesPort {
  makeAuthority(commonName: string, validity: Validity): CertificatePair;
  issue(authority: CertificatePair, wish: CertificateWish): CertificatePair;
  /** What a certificate says; undefined for a text that is none. */
  read(cert: string): { readonly notAfterMs: number; readonly hosts: readonly string[] } | undefined;
  /** 256 bits of chance, hexadecimal. */
  secret(): string;
}

// A certificate authority of one test, made with openssl: certificates of any period, files as an operator has them.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface IssueOptions {
  readonly use: 'server' | 'client';
  /** Wall milliseconds; from an hour ago to in two days when absent. */
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
}

export interface IssuedFiles {
  readonly cert: string;
  readonly key: string;
}

const hourMs = 3_600_000;

export class TestAuthority {
  readonly #directory: string;
  #issued = 0;

  /** @param directory is made; nothing else may be in it */
  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
    writeFileSync(path.join(directory, 'index.txt'), '');
    writeFileSync(path.join(directory, 'index.txt.attr'), 'unique_subject = no\n');
    writeFileSync(path.join(directory, 'serial'), '01\n');
    writeFileSync(path.join(directory, 'ca.cnf'), [
      '[ca]', 'default_ca = own', '[own]', 'dir = .', 'database = index.txt', 'serial = serial', 'new_certs_dir = .', 'certificate = ca.pem', 'private_key = ca.key',
      'default_md = sha256', 'policy = any', 'email_in_dn = no', '[any]', 'commonName = supplied',
      '[server]', 'subjectAltName = DNS:localhost,IP:127.0.0.1', '[client]', 'extendedKeyUsage = clientAuth', '',
    ].join('\n'));
    this.#openssl('req', '-x509', ...newKey, '-days', '30', '-subj', `/CN=CA of ${path.basename(directory)}`, '-keyout', 'ca.key', '-out', 'ca.pem');
  }

  /** Path of the authority's own certificate. */
  get ca(): string {
    return path.join(this.#directory, 'ca.pem');
  }

  issue(commonName: string, { use, notBeforeMs = Date.now() - hourMs, notAfterMs = Date.now() + 48 * hourMs }: IssueOptions): IssuedFiles {
    this.#issued += 1;
    const name = `${commonName}-${this.#issued}`;
    this.#openssl('req', ...newKey, '-subj', `/CN=${commonName}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    this.#openssl('ca', '-batch', '-config', 'ca.cnf', '-notext', '-extensions', use, '-startdate', asn1Time(notBeforeMs), '-enddate', asn1Time(notAfterMs), '-in', `${name}.csr`, '-out', `${name}.pem`);
    return { cert: path.join(this.#directory, `${name}.pem`), key: path.join(this.#directory, `${name}.key`) };
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', [...args], { cwd: this.#directory, stdio: 'ignore' });
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** GeneralizedTime: 20260131120000Z. */
function asn1Time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
}

export function pemOf(file: string): string {
  return readFileSync(file, 'utf8');
}

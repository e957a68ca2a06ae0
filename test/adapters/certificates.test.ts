// Certificates made here, as openssl and Node read them.
import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Certificates } from '../../src/adapters/certificates.ts';

const dayMs = 86_400_000;
const validity = { notBeforeMs: Date.now() - dayMs, notAfterMs: Date.now() + 365 * dayMs };
const certificates = new Certificates();
const authority = certificates.makeAuthority('an authority', validity);
const server = certificates.issue(authority, { use: 'server', commonName: 'api', organizations: [], hosts: ['localhost', '127.0.0.1', '::1', 'fd00::5'], ...validity });
const client = certificates.issue(authority, { use: 'client', commonName: 'system:node:edge', organizations: ['system:nodes', 'other'], hosts: [], ...validity });

describe('certificates', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'mqlet-certificates-'));
    for (const [name, text] of Object.entries({ ca: authority.cert, server: server.cert, client: client.cert })) writeFileSync(path.join(directory, `${name}.pem`), text);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test.each([['server', 'sslserver'], ['client', 'sslclient']])('given a certificate for a %s, when openssl checks it strictly, then it is good for that and for nothing else', (name, purpose) => {
    const verify = (wanted: string) => execFileSync('openssl', ['verify', '-x509_strict', '-purpose', wanted, '-CAfile', 'ca.pem', `${name}.pem`], { cwd: directory, encoding: 'utf8', stdio: 'pipe' });
    expect(verify(purpose)).toContain('OK');
    expect(() => verify(purpose === 'sslserver' ? 'sslclient' : 'sslserver')).toThrow();
  });

  test('given a wish, when the certificate is read, then it says what was wished', () => {
    const read = new X509Certificate(client.cert);
    expect(read.subject).toBe('O=system:nodes\nO=other\nCN=system:node:edge');
    expect(read.checkIssued(new X509Certificate(authority.cert)) && read.checkPrivateKey(createPrivateKey(client.key))).toBe(true);
    expect(new X509Certificate(server.cert).checkHost('localhost')).toBe('localhost');
    expect(['127.0.0.1', '::1', 'fd00::5'].map((ip) => new X509Certificate(server.cert).checkIP(ip))).toEqual(['127.0.0.1', '::1', 'fd00::5']);
    expect(certificates.read(server.cert)).toMatchObject({ notAfterMs: Math.floor(validity.notAfterMs / 1_000) * 1_000 });
    expect(certificates.read('nonsense')).toBeUndefined();
  });

  test('given a time beyond 2049, when a certificate is made, then its end is written in full', () => {
    const notAfterMs = Date.UTC(2060, 0, 31, 12, 0, 0);
    expect(certificates.read(certificates.makeAuthority('x', { ...validity, notAfterMs }).cert)?.notAfterMs).toBe(notAfterMs);
  });

  test('given secrets, when two are made, then they differ', () => {
    expect(certificates.secret()).toMatch(/^[0-9a-f]{64}$/);
    expect(certificates.secret()).not.toBe(certificates.secret());
  });
});

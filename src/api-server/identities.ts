// Who the API server is and who may speak to it, as files of its own: an authority, its certificate, those of the administrator and of
// bridges, and the kubeconfigs that carry them. Made where they are missing, made anew before they run out. Keys never leave 0600 files.
import { stringify } from 'yaml';
import type { ApiTls, ApiUpstream } from '../ports/api-listener-port.ts';
import type { CertificatePair, CertificatesPort, CertificateWish } from '../ports/certificates-port.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { FileFault } from '../ports/faults.ts';
import type { FilesPort } from '../ports/files-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { adminGroup, bridgeGroup, nodeGroup } from './access/authorizer.ts';

export interface IdentityDeps {
  readonly files: FilesPort;
  readonly clock: ClockPort;
  readonly certificates: CertificatesPort;
  /** Made with mode 0700. */
  readonly directory: string;
  /** Names and addresses under which the server is reached. */
  readonly hosts: readonly string[];
}

export interface Identities {
  readonly tls: ApiTls;
  /** For `startApiServer`. */
  readonly tokenKey: string;
  readonly authority: CertificatePair;
  /** How the server is known to the endpoints of nodes, whose certificates are of the same authority. */
  readonly kubelet: ApiUpstream['tls'];
  /** Of everybody who gets a kubeconfig. */
  readonly users: Readonly<Record<UserName, CertificatePair>>;
}

export type UserName = 'admin' | 'bridge';

const dayMs = 86_400_000;
const authorityMs = 20 * 365 * dayMs;
const certificateMs = 2 * 365 * dayMs;
/** Before its end a certificate is made anew when the server starts. */
const renewMs = 180 * dayMs;
/** Clocks differ. */
const earlierMs = dayMs;
const fileBytesMax = 65_536;

const users: Readonly<Record<UserName, { readonly commonName: string; readonly organizations: readonly string[] }>> = {
  admin: { commonName: 'kubernetes-admin', organizations: [adminGroup] },
  bridge: { commonName: 'mqlet-bridge', organizations: [bridgeGroup] },
};

export async function ensureIdentities(deps: IdentityDeps): Promise<Result<Identities, FileFault>> {
  const made = await deps.files.makeDirectory(deps.directory, { mode: 0o700 });
  if (!made.ok) return made;
  const before = await read(deps.files, `${deps.directory}/ca.pem`);
  const authority = await pairOf(deps, {
    name: 'ca', fits: () => true, make: (nowMs) => deps.certificates.makeAuthority('mqlet API authority', { notBeforeMs: nowMs - earlierMs, notAfterMs: nowMs + authorityMs }),
  });
  if (!authority.ok) return authority;
  const fresh = before !== authority.value.cert + authority.value.key;
  const hosts = [...new Set(['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', '127.0.0.1', ...deps.hosts])];
  const issued = (name: string, wish: Pick<CertificateWish, 'use' | 'commonName' | 'organizations' | 'hosts'>) => pairOf(deps, {
    // Of another authority nothing is of use.
    name, fits: (cert) => !fresh && wish.hosts.every((host) => cert.hosts.includes(host)),
    make: (nowMs) => deps.certificates.issue(authority.value, { ...wish, notBeforeMs: nowMs - earlierMs, notAfterMs: nowMs + certificateMs }),
  });
  const server = await issued('apiserver', { use: 'server', commonName: 'kube-apiserver', organizations: [], hosts });
  const admin = await issued('admin', { use: 'client', ...users.admin, hosts: [] });
  const bridge = await issued('bridge', { use: 'client', ...users.bridge, hosts: [] });
  const kubelet = await issued('apiserver-kubelet-client', { use: 'client', commonName: 'kube-apiserver-kubelet-client', organizations: [adminGroup], hosts: [] });
  const tokenKey = await textOf(deps, 'token.key', () => deps.certificates.secret());
  for (const one of [server, admin, bridge, kubelet]) if (!one.ok) return one;
  if (!server.ok || !admin.ok || !bridge.ok || !kubelet.ok || !tokenKey.ok) return fail({ kind: 'failed', path: deps.directory, message: `${deps.directory}: the identities of the API cannot be kept` });
  return ok({
    authority: authority.value, tls: { ...server.value, clientCa: authority.value.cert }, tokenKey: tokenKey.value,
    kubelet: { ca: authority.value.cert, ...kubelet.value }, users: { admin: admin.value, bridge: bridge.value },
  });
}

/** A certificate for a node that speaks to the API itself. */
export function nodeIdentity({ certificates, clock }: Pick<IdentityDeps, 'certificates' | 'clock'>, authority: CertificatePair, nodeName: string): CertificatePair {
  const nowMs = clock.nowMs();
  return certificates.issue(authority, { use: 'client', commonName: `system:node:${nodeName}`, organizations: [nodeGroup], hosts: [], notBeforeMs: nowMs - earlierMs, notAfterMs: nowMs + certificateMs });
}

/** Writes a kubeconfig, mode 0600, at once and whole. */
export function writeKubeconfig(files: FilesPort, path: string, { identities, user, server }: { readonly identities: Identities; readonly user: UserName; readonly server: string }): Promise<Result<void, FileFault>> {
  return files.writeAtomic(path, kubeconfig(identities, { user, server }), { mode: 0o600 });
}

/** @param options.server `https://127.0.0.1:6443` */
export function kubeconfig({ tls, users: pairs }: Identities, { user, server }: { readonly user: UserName; readonly server: string }): string {
  const { cert, key } = pairs[user];
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  return stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': 'mqlet', preferences: {},
    clusters: [{ name: 'mqlet', cluster: { server, 'certificate-authority-data': base64(tls.clientCa) } }],
    contexts: [{ name: 'mqlet', context: { cluster: 'mqlet', user: users[user].commonName } }],
    users: [{ name: users[user].commonName, user: { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) } }],
  }, { lineWidth: 0 });
}

interface PairWish {
  readonly name: string;
  /** Whether one that is there may stay, beside its time. */
  fits(cert: { readonly hosts: readonly string[] }): boolean;
  make(nowMs: number): CertificatePair;
}

/** Certificate and key in one file, so that they are never of two minds. */
async function pairOf({ files, directory, certificates, clock }: IdentityDeps, { name, fits, make }: PairWish): Promise<Result<CertificatePair, FileFault>> {
  const path = `${directory}/${name}.pem`;
  const [, cert, key] = /^(-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----\n)([^]+)$/.exec((await read(files, path)) ?? '') ?? [];
  const known = cert === undefined ? undefined : certificates.read(cert);
  const lasts = known !== undefined && known.notAfterMs - clock.nowMs() > renewMs && fits(known);
  if (cert !== undefined && key !== undefined && lasts) return ok({ cert, key });
  const pair = make(clock.nowMs());
  const wrote = await files.writeAtomic(path, pair.cert + pair.key, { mode: 0o600 });
  return wrote.ok ? ok(pair) : wrote;
}

async function textOf({ files, directory }: IdentityDeps, name: string, make: () => string): Promise<Result<string, FileFault>> {
  const known = await read(files, `${directory}/${name}`);
  if (known !== undefined && known.length >= 32) return ok(known);
  const text = make();
  const wrote = await files.writeAtomic(`${directory}/${name}`, text, { mode: 0o600 });
  return wrote.ok ? ok(text) : wrote;
}

async function read(files: FilesPort, path: string): Promise<string | undefined> {
  const found = await files.read(path, { bytesMax: fileBytesMax });
  return found.ok ? new TextDecoder().decode(found.value) : undefined;
}

// The files by which the API and its users know each other: made once, kept, renewed in time, read by nobody else.
import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Certificates } from '../../src/adapters/certificates.ts';
import { SimFiles } from '../../src/adapters/sim/sim-files.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { ensureIdentities, kubeconfig, nodeIdentity } from '../../src/api-server/identities.ts';

const dayMs = 86_400_000;
const directory = '/identity';

function world(): { readonly clock: VirtualClock; readonly files: SimFiles; ensure(hosts?: readonly string[]): ReturnType<typeof made> } {
  const clock = new VirtualClock();
  const files = new SimFiles({ clock });
  return { clock, files, ensure: (hosts = []) => made({ clock, files, hosts }) };
}

async function made(deps: { readonly clock: VirtualClock; readonly files: SimFiles; readonly hosts: readonly string[] }) {
  const identities = await ensureIdentities({ ...deps, certificates: new Certificates(), directory });
  if (!identities.ok) throw new Error(identities.fault.message);
  return identities.value;
}

describe('the identities of the API', () => {
  test('given a first start, when the next one comes, then all is as it was', async () => {
    const { ensure } = world();
    const first = await ensure();
    expect(await ensure()).toEqual(first);
    expect(new X509Certificate(first.tls.cert).checkHost('localhost')).toBe('localhost');
  });

  test('given certificates that run out soon, when the server starts, then they are made anew by the same authority', async () => {
    const { clock, ensure } = world();
    const first = await ensure();
    clock.jumpWall(600 * dayMs);
    const second = await ensure();
    expect([second.authority.cert === first.authority.cert, second.tls.cert === first.tls.cert, second.tokenKey === first.tokenKey]).toEqual([true, false, true]);
    expect(new X509Certificate(second.users.admin.cert).checkIssued(new X509Certificate(first.authority.cert))).toBe(true);
  });

  test('given another name for the server, when it starts, then only its own certificate is made anew', async () => {
    const { ensure } = world();
    const first = await ensure();
    const second = await ensure(['edge.example.org']);
    expect([second.tls.cert === first.tls.cert, second.users.admin.cert === first.users.admin.cert]).toEqual([false, true]);
  });

  test('given an authority that is lost, when the server starts, then nothing of the old one is used', async () => {
    const { files, ensure } = world();
    const first = await ensure();
    await files.removeFile(`${directory}/ca.pem`);
    const second = await ensure();
    for (const user of ['admin', 'bridge'] as const) expect(second.users[user].cert).not.toBe(first.users[user].cert);
    expect(new X509Certificate(second.tls.cert).checkIssued(new X509Certificate(second.authority.cert))).toBe(true);
  });

  test('given a file that is torn, when the server starts, then it is made anew', async () => {
    const { files, ensure } = world();
    const first = await ensure();
    files.put(`${directory}/admin.pem`, first.users.admin.cert);
    expect((await ensure()).users.admin.cert).not.toBe(first.users.admin.cert);
  });

  test('given a user, when a kubeconfig is written, then it names the server, the authority and the user', async () => {
    const { ensure } = world();
    const identities = await ensure();
    const config = parse(kubeconfig(identities, { user: 'admin', server: 'https://127.0.0.1:6443' })) as { clusters: { cluster: Record<string, string> }[]; users: { user: Record<string, string> }[] };
    const decoded = (text = '') => Buffer.from(text, 'base64').toString();
    expect(config.clusters[0]?.cluster['server']).toBe('https://127.0.0.1:6443');
    expect(decoded(config.clusters[0]?.cluster['certificate-authority-data'])).toBe(identities.authority.cert);
    expect(new X509Certificate(decoded(config.users[0]?.user['client-certificate-data'])).subject).toBe('O=system:masters\nCN=kubernetes-admin');
  });

  test('given a node, when it gets a certificate, then it names the node as nodes are named', async () => {
    const { clock, ensure } = world();
    const { cert } = nodeIdentity({ certificates: new Certificates(), clock }, (await ensure()).authority, 'edge');
    expect(new X509Certificate(cert).subject).toBe('O=system:nodes\nCN=system:node:edge');
  });
});

// The embedded API in the real world: its files under one directory, TLS on an address of this machine, kubeconfigs for who may come in.
// It composes; `mqlet bridge` and the demo call it.
import os from 'node:os';
import path from 'node:path';
import { ApiListener } from '../adapters/api-listener.ts';
import { Certificates } from '../adapters/certificates.ts';
import { NodeFiles } from '../adapters/node-files.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { SystemRandom } from '../adapters/system-random.ts';
import { type ApiServer, type ApiServerFault, startApiServer } from '../api-server/api-server.ts';
import { ensureIdentities, type Identities, type UserName, writeKubeconfig } from '../api-server/identities.ts';
import type { LogPort } from '../ports/log-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import { version } from '../version.ts';

export interface EmbeddedApiOptions {
  /** Holds everything; made where it is missing. */
  readonly directory: string;
  /** Port 0: whichever is free. */
  readonly address: { readonly host: string; readonly port: number };
  /** Further names and addresses under which clients reach it. */
  readonly hosts?: readonly string[];
  readonly log: LogPort;
}

export interface EmbeddedApi extends Stoppable {
  readonly server: ApiServer;
  readonly identities: Identities;
  readonly url: string;
  /** Paths, mode 0600, by whom they let in. */
  readonly kubeconfigs: Readonly<Record<UserName, string>>;
}

export async function startEmbeddedApi({ directory, address, hosts = [], log }: EmbeddedApiOptions): Promise<Result<EmbeddedApi, ApiServerFault>> {
  const files = new NodeFiles();
  const clock = new SystemClock();
  const wildcard = address.host === '0.0.0.0' || address.host === '::';
  const names = wildcard ? [os.hostname(), ...hosts] : [address.host, ...hosts];
  const identities = await ensureIdentities({ files, clock, certificates: new Certificates(), directory: path.join(directory, 'identity'), hosts: names });
  if (!identities.ok) return fail({ message: `the identities of the API: ${identities.fault.message}` });
  const { tls, tokenKey, kubelet } = identities.value;
  const started = await startApiServer({
    files, clock, random: new SystemRandom(), log, listener: new ApiListener(), directory: path.join(directory, 'store'), address, tls, tokens: [], tokenKey, kubelet,
    build: { version, platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`, nodeVersion: process.version },
  });
  if (!started.ok) return started;
  const host = wildcard ? '127.0.0.1' : address.host;
  const url = `https://${host.includes(':') ? `[${host}]` : host}:${started.value.port}`;
  const kubeconfigs = { admin: path.join(directory, 'admin.kubeconfig'), bridge: path.join(directory, 'bridge.kubeconfig') };
  for (const user of ['admin', 'bridge'] as const) {
    const written = await writeKubeconfig(files, kubeconfigs[user], { identities: identities.value, user, server: url });
    if (written.ok) continue;
    await started.value.stop();
    return fail({ message: `the kubeconfig of the ${user}: ${written.fault.message}` });
  }
  return ok({ server: started.value, identities: identities.value, url, kubeconfigs, stop: () => started.value.stop() });
}

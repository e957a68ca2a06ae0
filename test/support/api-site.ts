// An embedded API as it runs in the world: real files, TLS on loopback, kubeconfigs; for tests with real clients.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ApiListener } from '../../src/adapters/api-listener.ts';
import { Certificates } from '../../src/adapters/certificates.ts';
import { NodeFiles } from '../../src/adapters/node-files.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { SystemRandom } from '../../src/adapters/system-random.ts';
import { type ApiServer, startApiServer } from '../../src/api-server/api-server.ts';
import { ensureIdentities, type Identities, writeKubeconfig } from '../../src/api-server/identities.ts';
import { silentLog } from './silent-log.ts';

export interface ApiSite {
  readonly server: ApiServer;
  readonly identities: Identities;
  readonly url: string;
  readonly directory: string;
  /** Of the administrator. */
  readonly kubeconfig: string;
  readonly bridgeKubeconfig: string;
  stop(): Promise<void>;
}

export async function startApiSite(options: { readonly directory?: string } = {}): Promise<ApiSite> {
  const directory = options.directory ?? await mkdtemp(path.join(tmpdir(), 'mqlet-api-'));
  const files = new NodeFiles();
  const clock = new SystemClock();
  const identities = await ensureIdentities({ files, clock, certificates: new Certificates(), directory: path.join(directory, 'identity'), hosts: [] });
  if (!identities.ok) throw new Error(identities.fault.message);
  const started = await startApiServer({
    files, clock, random: new SystemRandom(), log: silentLog, listener: new ApiListener(), directory: path.join(directory, 'store'), address: { host: '127.0.0.1', port: 0 },
    tls: identities.value.tls, tokens: [], tokenKey: identities.value.tokenKey, kubelet: identities.value.kubelet,
    build: { version: 'test', platform: 'linux/amd64', nodeVersion: process.version },
  });
  if (!started.ok) throw new Error(started.fault.message);
  const url = `https://127.0.0.1:${started.value.port}`;
  const [kubeconfig, bridgeKubeconfig] = [path.join(directory, 'admin.kubeconfig'), path.join(directory, 'bridge.kubeconfig')];
  await writeKubeconfig(files, kubeconfig, { identities: identities.value, user: 'admin', server: url });
  await writeKubeconfig(files, bridgeKubeconfig, { identities: identities.value, user: 'bridge', server: url });
  return {
    server: started.value, identities: identities.value, url, directory, kubeconfig, bridgeKubeconfig,
    async stop() {
      await started.value.stop();
      if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

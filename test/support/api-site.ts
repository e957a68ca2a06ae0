// An embedded API as it runs in the world: real files, TLS on loopback, kubeconfigs; for tests with real clients.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type EmbeddedApi, startEmbeddedApi } from '../../src/cli/embedded-api.ts';
import { silentLog } from './silent-log.ts';

export interface ApiSite extends EmbeddedApi {
  readonly directory: string;
}

/** @param options.directory kept when the site stops; without it a new one is used, and removed */
export async function startApiSite(options: { readonly directory?: string } = {}): Promise<ApiSite> {
  const directory = options.directory ?? await mkdtemp(path.join(tmpdir(), 'mqlet-api-'));
  const started = await startEmbeddedApi({ directory, address: { host: '127.0.0.1', port: 0 }, log: silentLog });
  if (!started.ok) throw new Error(started.fault.message);
  return {
    ...started.value, directory,
    async stop() {
      await started.value.stop();
      if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

// The embedded Kubernetes API: a store, the calls on it, and the controllers that keep it true, behind one listener. For one machine and
// small sites; a fleet has a real API server. It opens no door itself: files, time, chance and the network are ports.
import type { ApiListenerPort, ApiTls } from '../ports/api-listener-port.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { RandomPort } from '../ports/random-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import { AccountTokens } from './access/account-tokens.ts';
import { type Authorizer, SiteAuthorizer } from './access/authorizer.ts';
import { Authenticator, type KnownToken } from './access/caller.ts';
import { refused } from './answers.ts';
import { bodyBytesMax } from './body.ts';
import type { Controller, ControllerDeps } from './controllers/controller.ts';
import { startEventExpiry } from './controllers/event-expiry.ts';
import { startNamespaces } from './controllers/namespaces.ts';
import { startNodeLifecycle } from './controllers/node-lifecycle.ts';
import { startScheduler } from './controllers/scheduler.ts';
import { Deleter } from './delete.ts';
import { type BuildFacts, Handler } from './handler.ts';
import type { KubeletClient } from './node-proxy.ts';
import { tooLarge } from './refusals.ts';
import { ResourceCalls } from './resource-calls.ts';
import { SpecialCalls } from './special-calls.ts';
import { ObjectStore } from './store/object-store.ts';
import { Watches } from './watches.ts';
import { Writer } from './write.ts';

export interface ApiServerOptions {
  readonly files: FilesPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  readonly listener: ApiListenerPort;
  /** Of the store; made with mode 0700 where it is missing. */
  readonly directory: string;
  readonly address: { readonly host: string; readonly port: number };
  readonly tls: ApiTls;
  /** Beside client certificates. */
  readonly tokens: readonly KnownToken[];
  /** Signs tokens of service accounts. Secret. */
  readonly tokenKey: string;
  /** How the API is known to the nodes' own endpoints; without it logs, exec and port-forward are answered 501. */
  readonly kubelet?: KubeletClient;
  /** In place of the rules of this site. */
  readonly authorizer?: (store: ObjectStore) => Authorizer;
  readonly build: BuildFacts;
}

export interface ApiServer extends Stoppable {
  readonly port: number;
  /** For a bridge in the same process, and for tests; changes go through the API. */
  readonly store: ObjectStore;
}

/** One line for a person. */
export interface ApiServerFault {
  readonly message: string;
}

/** Resolves when it answers; what was stored before is there. */
export async function startApiServer(options: ApiServerOptions): Promise<Result<ApiServer, ApiServerFault>> {
  const { files, clock, random, log, directory } = options;
  const opened = await ObjectStore.open({ files, log, directory });
  if (!opened.ok) return fail({ message: `the store of the API cannot be read: ${opened.fault.message}` });
  const store = opened.value;
  const writer = new Writer({ store, clock, random });
  const deleter = new Deleter({ store, clock });
  const watches = new Watches({ store, clock, random });
  const accounts = new AccountTokens({ key: options.tokenKey, clock, store });
  const authenticator = new Authenticator(options.tokens, accounts);
  const authorizer = options.authorizer?.(store) ?? new SiteAuthorizer(store);
  const handler = new Handler({
    authenticator, authorizer, store, log, build: options.build, kubelet: options.kubelet,
    calls: new ResourceCalls({ store, clock, watches, writer, deleter }),
    special: new SpecialCalls({ store, clock, accounts, authenticator, authorizer }),
  });
  const controllers = await startControllers({ store, writer, deleter, clock, random, log });
  const listening = await options.listener.listen(options.address, options.tls, (request) => handler.handle(request), { bodyBytesMax, tooLarge: () => refused(tooLarge(bodyBytesMax)) });
  const stop = async (): Promise<void> => {
    if (listening.ok) await listening.value.stop();
    for (const controller of controllers) controller.stop();
    watches.stop();
    await store.stop();
  };
  if (listening.ok) return ok({ port: listening.value.port, store, stop });
  await stop();
  return fail({ message: `the API cannot listen: ${listening.fault.message}` });
}

async function startControllers(deps: ControllerDeps): Promise<readonly Controller[]> {
  return [await startNamespaces(deps), startScheduler(deps), startEventExpiry(deps), startNodeLifecycle(deps)];
}

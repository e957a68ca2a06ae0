// The twin behind real gRPC: a CRI v1 server on a unix socket, for crictl, for our own client and for whoever has no containerd.
// Translates only; what happens is decided in the twin.
import type { ServerWritableStream, UntypedServiceImplementation, sendUnaryData } from '@grpc/grpc-js';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { lstat, rm } from 'node:fs/promises';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { RuntimeFault } from '../../ports/faults.ts';
import type { SandboxId } from '../../ports/pod-types.ts';
import type { Result, Stoppable } from '../../ports/result.ts';
import { fail, ok } from '../../ports/result.ts';
import type { PullAuth } from '../../ports/runtime-port.ts';
import { loadServices } from '../cri/cri-methods.ts';
import type { WireContainerConfig, WireResources, WireSandboxConfig } from './cri-server-translate.ts';
import {
  containerConfigFrom, resourcesFrom, sandboxConfigFrom, wireContainer, wireContainerStats, wireContainerStatus, wireEvent, wireFault, wireImage, wireSandbox, wireSandboxStats, wireSandboxStatus,
} from './cri-server-translate.ts';
import type { SimRuntime } from './sim-runtime.ts';

/** As kubelet and containerd have it. */
const messageBytesMax = 16 * 1024 * 1024;

export interface SimCriServerOptions {
  /** `unix:///path`; a socket left there by an earlier server is replaced. */
  readonly endpoint: string;
  readonly runtime: SimRuntime;
  readonly clock: ClockPort;
}

type Answered = Promise<Result<object, RuntimeFault>>;

interface ByName {
  readonly id?: string;
  readonly state?: { readonly state: string } | null;
  readonly podSandboxId?: string;
  readonly labelSelector?: Readonly<Record<string, string>>;
}

/** @returns the running server, or the text of what stopped it: the path is not ours to write, or not a path */
export async function startSimCriServer(options: SimCriServerOptions): Promise<Result<Stoppable, string>> {
  const path = /^unix:\/\/(\/.+)$/.exec(options.endpoint)?.[1];
  if (path === undefined) return fail(`not an endpoint of the form unix:///path: ${options.endpoint}`);
  if (!await removeOldSocket(path)) return fail(`${path} exists and is not a socket: choose another path`);
  const server = new Server({ 'grpc.max_receive_message_length': messageBytesMax, 'grpc.max_send_message_length': messageBytesMax });
  const services = loadServices();
  server.addService(services.runtime, runtimeHandlers(options));
  server.addService(services.images, imageHandlers(options.runtime));
  const problem = await new Promise<string | undefined>((resolve) => {
    server.bindAsync(options.endpoint, ServerCredentials.createInsecure(), (error) => resolve(error?.message));
  });
  if (problem !== undefined) return fail(problem);
  return ok({
    stop: async () => {
      server.forceShutdown();
      await removeOldSocket(path);
    },
  });
}

/** @returns false when something else than a socket is there; it is left alone */
async function removeOldSocket(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return true;
  if (!found.isSocket()) return false;
  await rm(path, { force: true });
  return true;
}

function runtimeHandlers({ runtime, clock }: SimCriServerOptions): UntypedServiceImplementation {
  return {
    Version: unary(async () => {
      const answer = await runtime.version();
      return answer.ok ? ok({ version: '0.1.0', ...answer.value }) : answer;
    }),
    Status: unary(async () => {
      const answer = await runtime.status();
      const handlers = runtime.handlerFacts.map(({ name, ...features }) => ({ name, features }));
      return answer.ok ? ok({ status: { conditions: answer.value }, runtimeHandlers: handlers }) : answer;
    }),
    RuntimeConfig: unary(async () => {
      const answer = await runtime.cgroupDriver();
      return answer.ok ? ok({ linux: { cgroupDriver: answer.value === 'systemd' ? 'SYSTEMD' : 'CGROUPFS' } }) : answer;
    }),
    RunPodSandbox: unary<{ config: WireSandboxConfig | null; runtimeHandler: string }>(async ({ config, runtimeHandler }) => {
      if (config === null) return missing('config');
      const answer = await runtime.runSandbox(sandboxConfigFrom(config), runtimeHandler);
      return answer.ok ? ok({ podSandboxId: answer.value }) : answer;
    }),
    StopPodSandbox: unary<OfSandbox>(({ podSandboxId }) => empty(runtime.stopSandbox(full(runtime.sandboxes, podSandboxId)))),
    RemovePodSandbox: unary<OfSandbox>(({ podSandboxId }) => empty(runtime.removeSandbox(full(runtime.sandboxes, podSandboxId)))),
    PodSandboxStatus: unary<OfSandbox>(async ({ podSandboxId }) => {
      const answer = await runtime.sandboxStatus(full(runtime.sandboxes, podSandboxId));
      const sandbox = answer.ok ? runtime.sandboxes.get(answer.value.id) : undefined;
      return sandbox === undefined ? answer : ok({ status: wireSandboxStatus(sandbox) });
    }),
    ListPodSandbox: unary<{ filter: ByName | null }>(async ({ filter }) => {
      const answer = await runtime.listSandboxes();
      return answer.ok ? ok({ items: [...runtime.sandboxes.values()].map(wireSandbox).filter((each) => fits(each, filter)) }) : answer;
    }),
    CreateContainer: unary<{ podSandboxId: string; config: WireContainerConfig | null; sandboxConfig: WireSandboxConfig | null }>(
      async ({ podSandboxId, config, sandboxConfig }) => {
        if (config === null || sandboxConfig === null) return missing('config and sandbox_config');
        const sandboxId = full<SandboxId>(runtime.sandboxes, podSandboxId);
        const answer = await runtime.createContainer(sandboxId, containerConfigFrom(config), sandboxConfigFrom(sandboxConfig));
        return answer.ok ? ok({ containerId: answer.value }) : answer;
      }),
    StartContainer: unary<OfContainer>(({ containerId }) => empty(runtime.startContainer(full(runtime.containers, containerId)))),
    StopContainer: unary<OfContainer & { timeout: string }>(({ containerId, timeout }) =>
      empty(runtime.stopContainer(full(runtime.containers, containerId), { graceMs: Number(timeout) * 1_000 }))),
    RemoveContainer: unary<OfContainer>(({ containerId }) => empty(runtime.removeContainer(full(runtime.containers, containerId)))),
    ContainerStatus: unary<OfContainer>(async ({ containerId }) => {
      const answer = await runtime.containerStatus(full(runtime.containers, containerId));
      const container = answer.ok ? runtime.containers.get(answer.value.id) : undefined;
      return container === undefined ? answer : ok({ status: wireContainerStatus(container) });
    }),
    UpdateContainerResources: unary<OfContainer & { linux: WireResources | null }>(({ containerId, linux }) => (
      linux === null ? Promise.resolve(missing('linux')) : empty(runtime.updateContainerResources(full(runtime.containers, containerId), resourcesFrom(linux))))),
    ExecSync: unary<OfContainer & { cmd: readonly string[]; timeout: string }>(async ({ containerId, cmd, timeout }) => {
      const answer = await runtime.execSync(full(runtime.containers, containerId), cmd, { timeoutMs: Number(timeout) * 1_000 });
      if (!answer.ok) return answer;
      const { exitCode, stdout, stderr } = answer.value;
      return ok({ exitCode, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) });
    }),
    ListContainers: unary<{ filter: ByName | null }>(async ({ filter }) => {
      const answer = await runtime.listContainers();
      return answer.ok ? ok({ containers: [...runtime.containers.values()].map(wireContainer).filter((each) => fits(each, filter)) }) : answer;
    }),
    ReopenContainerLog: unary<OfContainer>(({ containerId }) => empty(runtime.reopenLog(full(runtime.containers, containerId)))),
    ...usageHandlers(runtime),
    GetContainerEvents: (call: ServerWritableStream<object, object>) => void streamEvents(call, runtime, clock),
  };
}

function usageHandlers(runtime: SimRuntime): UntypedServiceImplementation {
  return {
    ListContainerStats: unary(async () => {
      const answer = await runtime.listContainerStats();
      return answer.ok ? ok({ stats: answer.value.map(wireContainerStats) }) : answer;
    }),
    ListPodSandboxStats: unary(async () => {
      const answer = await runtime.listProcessCounts();
      return answer.ok ? ok({ stats: [...answer.value].map(([podUid, processes]) => wireSandboxStats(podUid, processes)) }) : answer;
    }),
  };
}

function imageHandlers(runtime: SimRuntime): UntypedServiceImplementation {
  const { images } = runtime;
  return {
    ListImages: unary(async () => {
      const answer = await images.list();
      return answer.ok ? ok({ images: answer.value.map(wireImage) }) : answer;
    }),
    ImageStatus: unary<OfImage>(async ({ image }) => {
      const answer = await images.status(image?.image ?? '');
      return answer.ok ? ok({ image: answer.value === undefined ? null : wireImage(answer.value) }) : answer;
    }),
    PullImage: unary<OfImage & { auth: PullAuth | null }>(async ({ image, auth }) => {
      const answer = await images.pull(image?.image ?? '', auth ?? undefined, undefined);
      return answer.ok ? ok({ imageRef: answer.value }) : answer;
    }),
    RemoveImage: unary<OfImage>(({ image }) => empty(images.remove(image?.image ?? ''))),
    ImageFsInfo: unary(async () => {
      const answer = await images.fsInfo();
      if (!answer.ok) return answer;
      return ok({
        imageFilesystems: answer.value.map((usage) => ({
          fsId: { mountpoint: usage.mountpoint }, usedBytes: { value: usage.usedBytes }, inodesUsed: { value: usage.inodesUsed },
        })),
      });
    }),
  };
}

interface OfSandbox { readonly podSandboxId: string }
interface OfContainer { readonly containerId: string }
interface OfImage { readonly image: { readonly image: string } | null }

/** `Request` is the method's request message as our decoder gives it. */
function unary<Request = object>(answer: (request: Request) => Answered) {
  return (call: { readonly request: Request }, callback: sendUnaryData<object>): void => {
    void answer(call.request).then((result) => {
      if (result.ok) callback(null, result.value);
      else callback(wireFault(result.fault));
    });
  };
}

async function empty(answer: Promise<Result<void, RuntimeFault>>): Answered {
  const result = await answer;
  return result.ok ? ok({}) : result;
}

function missing(fields: string): Result<never, RuntimeFault> {
  return fail({ kind: 'rejected', message: `the request lacks ${fields}`, grpcCode: status.INVALID_ARGUMENT });
}

/** Ids may be given as a beginning that only one has. */
function full<Id extends string>(all: ReadonlyMap<string, { readonly id: Id }>, given: string): Id {
  const found = all.has(given) ? [] : [...all.values()].filter((each) => given !== '' && each.id.startsWith(given));
  // Whatever a client sends is tried as an id; the twin answers not-found.
  return found.length === 1 && found[0] !== undefined ? found[0].id : (given as Id);
}

function fits(row: { readonly id: string; readonly state: string; readonly podSandboxId?: string; readonly labels: Readonly<Record<string, string>> }, filter: ByName | null): boolean {
  if (filter === null) return true;
  return row.id.startsWith(filter.id ?? '')
    && (filter.state === null || filter.state === undefined || filter.state.state === row.state)
    && (row.podSandboxId ?? '').startsWith(filter.podSandboxId ?? '')
    && Object.entries(filter.labelSelector ?? {}).every(([key, value]) => row.labels[key] === value);
}

async function streamEvents(call: ServerWritableStream<object, object>, runtime: SimRuntime, clock: ClockPort): Promise<void> {
  const watching = await runtime.watch({
    event: (event) => {
      const wire = wireEvent(event, clock.nowMs());
      if (wire !== undefined) call.write(wire);
    },
    lost: (fault) => { call.emit('error', wireFault(fault)); },
  });
  if (!watching.ok) {
    call.emit('error', wireFault(watching.fault));
    return;
  }
  call.on('cancelled', () => void watching.value.stop());
  call.on('close', () => void watching.value.stop());
}


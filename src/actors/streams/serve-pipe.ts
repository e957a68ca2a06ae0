// Serves commands, terminals and ports: what a runtime gives as bytes in both directions, joined with a stream until one of them ends.
import type { MuxStream } from '../../bus/streams/mux-stream.ts';
import type { RuntimeFault } from '../../ports/faults.ts';
import type { AttachRequest, ExecRequest, PortForwardRequest } from '../../ports/node-streams-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import type { RuntimePipe } from '../../ports/stream-runtime-port.ts';
import type { StreamFault } from '../../ports/node-streams-port.ts';
import { findPod, findRunning } from './find-container.ts';
import type { ServeDeps } from './serve-deps.ts';

/** Rows and columns of a terminal. */
const sizeMax = 65_535;
const resizeBytesMax = 1_000;

export async function servePipe(deps: ServeDeps, stream: MuxStream, request: ExecRequest | AttachRequest | PortForwardRequest): Promise<void> {
  const pipe = request.kind === 'portForward' ? await openPort(deps, request) : await openProcess(deps, request);
  if (!pipe.ok) return stream.end({ fault: pipe.fault });
  stream.accept();
  await Promise.all([inwards(stream, pipe.value), outwards(stream, pipe.value)]);
}

async function openProcess({ view, pipes }: ServeDeps, request: ExecRequest | AttachRequest): Promise<Result<RuntimePipe, StreamFault>> {
  const container = findRunning(view, request);
  if (!container.ok) return container;
  const { stdin, stdout, stderr, tty } = request;
  const options = { stdin, stdout, stderr: stderr && !tty, tty };
  const { id } = container.value;
  return opened(request.kind === 'exec' ? await pipes.exec(id, request.command, options) : await pipes.attach(id, options));
}

async function openPort({ view, runtime, pipes }: ServeDeps, request: PortForwardRequest): Promise<Result<RuntimePipe, StreamFault>> {
  const pod = findPod(view, request);
  if (!pod.ok) return pod;
  const sandboxes = await runtime.listSandboxes({ podUid: pod.value.desired.uid });
  if (!sandboxes.ok) return opened(sandboxes);
  const ready = sandboxes.value.find(({ state }) => state === 'ready');
  if (ready === undefined) return fail({ code: 500, reason: 'InternalError', message: `pod ${JSON.stringify(request.pod)} has no running sandbox` });
  return opened(await pipes.forward(ready.id, request.port));
}

function opened(answer: Result<RuntimePipe, RuntimeFault> | Result<never, RuntimeFault>): Result<RuntimePipe, StreamFault> {
  if (answer.ok) return ok(answer.value);
  const code = answer.fault.kind === 'not-found' ? 404 : answer.fault.kind === 'unavailable' ? 503 : 500;
  return fail({ code, reason: code === 404 ? 'NotFound' : code === 503 ? 'ServiceUnavailable' : 'InternalError', message: answer.fault.message });
}

async function inwards(stream: MuxStream, pipe: RuntimePipe): Promise<void> {
  for (;;) {
    const event = await stream.read();
    if (event.kind === 'ended') {
      pipe.close();
      return;
    }
    if (event.kind === 'data' && event.lane === 'stdin') await pipe.write(event.bytes);
    else if (event.kind === 'data' && event.lane === 'resize') resize(pipe, event.bytes);
    else if (event.kind === 'finished' && event.lane === 'stdin') pipe.finish();
  }
}

async function outwards(stream: MuxStream, pipe: RuntimePipe): Promise<void> {
  for (;;) {
    const event = await pipe.read();
    if (event.kind === 'data') {
      if (await stream.write(event.lane, event.bytes)) continue;
      pipe.close();
      return;
    }
    const { exitCode, message } = event;
    const fault = message === undefined ? undefined : { code: 500, reason: 'InternalError', message };
    stream.end({ ...(exitCode === undefined ? {} : { exitCode }), ...(fault === undefined ? {} : { fault }) });
    return;
  }
}

/** What cannot be read is no new size. Two that came together are one: the last counts. */
function resize(pipe: RuntimePipe, bytes: Uint8Array): void {
  if (bytes.length > resizeBytesMax) return;
  const [text] = /\{[^{}]*\}\s*$/.exec(Buffer.from(bytes).toString('utf8')) ?? [];
  if (text === undefined) return;
  try {
    const { Width: width, Height: height } = JSON.parse(text) as { readonly Width?: unknown; readonly Height?: unknown }; // An object, as the pattern says.
    if (isSize(width) && isSize(height)) pipe.resize({ width, height });
  } catch {
    // Half of one.
  }
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0 && Number(value) <= sizeMax;
}

// The message that opens a stream (docs/streams.md, section 2): a frame of the api topic with a JSON body, read with suspicion.
import type { AttachRequest, ContainerPlace, ExecRequest, LogRequest, StreamRequest } from '../../ports/node-streams-port.ts';
import { fail, ok, type Result } from '../../ports/result.ts';
import { isJsonObject, type JsonObject } from '../dialects/json-value.ts';
import { readBody } from '../dialects/mqlet/body.ts';
import { decodeFrame, encodeFrame } from '../dialects/mqlet/header.ts';
import { inflowBytesMax } from './inflow.ts';

export interface StreamOpening {
  /** Of the cloud side that asks: its streams share one topic in each direction. */
  readonly session: string;
  readonly stream: number;
  readonly windowBytes: number;
  readonly request: StreamRequest;
}

/** Whoever asked has given up by then. */
export const openLifetimeSeconds = 15;
const commandPartsMax = 1_000;
const textCharsMax = 128 * 1024;
const sessionPattern = /^[a-z0-9]{1,32}$/;
const streamNumberMax = 0xffff_ffff;

export function encodeOpening({ session, stream, request }: Omit<StreamOpening, 'windowBytes'>): Buffer {
  const body = Buffer.from(JSON.stringify({ session, stream, window: inflowBytesMax, request }), 'utf8');
  return encodeFrame({ type: 'open', lifetimeSeconds: openLifetimeSeconds, body });
}

/** @returns undefined for messages of other kinds; why it is refused, in one line */
export function decodeOpening(payload: Uint8Array): Result<StreamOpening, string> | undefined {
  const frame = decodeFrame(payload);
  if (!frame.ok || frame.value === 'ignorable' || frame.value.type !== 'open') return undefined;
  const body = readBody(frame.value);
  if (!body.ok) return fail(body.fault.message);
  const { session, stream, window, request } = body.value;
  if (typeof session !== 'string' || !sessionPattern.test(session)) return fail('session: must be up to 32 small letters and digits');
  if (!isCount(stream) || stream > streamNumberMax) return fail('stream: must be a number of 32 bits');
  if (!isCount(window)) return fail('window: must be a number of bytes');
  const read = isJsonObject(request) ? readRequest(request) : undefined;
  return read === undefined ? fail('request: is none that is known here') : ok({ session, stream, windowBytes: Math.min(window, inflowBytesMax), request: read });
}

function readRequest(body: JsonObject): StreamRequest | undefined {
  switch (body.kind) {
    case 'logs': return readLogs(body);
    case 'exec': return readExec(body);
    case 'attach': return readAttach(body);
    case 'portForward': return isText(body.namespace) && isText(body.pod) && isPort(body.port) ? { kind: 'portForward', namespace: body.namespace, pod: body.pod, port: body.port } : undefined;
    case 'facts': return body.what === 'pods' || body.what === 'summary' || body.what === 'resource' ? { kind: 'facts', what: body.what } : undefined;
    default: return undefined;
  }
}

function readPlace({ namespace, pod, container }: JsonObject): ContainerPlace | undefined {
  return isText(namespace) && isText(pod) && isText(container) ? { namespace, pod, container } : undefined;
}

function readLogs(body: JsonObject): LogRequest | undefined {
  const place = readPlace(body);
  if (place === undefined) return undefined;
  const { follow, previous, timestamps, sinceTime, sinceSeconds, tailLines, limitBytes, stream } = body;
  return {
    kind: 'logs', ...place,
    ...(follow === true ? { follow } : {}),
    ...(previous === true ? { previous } : {}),
    ...(timestamps === true ? { timestamps } : {}),
    ...(isText(sinceTime) ? { sinceTime } : {}),
    ...(isCount(sinceSeconds) ? { sinceSeconds } : {}),
    ...(isCount(tailLines) ? { tailLines } : {}),
    ...(isCount(limitBytes) ? { limitBytes } : {}),
    ...(stream === 'Stdout' || stream === 'Stderr' || stream === 'All' ? { stream } : {}),
  };
}

function readExec(body: JsonObject): ExecRequest | undefined {
  const attached = readAttach(body);
  const { command } = body;
  if (attached === undefined || !Array.isArray(command) || command.length === 0 || command.length > commandPartsMax || !command.every(isText)) return undefined;
  return { ...attached, kind: 'exec', command };
}

function readAttach(body: JsonObject): AttachRequest | undefined {
  const place = readPlace(body);
  if (place === undefined) return undefined;
  const tty = body.tty === true;
  const [stdin, stdout, stderr] = [body.stdin === true, body.stdout === true, body.stderr === true && !tty];
  return stdin || stdout || stderr ? { kind: 'attach', ...place, stdin, stdout, stderr, tty } : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= textCharsMax;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isPort(value: unknown): value is number {
  return isCount(value) && value >= 1 && value <= 65_535;
}

// What is said while a device joins: texts of two parts, a body and the proof that the speaker knows the token and has heard
// the same things before (docs/join.md, section 3). Pure. All that comes from the wire is hostile until opened.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { fail, ok, type Result } from '../../ports/result.ts';
import { jsonObjectIn } from '../dialects/json-value.ts';

/** Larger ones are not looked at. */
export const frameBytesMax = 32 * 1024;
const fieldCharactersMax = 16 * 1024;

/** Fields of each message; all are text. Times are RFC 3339, keys and certificates PEM. */
const fieldsOf = {
  /** Device: it knows the token, and would be this node. */
  hello: ['token', 'node', 'nonce', 'at'],
  /** Cloud: so does it, and it is this late. */
  offer: ['nonce', 'at'],
  /** Device: the request for its certificate. */
  ask: ['request'],
  /** Cloud: the certificate, whom to trust, where to connect. Empty: as it came. */
  grant: ['certificate', 'authority', 'brokerAuthority', 'url', 'serverName', 'rootTopic', 'dialect'],
  /** Cloud: no, and why. `nonce` is that of a renewal, or empty. */
  refusal: ['reason', 'message', 'nonce'],
  /** Node: proven by the key of `certificate` instead of a token. */
  renew: ['certificate', 'request', 'nonce', 'at'],
  /** Cloud: proven by the authority's signature on it. */
  renewed: ['certificate', 'nonce'],
} as const;

export type JoinKind = keyof typeof fieldsOf;
export type JoinBody<Kind extends JoinKind> = { readonly [field in (typeof fieldsOf)[Kind][number]]: string };

/** Why the cloud side says no; a device tells a person what to do about each. */
export const refusalReasons = [
  'UnknownToken', 'TokenExpired', 'TokenUsed', 'TokenRevoked', 'ClockSkew', 'NodeNameTaken', 'NodeNameNotAllowed', 'NotProven', 'Replayed', 'BadRequest', 'CertificateRevoked', 'Unavailable',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** What a seal is made over, beside the body. */
export interface Sealing {
  readonly key: Uint8Array;
  /** The client id of the try: what was said in another one proves nothing here. */
  readonly device: string;
  /** All that was said before in this try, in order, as it stood on the wire. */
  readonly before: readonly string[];
}

const layout = 1;

/** @param proof for a body without one: empty */
export function frame(kind: JoinKind, body: Readonly<Record<string, string>>, prove: (bodyText: string) => string = () => ''): string {
  const bodyText = Buffer.from(JSON.stringify({ v: layout, t: kind, ...body })).toString('base64url');
  return `${bodyText}.${prove(bodyText)}`;
}

export function sealed<Kind extends JoinKind>(kind: Kind, body: JoinBody<Kind>, sealing: Sealing): string {
  return frame(kind, body, (bodyText) => sealOf(bodyText, sealing).toString('base64url'));
}

export interface ReadFrame {
  readonly kind: JoinKind;
  readonly body: Readonly<Record<string, string>>;
  readonly bodyText: string;
  readonly proof: Uint8Array;
  /** As it stood on the wire. */
  readonly text: string;
}

/** Reads a frame of any kind and proves nothing yet. @returns a fault that says what is wrong with it */
export function readFrame(payload: Uint8Array): Result<ReadFrame, string> {
  if (payload.byteLength > frameBytesMax) return fail(`${payload.byteLength} bytes, at most ${frameBytesMax}`);
  const text = Buffer.from(payload).toString('latin1');
  const [, bodyText, proof] = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)$/.exec(text) ?? [];
  if (bodyText === undefined || proof === undefined) return fail('not two parts in base64url');
  const body = jsonObjectIn(Buffer.from(bodyText, 'base64url').toString('utf8'));
  if (body === undefined) return fail('no JSON object');
  const { v, t: kind } = body;
  if (v !== layout) return fail(`version ${JSON.stringify(v)?.slice(0, 20)} is not spoken here, ${layout} is`);
  if (typeof kind !== 'string' || !isKind(kind)) return fail('an unknown message');
  const fields: Record<string, string> = {};
  for (const name of fieldsOf[kind]) {
    const value = body[name];
    if (typeof value !== 'string' || value.length > fieldCharactersMax) return fail(`${kind}.${name}: must be text of at most ${fieldCharactersMax} characters`);
    fields[name] = value;
  }
  return ok({ kind, body: fields, bodyText, proof: Buffer.from(proof, 'base64url'), text });
}

/** The body, where the frame is of that kind. */
export function bodyOf<Kind extends JoinKind>(read: ReadFrame, kind: Kind): JoinBody<Kind> | undefined {
  // Reading has looked for every field of its kind.
  return read.kind === kind ? read.body as JoinBody<Kind> : undefined;
}

/** Whether who said it knows the key and has heard the same before. */
export function isSealed(read: ReadFrame, sealing: Sealing): boolean {
  const expected = sealOf(read.bodyText, sealing);
  return read.proof.byteLength === expected.byteLength && timingSafeEqual(read.proof, expected);
}

/** What a node signs to renew. */
export function renewalText(nodeName: string, bodyText: string): string {
  return `mqlet join v1\nrenew\n${nodeName}\n${bodyText}`;
}

function sealOf(bodyText: string, { key, device, before }: Sealing): Buffer {
  // The body names its kind, so that nothing sealed for one purpose serves another.
  const heard = createHash('sha256').update(before.join('\n')).digest('hex');
  return createHmac('sha256', key).update(`mqlet join v1\n${device}\n${heard}\n${bodyText}`).digest();
}

function isKind(text: string): text is JoinKind {
  return Object.hasOwn(fieldsOf, text);
}

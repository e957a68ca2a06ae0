// The inspector's addresses: the page's files, the WebSocket of pages, Stately's, and the export. Who may come in is decided here.
// It reads; nothing that is asked changes the node.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { HttpRequest } from '../ports/listener-port.ts';
import type { PageAddress, PageAnswer, PageRoutes, PageSocket, SocketListener, SocketVerdict } from '../ports/page-port.ts';

/** The page's files by path: `/`, `/page.js`, `/page.css`. */
export type PageFiles = ReadonlyMap<string, { readonly contentType: string; readonly body: Uint8Array }>;

export interface InspectorDeps {
  readonly files: PageFiles;
  readonly token: string;
  /** As bound; known once it listens. */
  readonly address: () => PageAddress;
  readonly openPage: (socket: PageSocket) => SocketListener;
  /** Absent where nothing lives: a recording. */
  readonly openStately?: ((socket: PageSocket) => SocketListener) | undefined;
  /** Lines of a recording of these entries. */
  readonly exportLines: (from: number, to: number) => Iterable<string>;
}

const policy = (address: PageAddress): string => [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", `connect-src 'self' ${ownHosts(address).map((host) => `ws://${host}`).join(' ')}`,
  "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join('; ');

export function inspectorRoutes(deps: InspectorDeps): PageRoutes {
  return {
    answer: (request) => answer(deps, request),
    connect: (request) => connect(deps, request),
  };
}

/** The URL that a person opens. What stands behind `#` stays in the browser. */
export function inspectorUrl(address: PageAddress, token: string): string {
  return `http://${hostText(address)}/#token=${token}`;
}

function answer(deps: InspectorDeps, request: HttpRequest): PageAnswer {
  if (!isOurHost(deps, request)) return refusal(421, 'this server answers to its own address only');
  if (request.method !== 'GET' && request.method !== 'HEAD') return refusal(405, 'only GET is known here');
  if (request.path === '/export') return exported(deps, request);
  const file = deps.files.get(request.path);
  if (file === undefined) return refusal(404, 'there is no such path');
  return { status: 200, headers: { ...safe(deps.address()), 'content-type': file.contentType }, body: file.body };
}

function exported(deps: InspectorDeps, { headers, query }: HttpRequest): PageAnswer {
  if (!isOwnOrigin(deps, headers['origin']) || !isToken(deps, /^Bearer (.+)$/.exec(headers['authorization'] ?? '')?.[1])) return refusal(403, 'the token is missing or wrong');
  const from = Number(query.get('from') ?? 1);
  const to = Number(query.get('to') ?? Number.MAX_SAFE_INTEGER);
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) return refusal(400, 'from and to are numbers of entries');
  const disposition = 'attachment; filename="mqlet-inspector.jsonl"';
  return { status: 200, headers: { ...safe(deps.address()), 'content-type': 'application/jsonl; charset=utf-8', 'content-disposition': disposition }, body: deps.exportLines(from, to) };
}

function connect(deps: InspectorDeps, request: HttpRequest): SocketVerdict {
  const refused = (status: number, message: string): SocketVerdict => ({ kind: 'refused', status, message });
  if (!isOurHost(deps, request)) return refused(421, 'this server answers to its own address only');
  if (!isOwnOrigin(deps, request.headers['origin'])) return refused(403, 'only the page of this server may connect');
  if (!isToken(deps, request.query.get('token'))) return refused(403, 'the token is missing or wrong');
  if (request.path === '/feed') return { kind: 'taken', open: deps.openPage };
  if (request.path === '/stately' && deps.openStately !== undefined) return { kind: 'taken', open: deps.openStately };
  return refused(404, 'there is no such path');
}

/** A name that somebody else's DNS gives this address is not ours. */
function isOurHost({ address }: InspectorDeps, { headers }: HttpRequest): boolean {
  return ownHosts(address()).includes((headers['host'] ?? '').toLowerCase());
}

/** Browsers always name the origin of a WebSocket; programs, which have none, need the token all the same. */
function isOwnOrigin({ address }: InspectorDeps, origin: string | undefined): boolean {
  return origin === undefined || ownHosts(address()).some((host) => origin === `http://${host}`);
}

function ownHosts(address: PageAddress): readonly string[] {
  return [hostText(address), `localhost:${address.port}`];
}

function hostText({ host, port }: PageAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function isToken({ token }: InspectorDeps, given: string | undefined): boolean {
  // Digests have one length, whatever was given.
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

function safe(address: PageAddress): Readonly<Record<string, string>> {
  return {
    'content-security-policy': policy(address), 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cache-control': 'no-store',
    'cross-origin-opener-policy': 'same-origin', 'cross-origin-resource-policy': 'same-origin', 'x-frame-options': 'DENY',
  };
}

function refusal(status: number, message: string): PageAnswer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' }, body: `${message}\n` };
}

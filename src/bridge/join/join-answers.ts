// What the cloud side answers to devices that would be nodes, and to nodes that renew (docs/join.md, sections 3 and 4). It knows tokens,
// the ledger and the authority; of topics it knows nothing. A token is burnt and a certificate written down before anything is given.
import { bodyOf, frame, isSealed, type JoinBody, type ReadFrame, type RefusalReason, renewalText, sealed, type Sealing } from '../../bus/join/join-frames.ts';
import { clockSkewMsMax, clocksDiffer, nodeOrganization } from '../../bus/join/join-rules.ts';
import type { CertificatePair } from '../../ports/certificates-port.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { JoinCertificatesPort } from '../../ports/join-certificates-port.ts';
import type { LogPort } from '../../ports/log-port.ts';
import { rfc3339Seconds } from '../../ports/rfc3339.ts';
import type { GiveFault, NodeLedger } from './node-ledger.ts';
import type { TokenRecord, TokenStore } from './token-store.ts';

/** A try takes seconds. */
const sessionMsMax = 120_000;
/** Tries at once; each has proven to know a token. The oldest is dropped. */
const sessionsMax = 64;
/** Renewals that are remembered, so that one said again is answered alike and one replayed gets nothing new. */
const renewalsMax = 1_024;
/** A file name has 255 bytes, and the node's record has an ending. */
const nodeNamePattern = /^[a-z0-9]([-a-z0-9.]{0,238}[a-z0-9])?$/;

export interface JoinTerms {
  /** For how long a node's certificate is good. */
  readonly certificateMs: number;
  /** `mqtts://host:port` of the broker where nodes show their certificates; empty: where they joined. */
  readonly url: string;
  readonly serverName: string;
  /** PEM of all whom nodes shall trust as the broker; empty: the one they pinned. */
  readonly brokerAuthority: string;
  readonly rootTopic: string;
}

export interface JoinAnswersDeps {
  readonly tokens: TokenStore;
  readonly ledger: NodeLedger;
  readonly certificates: JoinCertificatesPort;
  readonly authority: CertificatePair;
  readonly clock: ClockPort;
  readonly log: LogPort;
  readonly terms: JoinTerms;
}

interface Session {
  readonly token: TokenRecord;
  readonly node: string;
  /** All that was said, in order. */
  readonly hello: string;
  readonly offer: string;
  readonly beganMs: number;
  /** Said again when it is asked again in the same words. */
  answered: { readonly ask: string; readonly answer: string } | undefined;
}

export class JoinAnswers {
  readonly #deps: JoinAnswersDeps;
  /** By device; oldest first. */
  readonly #sessions = new Map<string, Session>();
  /** Answers by the words they answer; oldest first. */
  readonly #renewals = new Map<string, string>();

  constructor(deps: JoinAnswersDeps) {
    this.#deps = deps;
  }

  /** @returns undefined for what deserves no answer */
  async toDevice(device: string, read: ReadFrame): Promise<string | undefined> {
    const hello = bodyOf(read, 'hello');
    if (hello !== undefined) return this.#hello(device, read, hello);
    const ask = bodyOf(read, 'ask');
    return ask === undefined ? undefined : this.#ask(device, read, ask);
  }

  // ---- joining ----------------------------------------------------------------------------------------------------

  async #hello(device: string, read: ReadFrame, { token: id, node, at }: JoinBody<'hello'>): Promise<string> {
    const known = this.#session(device);
    // Said again: the answer was lost, or is on its way.
    if (known?.hello === read.text) return known.offer;
    const token = await this.#deps.tokens.get(id);
    if (!token.ok) return this.#refuse(device, 'Unavailable', 'the cloud side cannot read its tokens', { log: token.fault });
    if (token.value === undefined) return this.#refuse(device, 'UnknownToken', 'there is no such token');
    const sealing = sealingOf(token.value, device);
    // Who does not know the secret half learns nothing but that the name is known.
    if (!isSealed(read, sealing)) return this.#refuse(device, 'NotProven', 'the secret half of the token is not the right one');
    const answering = { ...sealing, before: [read.text] };
    const spent = this.#spent(token.value);
    if (spent !== undefined) return this.#refuse(device, spent.reason, spent.message, { sealing: answering });
    const skewed = this.#skew(at, 'the device');
    if (skewed !== undefined) return this.#refuse(device, 'ClockSkew', skewed, { sealing: answering });
    const named = await this.#nameFault(node, token.value);
    if (named !== undefined) return this.#refuse(device, named.reason, named.message, { sealing: answering });
    const { certificates, clock } = this.#deps;
    const offer = sealed('offer', { nonce: certificates.secret(), at: rfc3339Seconds(clock.nowMs()) }, answering);
    this.#sessions.delete(device);
    this.#sessions.set(device, { token: token.value, node, hello: read.text, offer, beganMs: clock.monotonicMs(), answered: undefined });
    const oldest = this.#sessions.keys().next();
    if (this.#sessions.size > sessionsMax && oldest.done !== true) this.#sessions.delete(oldest.value);
    return offer;
  }

  async #ask(device: string, read: ReadFrame, { request }: JoinBody<'ask'>): Promise<string> {
    const session = this.#session(device);
    if (session === undefined) return this.#refuse(device, 'Replayed', 'it belongs to no try that is under way: it is old, or of another');
    if (session.answered?.ask === read.text) return session.answered.answer;
    const { hello, offer } = session;
    const sealing = { ...sealingOf(session.token, device), before: [hello, offer] };
    if (!isSealed(read, sealing)) return this.#refuse(device, 'NotProven', 'it is not sealed with the token, or was said in another try');
    const answering = { ...sealing, before: [hello, offer, read.text] };
    const answer = await this.#decide(session, { device, request, answering });
    session.answered = { ask: read.text, answer };
    return answer;
  }

  async #decide({ token: { id }, node }: Session, { device, request, answering }: { readonly device: string; readonly request: string; readonly answering: Sealing }): Promise<string> {
    const { tokens, ledger, certificates, authority, log, terms } = this.#deps;
    const refuse = (reason: RefusalReason, message: string, cause?: string) => this.#refuse(device, reason, message, { sealing: answering, ...(cause === undefined ? {} : { log: cause }) });
    // Read anew: another device may have used it since, or a person revoked it.
    const token = await tokens.get(id);
    if (!token.ok || token.value === undefined) return refuse('Unavailable', 'the cloud side cannot read its tokens', token.ok ? 'the token is gone' : token.fault);
    const fault = this.#spent(token.value) ?? await this.#nameFault(node, token.value);
    if (fault !== undefined) return refuse(fault.reason, fault.message);
    const details = this.#certify(request, node);
    if (details === undefined) return refuse('BadRequest', 'the request is not one for a certificate of this node, signed by its own key on P-256');
    const used = await tokens.use(token.value, node);
    if (!used.ok) return refuse('Unavailable', 'the cloud side cannot write down that the token is used', used.fault);
    const given = await ledger.give(node, details, { kind: 'join', replaces: token.value.node === node });
    if (!given.ok) return refuse('Unavailable', 'the cloud side cannot write down the certificate; the token is used', given.fault.message);
    log.info('join.granted', { node, token: id, serial: details.serial, notAfter: rfc3339Seconds(details.notAfterMs) });
    const { url, serverName, brokerAuthority, rootTopic } = terms;
    const { certificate } = details;
    return certificates.isIssued(certificate, authority.cert)
      ? sealed('grant', { certificate, authority: authority.cert, brokerAuthority, url, serverName, rootTopic, dialect: 'mqlet' }, answering)
      : refuse('Unavailable', 'the certificate that was made is not the authority\'s');
  }

  #spent({ state, expiresAtMs }: TokenRecord): { readonly reason: RefusalReason; readonly message: string } | undefined {
    if (state === 'used') return { reason: 'TokenUsed', message: 'the token was used already; each lets one device in' };
    if (state === 'revoked') return { reason: 'TokenRevoked', message: 'the token was revoked' };
    const nowMs = this.#deps.clock.nowMs();
    if (nowMs >= expiresAtMs) return { reason: 'TokenExpired', message: `the token expired at ${rfc3339Seconds(expiresAtMs)}, and it is ${rfc3339Seconds(nowMs)}` };
    return undefined;
  }

  async #nameFault(node: string, token: TokenRecord): Promise<{ readonly reason: RefusalReason; readonly message: string } | undefined> {
    if (!nodeNamePattern.test(node)) return { reason: 'NodeNameNotAllowed', message: 'the name of a node is a DNS name in lower case, at most 240 characters' };
    if (token.node === node) return undefined;
    if (token.node !== '') return { reason: 'NodeNameNotAllowed', message: `the token is for the node ${token.node}, not for ${node}` };
    const given = await this.#deps.ledger.of(node);
    if (!given.ok) return { reason: 'Unavailable', message: 'the cloud side cannot read what it gave to nodes' };
    return given.value.some(({ revokedAtMs }) => revokedAtMs === 0) ? { reason: 'NodeNameTaken', message: `a node ${node} has joined already` } : undefined;
  }

  #skew(theirs: string, them: string): string | undefined {
    return clocksDiffer({ nowMs: this.#deps.clock.nowMs(), theirs, us: 'the cloud side', them });
  }

  #certify(request: string, node: string) {
    const { certificates, authority, clock, terms } = this.#deps;
    const asked = certificates.readRequest(request);
    if (asked?.commonName !== node || asked.organizations.length !== 1 || asked.organizations[0] !== nodeOrganization) return undefined;
    const nowMs = clock.nowMs();
    const certificate = certificates.certify(authority, request, { notBeforeMs: nowMs - clockSkewMsMax, notAfterMs: nowMs + terms.certificateMs });
    const details = certificate === undefined ? undefined : certificates.details(certificate);
    return certificate === undefined || details === undefined ? undefined : { ...details, certificate };
  }

  /** Undefined where there is none, or it took too long. */
  #session(device: string): Session | undefined {
    const session = this.#sessions.get(device);
    if (session === undefined || this.#deps.clock.monotonicMs() - session.beganMs <= sessionMsMax) return session;
    this.#sessions.delete(device);
    return undefined;
  }

  #refuse(device: string, reason: RefusalReason, message: string, { sealing, log: cause }: { readonly sealing?: Sealing; readonly log?: string } = {}): string {
    this.#deps.log.warn('join.refused', { device, reason, message, ...(cause === undefined ? {} : { cause }) });
    const body = { reason, message, nonce: '' };
    return sealing === undefined ? frame('refusal', body) : sealed('refusal', body, sealing);
  }

  // ---- renewal ----------------------------------------------------------------------------------------------------

  /** @param node as the broker's access list vouches for it, which is not enough: the key of its certificate must have signed */
  async toNode(node: string, read: ReadFrame): Promise<string | undefined> {
    const renewal = bodyOf(read, 'renew');
    if (renewal === undefined) return undefined;
    const said = `${node}\n${read.text}`;
    const known = this.#renewals.get(said);
    if (known !== undefined) return known;
    const answer = await this.#renew(node, read, renewal);
    this.#renewals.set(said, answer);
    const oldest = this.#renewals.keys().next();
    if (this.#renewals.size > renewalsMax && oldest.done !== true) this.#renewals.delete(oldest.value);
    return answer;
  }

  async #renew(node: string, { bodyText, proof }: ReadFrame, { certificate, request, nonce, at }: JoinBody<'renew'>): Promise<string> {
    const { certificates, authority, ledger, clock, log } = this.#deps;
    const refuse = (reason: RefusalReason, message: string): string => {
      log.warn('join.renewal-refused', { node, reason, message });
      return frame('refusal', { reason, message, nonce });
    };
    const current = certificates.details(certificate);
    const proven = current?.commonName === node && certificates.isIssued(certificate, authority.cert) && certificates.isSignedBy(certificate, renewalText(node, bodyText), proof);
    if (!proven) return refuse('NotProven', `it is not signed by the key of a certificate of ${node}`);
    const given = await ledger.of(node);
    if (!given.ok) return refuse('Unavailable', 'the cloud side cannot read what it gave to nodes');
    const standing = given.value.find(({ serial }) => serial === current.serial);
    // What the ledger does not know has run out, or was never given here.
    if (standing === undefined || standing.revokedAtMs > 0) return refuse('CertificateRevoked', standing === undefined ? 'the certificate has run out: join again' : 'the certificate was revoked');
    const skewed = this.#skew(at, 'the node');
    if (skewed !== undefined) return refuse('ClockSkew', skewed);
    const next = this.#certify(request, node);
    if (next === undefined) return refuse('BadRequest', 'the request is not one for a certificate of this node, signed by its own key on P-256');
    const written = await ledger.give(node, next, { kind: 'renewal', renews: current.serial });
    if (!written.ok) return notGiven(written.fault, refuse);
    log.info('join.renewed', { node, serial: next.serial, notAfter: rfc3339Seconds(next.notAfterMs), at: rfc3339Seconds(clock.nowMs()) });
    return frame('renewed', { certificate: next.certificate, nonce });
  }
}

function notGiven({ kind, message }: GiveFault, refuse: (reason: RefusalReason, message: string) => string): string {
  switch (kind) {
    case 'not-standing': return refuse('CertificateRevoked', message);
    case 'too-many': return refuse('Unavailable', `${message}: no more for now`);
    case 'files': return refuse('Unavailable', 'the cloud side cannot write down the certificate');
    default: return kind satisfies never;
  }
}

function sealingOf({ key }: TokenRecord, device: string): Sealing {
  return { key: Buffer.from(key, 'base64url'), device, before: [] };
}

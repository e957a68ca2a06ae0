// The device's half of joining: proves that it knows the token, hears that the other side knows it too and how late it is there, asks,
// and takes what it gets only where all of it fits (docs/join.md, section 3). It writes nothing.
import { bodyOf, isSealed, type JoinBody, type ReadFrame, type RefusalReason, refusalReasons, sealed, type Sealing } from '../bus/join/join-frames.ts';
import { clocksDiffer, nodeOrganization } from '../bus/join/join-rules.ts';
import type { JoinToken } from '../bus/join/join-token.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { JoinCertificatesPort } from '../ports/join-certificates-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import type { Conversation } from './conversation.ts';
import type { JoinFault } from './join-fault.ts';

export interface JoinDeps {
  readonly conversation: Conversation;
  readonly clock: ClockPort;
  readonly certificates: JoinCertificatesPort;
}

export interface JoinWish {
  readonly token: JoinToken;
  readonly nodeName: string;
  /** The client id of this try. */
  readonly device: string;
}

/** Secret: holds the key. */
export interface Joined {
  readonly certificate: string;
  readonly key: string;
  /** PEM; signs the node's next certificates. */
  readonly authority: string;
  readonly notAfterMs: number;
  /** Where the cloud side wants the node to connect, what it says beside; empty texts: as it came. */
  readonly terms: JoinBody<'grant'>;
}

export async function joinExchange(deps: JoinDeps, { token, nodeName, device }: JoinWish): Promise<Result<Joined, JoinFault>> {
  const { conversation, clock, certificates } = deps;
  const opened = await conversation.open();
  if (!opened.ok) return opened;
  const sealing = (...before: readonly string[]): Sealing => ({ key: token.key, device, before });
  const hello = sealed('hello', { token: token.id, node: nodeName, nonce: certificates.secret(), at: rfc3339Seconds(clock.nowMs()) }, sealing());
  const offer = await conversation.say(hello, (answer) => judgeOffer(answer, { sealing: sealing(hello), nowMs: clock.nowMs() }));
  if (!offer.ok) return offer;
  const { request, key } = certificates.makeRequest({ commonName: nodeName, organizations: [nodeOrganization] });
  const ask = sealed('ask', { request }, sealing(hello, offer.value));
  const heard = sealing(hello, offer.value, ask);
  let unproven: JoinFault | undefined;
  const grant = await conversation.say(ask, (answer) => {
    const judged = judgeGrant(answer, heard);
    if (judged?.ok !== false || isSealed(answer, heard)) return judged;
    // Whoever knows the token proves it. Anybody else may be late, or lie while the right answer is on its way.
    unproven = judged.fault;
    return undefined;
  });
  if (!grant.ok) return grant.fault.kind === 'silent' && unproven !== undefined ? fail(unproven) : grant;
  return checkedGrant(deps, { key, nodeName, terms: grant.value });
}

function judgeOffer(answer: ReadFrame, { sealing, nowMs }: { readonly sealing: Sealing; readonly nowMs: number }): Result<string, JoinFault> | undefined {
  const refused = refusalOf(answer, sealing);
  if (refused !== undefined) return fail(refused);
  const offer = bodyOf(answer, 'offer');
  if (offer === undefined) return undefined;
  if (!isSealed(answer, sealing)) return fail({ kind: 'impostor', message: 'who answers does not know the token: somebody else speaks for the cloud side at this broker. Nothing was asked of him' });
  const differ = clocksDiffer({ nowMs, theirs: offer.at, us: 'this device', them: 'the cloud side' });
  return differ === undefined ? ok(answer.text) : fail({ kind: 'clock', message: `${differ}: set the one that is wrong (is NTP reached?) and join again` });
}

function judgeGrant(answer: ReadFrame, sealing: Sealing): Result<JoinBody<'grant'>, JoinFault> | undefined {
  const refused = refusalOf(answer, sealing);
  if (refused !== undefined) return fail(refused);
  const grant = bodyOf(answer, 'grant');
  if (grant === undefined) return undefined;
  return isSealed(answer, sealing) ? ok(grant) : fail({ kind: 'impostor', message: 'the certificate comes from somebody who does not know the token; it was not taken' });
}

function refusalOf(answer: ReadFrame, sealing: Sealing): JoinFault | undefined {
  const refusal = bodyOf(answer, 'refusal');
  if (refusal === undefined) return undefined;
  const reason = refusalReasons.find((one) => one === refusal.reason) ?? 'BadRequest';
  const text = refusal.message.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 500);
  const proven = isSealed(answer, sealing);
  return { kind: 'refused', reason, message: `refused (${reason}): ${text}${proven ? '' : '; who says so did not prove to know the token'}${mendOf(reason)}` };
}

function mendOf(reason: RefusalReason): string {
  switch (reason) {
    case 'UnknownToken': case 'TokenExpired': case 'TokenUsed': case 'TokenRevoked': return '. A new one: mqlet bridge token create --print-join-command';
    case 'NodeNameTaken': return '. Either --node-name, or a token for this very node: mqlet bridge token create --node NAME';
    case 'NodeNameNotAllowed': return '. The token is for the node it names: --node-name';
    case 'ClockSkew': return '. Set the clock that is wrong';
    case 'Unavailable': return '. Try again';
    case 'NotProven': case 'Replayed': case 'BadRequest': case 'CertificateRevoked': return '';
    default: return reason satisfies never;
  }
}

/** Nothing is believed only because it is sealed: a key of another, a name of another would be found out at the broker, too late. */
function checkedGrant({ certificates, clock }: JoinDeps, { key, nodeName, terms }: { readonly key: string; readonly nodeName: string; readonly terms: JoinBody<'grant'> }): Result<Joined, JoinFault> {
  const { certificate, authority } = terms;
  const details = certificates.details(certificate);
  const wrong = details === undefined ? 'is none'
    : details.commonName !== nodeName ? `is for "${details.commonName}"`
    : !certificates.isKeyOf(key, certificate) ? 'is of another key'
    : !certificates.isIssued(certificate, authority) ? 'is not signed by the authority that came with it'
    : details.notAfterMs <= clock.nowMs() || details.notBeforeMs > clock.nowMs() ? `is good from ${rfc3339Seconds(details.notBeforeMs)} to ${rfc3339Seconds(details.notAfterMs)}, which is not now`
    : undefined;
  if (details === undefined || wrong !== undefined) return fail({ kind: 'answer', message: `the certificate that came ${wrong ?? 'is none'}; it was not taken` });
  return ok({ certificate, key, authority, notAfterMs: details.notAfterMs, terms });
}

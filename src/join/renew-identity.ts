// A node gets its next certificate: asks with the key it has, for one it makes, over a connection of its own; and puts both in the place of the
// old ones at once, where they are good. The agent notices the file and reconnects.
import { bodyOf, frame, type JoinBody, type ReadFrame, refusalReasons, renewalText } from '../bus/join/join-frames.ts';
import { nodeOrganization } from '../bus/join/join-rules.ts';
import { renewalTopics } from '../bus/join/join-topics.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { JoinCertificatesPort } from '../ports/join-certificates-port.ts';
import type { BrokerAddress, JoinLinkPort } from '../ports/join-link-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';
import { Conversation } from './conversation.ts';
import type { JoinFault } from './join-fault.ts';

const fileBytesMax = 64 * 1024;
const fileMode = 0o600;

export interface RenewalDeps {
  readonly link: JoinLinkPort;
  readonly clock: ClockPort;
  readonly certificates: JoinCertificatesPort;
  readonly files: FilesPort;
}

export interface RenewalWish {
  readonly address: BrokerAddress;
  readonly nodeName: string;
  readonly rootTopic: string;
  /** Certificate and key, one behind the other. */
  readonly nodeFile: string;
  readonly brokerAuthorityFile: string;
  readonly nodeAuthorityFile: string;
}

/** Secret. */
interface Files {
  readonly cert: string;
  readonly key: string;
  readonly brokerAuthority: string;
  readonly nodeAuthority: string;
}

export async function renewIdentity({ link, clock, certificates, files }: RenewalDeps, wish: RenewalWish): Promise<Result<{ readonly notAfterMs: number }, JoinFault>> {
  const { address, nodeName, rootTopic, nodeFile } = wish;
  const read = await readFiles(files, wish);
  if (!read.ok) return read;
  const { cert, key, brokerAuthority, nodeAuthority } = read.value;
  const next = certificates.makeRequest({ commonName: nodeName, organizations: [nodeOrganization] });
  const nonce = certificates.secret();
  const body = { certificate: cert, request: next.request, nonce, at: rfc3339Seconds(clock.nowMs()) } satisfies JoinBody<'renew'>;
  const text = frame('renew', body, (bodyText) => certificates.sign(key, renewalText(nodeName, bodyText)));
  // Another client id than the agent's: the broker would end its connection.
  const mqtt = link.open({ address, ca: brokerAuthority, clientId: `${nodeName}-renewal`, pair: { cert, key } });
  const conversation = new Conversation(mqtt, clock, renewalTopics(rootTopic, nodeName));
  const opened = await conversation.open();
  const answered = opened.ok ? await conversation.say(text, (answer) => judge(answer, nonce)) : opened;
  await conversation.close();
  if (!answered.ok) return answered;
  const details = certificates.details(answered.value);
  const fits = details?.commonName === nodeName && certificates.isKeyOf(next.key, answered.value) && certificates.isIssued(answered.value, nodeAuthority);
  if (!fits || details.notBeforeMs > clock.nowMs() || details.notAfterMs <= clock.nowMs()) {
    return fail({ kind: 'answer', message: 'the certificate that came is not the one that was asked for, or is not good now; the old one stays' });
  }
  const written = await files.writeAtomic(nodeFile, answered.value + next.key, { mode: fileMode });
  return written.ok ? ok({ notAfterMs: details.notAfterMs }) : fail({ kind: 'files', message: `${written.fault.message}; the old certificate stays` });
}

/** What is not about this request is somebody's else, or old. */
function judge(answer: ReadFrame, nonce: string): Result<string, JoinFault> | undefined {
  const renewed = bodyOf(answer, 'renewed');
  if (renewed?.nonce === nonce) return ok(renewed.certificate);
  const refusal = bodyOf(answer, 'refusal');
  if (refusal?.nonce !== nonce) return undefined;
  const reason = refusalReasons.find((one) => one === refusal.reason) ?? 'BadRequest';
  return fail({ kind: 'refused', reason, message: `the cloud side refuses (${reason}): ${refusal.message.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 500)}` });
}

async function readFiles(files: FilesPort, { nodeFile, brokerAuthorityFile, nodeAuthorityFile }: RenewalWish): Promise<Result<Files, JoinFault>> {
  const texts: string[] = [];
  for (const path of [nodeFile, brokerAuthorityFile, nodeAuthorityFile]) {
    const content = await files.read(path, { bytesMax: fileBytesMax });
    if (!content.ok) return fail({ kind: 'files', message: content.fault.message });
    texts.push(new TextDecoder().decode(content.value));
  }
  const [node = '', brokerAuthority = '', nodeAuthority = ''] = texts;
  const [, cert, key] = /^(-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----\n)(-----BEGIN [^]+)$/.exec(node) ?? [];
  if (cert === undefined || key === undefined) return fail({ kind: 'files', message: `${nodeFile}: must hold the certificate and behind it its key, as mqlet join writes them` });
  return ok({ cert, key, brokerAuthority, nodeAuthority });
}

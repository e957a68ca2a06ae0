// The room of a bridge where devices come to be nodes, in the real world: authority, tokens, ledger and desk under one directory.
// `mqlet bridge` runs it; `mqlet bridge token` and `node` open it beside.
import path from 'node:path';
import { JoinCertificates } from '../adapters/join-certificates.ts';
import { NodeFiles } from '../adapters/node-files.ts';
import { SystemClock } from '../adapters/system-clock.ts';
import { JoinAnswers } from '../bridge/join/join-answers.ts';
import { joinAuthority } from '../bridge/join/join-authority.ts';
import { type JoinDesk, startJoinDesk } from '../bridge/join/join-desk.ts';
import { NodeLedger } from '../bridge/join/node-ledger.ts';
import { TokenStore } from '../bridge/join/token-store.ts';
import { pemCertificates } from '../join/join-node.ts';
import type { CertificatePair } from '../ports/certificates-port.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { MqttPort } from '../ports/mqtt-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';

const fileBytesMax = 64 * 1024;
const dayMs = 86_400_000;
/** As kube-controller-manager signs for kubelets. */
export const certificateMsDefault = 365 * dayMs;

/** What `mqlet bridge token create` prints a command from. */
export interface JoinFacts {
  readonly joinUrl: string;
  readonly rootTopic: string;
  /** `sha256:…` of each authority of the broker. */
  readonly pins: readonly string[];
}

export interface JoinRoom {
  readonly tokens: TokenStore;
  readonly ledger: NodeLedger;
  readonly authority: CertificatePair;
  /** Undefined until a bridge has run with --join-url. */
  facts(): Promise<JoinFacts | undefined>;
}

const files = new NodeFiles();
const certificates = new JoinCertificates();

/** @param dataDirectory of the bridge; what is missing in it is made */
export async function openJoinRoom(dataDirectory: string, clock: ClockPort = new SystemClock()): Promise<Result<JoinRoom, string>> {
  const directory = path.join(path.resolve(dataDirectory), 'join');
  const authority = await joinAuthority({ files, clock, certificates, directory });
  if (!authority.ok) return authority;
  const ledger = new NodeLedger({ files, clock, certificates, directory, authority: authority.value });
  const listed = await files.read(ledger.listPath, { bytesMax: fileBytesMax });
  // A broker that was told of a list does not start without one.
  const written = listed.ok ? ok() : await ledger.writeList();
  if (!written.ok) return written;
  return ok({
    authority: authority.value, ledger, tokens: new TokenStore({ files, clock, directory, chance: () => certificates.secret() }),
    facts: () => readFacts(path.join(directory, 'fleet.json')),
  });
}

export interface JoinSiteOptions {
  readonly dataDirectory: string;
  /** A connection of its own. */
  readonly mqtt: MqttPort;
  readonly log: LogPort;
  readonly rootTopic: string;
  /** Where devices come that have no certificate, and where nodes do: `mqtts://host:port`. */
  readonly joinUrl: string;
  readonly nodeUrl: string;
  /** PEM: whom both shall trust as the broker. */
  readonly brokerAuthority: string;
  readonly certificateMs?: number;
}

export async function startJoinSite({ dataDirectory, mqtt, log, rootTopic, joinUrl, nodeUrl, brokerAuthority, certificateMs = certificateMsDefault }: JoinSiteOptions): Promise<Result<JoinDesk, string>> {
  const pins = pemCertificates(brokerAuthority).map((one) => certificates.details(one)?.keyHash ?? '');
  if (pins.length === 0 || pins.includes('')) return fail('--join-ca-file must hold the certificates of the authorities that the broker\'s certificate chains to, PEM');
  const clock = new SystemClock();
  const room = await openJoinRoom(dataDirectory, clock);
  if (!room.ok) return room;
  const facts: JoinFacts = { joinUrl, rootTopic, pins };
  const written = await files.writeAtomic(path.join(path.resolve(dataDirectory), 'join', 'fleet.json'), `${JSON.stringify(facts, undefined, 2)}\n`, { mode: 0o600 });
  if (!written.ok) return fail(written.fault.message);
  const { tokens, ledger, authority } = room.value;
  // The last one may have failed, after certificates were taken back.
  const listed = await ledger.writeList();
  if (!listed.ok) return listed;
  for (const line of listed.value) log.error('join.record-unreadable', { reason: line, list: ledger.listPath });
  const terms = { certificateMs, url: nodeUrl, serverName: '', brokerAuthority, rootTopic };
  const answers = new JoinAnswers({ tokens, ledger, certificates, authority, clock, log, terms });
  return ok(startJoinDesk({ mqtt, clock, log, rootTopic, answers }));
}

async function readFacts(file: string): Promise<JoinFacts | undefined> {
  const content = await files.read(file, { bytesMax: fileBytesMax });
  if (!content.ok) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(content.value));
    if (typeof value !== 'object' || value === null || !('joinUrl' in value) || !('rootTopic' in value) || !('pins' in value)) return undefined;
    const { joinUrl, rootTopic, pins } = value;
    if (typeof joinUrl !== 'string' || typeof rootTopic !== 'string' || !Array.isArray(pins) || !pins.every((pin) => typeof pin === 'string')) return undefined;
    return { joinUrl, rootTopic, pins };
  } catch {
    return undefined;
  }
}

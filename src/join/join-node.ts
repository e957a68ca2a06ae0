// A device becomes a node: whom it may trust, the exchange, and what is kept of it, in this order; at the first thing that is wrong
// it ends with nothing changed.
import { deviceTopics } from '../bus/join/join-topics.ts';
import type { JoinToken } from '../bus/join/join-token.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { JoinCertificatesPort } from '../ports/join-certificates-port.ts';
import type { BrokerAddress, JoinLinkPort } from '../ports/join-link-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { Conversation } from './conversation.ts';
import { certificateIn, type IdentityPlace, keepIdentity, readSettings } from './identity-files.ts';
import { joinExchange, type Joined } from './join-exchange.ts';
import type { JoinFault } from './join-fault.ts';
import { pinnedAuthority } from './pin-authority.ts';

export interface JoinNodeDeps {
  readonly link: JoinLinkPort;
  readonly clock: ClockPort;
  readonly certificates: JoinCertificatesPort;
  readonly place: IdentityPlace;
}

export interface JoinNodeWish {
  /** `mqtts://host:port`, as it goes into the settings where the cloud side names no other. */
  readonly url: string;
  readonly address: BrokerAddress;
  readonly pins: readonly string[];
  /** PEM certificates among which the pinned one is, where the broker does not send it; absent: those the broker shows. */
  readonly caFile?: readonly string[];
  readonly token: JoinToken;
  readonly nodeName: string;
  readonly rootTopic: string;
  /** A device that has joined before does so again, and loses its former identity when it has the new one. */
  readonly again: boolean;
}

export interface JoinedNode {
  readonly nodeName: string;
  readonly url: string;
  readonly notAfterMs: number;
}

export async function joinNode({ link, clock, certificates, place }: JoinNodeDeps, wish: JoinNodeWish): Promise<Result<JoinedNode, JoinFault>> {
  const { address, nodeName, rootTopic, again } = wish;
  // Whatever is wrong here is told before the token is used.
  const settings = await readSettings(place);
  if (!settings.ok) return settings;
  const before = certificateIn(settings.value);
  if (before !== undefined && !again) return fail({ kind: 'joined', message: `this device has joined already: ${place.settingsFile} names ${before}. --again joins it anew` });
  const authority = await trusted(link, certificates, wish);
  if (!authority.ok) return authority;
  const device = `join-${certificates.secret().slice(0, 32)}`;
  const mqtt = link.open({ address, ca: authority.value, clientId: device });
  const conversation = new Conversation(mqtt, clock, deviceTopics(rootTopic, device));
  const joined = await joinExchange({ conversation, clock, certificates }, { token: wish.token, nodeName, device });
  await conversation.close();
  if (!joined.ok) return joined;
  const brokerAuthority = brokerAuthorities(certificates, authority.value, joined.value);
  if (!brokerAuthority.ok) return brokerAuthority;
  const { terms, certificate, key, authority: nodeAuthority, notAfterMs } = joined.value;
  const url = terms.url === '' ? wish.url : terms.url;
  const kept = await keepIdentity(place, settings.value, {
    name: `node-${certificates.secret().slice(0, 16)}`, brokerAuthority: brokerAuthority.value, nodeAuthority, certificate, key,
    settings: {
      hostnameOverride: nodeName, mqttUrl: url, mqttRootTopic: terms.rootTopic === '' ? rootTopic : terms.rootTopic, mqttDialect: 'mqlet', mqttRenewCertificate: true,
      ...serverNameOf(wish, terms.serverName),
    },
  });
  return kept.ok ? ok({ nodeName, url, notAfterMs }) : kept;
}

function serverNameOf({ address }: JoinNodeWish, given: string): { readonly mqttServerName?: string } {
  if (given !== '') return { mqttServerName: given };
  return address.serverName === address.host ? {} : { mqttServerName: address.serverName };
}

async function trusted(link: JoinLinkPort, certificates: JoinCertificatesPort, { address, caFile, pins, url }: JoinNodeWish): Promise<Result<string, JoinFault>> {
  if (caFile !== undefined) return pinnedAuthority(certificates, { pins, certificates: caFile, where: '--ca-file' });
  const shown = await link.shown(address);
  if (!shown.ok) return fail({ kind: 'broker', message: shown.fault.message });
  return pinnedAuthority(certificates, { pins, certificates: shown.value, where: url });
}

/** The one that was pinned, and those the cloud side names beside: for a broker elsewhere, or an authority that is being replaced. */
function brokerAuthorities(certificates: JoinCertificatesPort, pinned: string, { terms }: Joined): Result<string, JoinFault> {
  const named = pemCertificates(terms.brokerAuthority);
  if (named.some((one) => certificates.details(one) === undefined) || (named.length === 0 && terms.brokerAuthority.trim() !== '')) {
    return fail({ kind: 'answer', message: 'the cloud side names authorities of the broker that are no certificates; nothing was kept' });
  }
  const ends = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);
  return ok([...new Set([pinned, ...named].map(ends))].join(''));
}

/** Each certificate of a PEM text. */
export function pemCertificates(text: string): readonly string[] {
  return [...text.matchAll(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g)].map(([one]) => one);
}

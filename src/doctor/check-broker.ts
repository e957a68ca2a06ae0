// Checks of the way to the broker and behind it, step by step: name, port, certificate, login, topics, cloud. Pure.
import type { BrokerFacts, TlsFacts } from '../ports/broker-facts.ts';
import type { MqttFault } from '../ports/faults.ts';
import { outOfTime } from './check-storage.ts';
import { check, type Finding, type Trouble } from './finding.ts';

/** Reason codes of MQTT 5.0, section 2.4, and return codes of MQTT 3.1.1, 3.2.2.3. */
const codes = { badLogin: [0x86, 0x04], notAuthorized: [0x87, 0x05], clientId: [0x85, 0x02], banned: 0x8a, unavailable: [0x88, 0x89, 0x03], takenOver: 0x8e, protocol: [0x84, 0x01] } as const;

export function checkBroker(broker: BrokerFacts, nowMs: number): readonly Finding[] {
  return [...lookup(broker), ...connect(broker), ...tls(broker, nowMs), ...session(broker), ...clientId(broker), ...topics(broker), ...cloud(broker), ...ownLink(broker)];
}

function urlOf({ secure, host, port }: BrokerFacts): string {
  return `${secure ? 'mqtts' : 'mqtt'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function lookup({ host, lookup: found }: BrokerFacts): readonly Finding[] {
  if (found === undefined) return [];
  const about = check('broker.name', 'Name of the broker');
  if (found.problem === undefined) return [about.good(found.addresses.includes(host) ? host : `${host} is ${found.addresses.join(', ')}`)];
  return [about.fault({ found: `${host} has no address: ${found.problem}`, needed: 'a name that DNS knows', mend: `correct the host in --mqtt-url; getent hosts ${host} asks as this machine does; nameservers stand in /etc/resolv.conf` })];
}

function connect(broker: BrokerFacts): readonly Finding[] {
  if (broker.connect === undefined) return [];
  const about = check('broker.port', 'Port of the broker');
  if (broker.connect.problem === undefined) return [about.good(`${urlOf(broker)} takes connections`)];
  const refused = broker.connect.problem.includes('ECONNREFUSED');
  return [about.fault({
    found: `${urlOf(broker)}: ${broker.connect.problem}`, needed: 'a TCP connection',
    mend: refused ? `start the broker, or correct the port in --mqtt-url (1883 in the clear, 8883 with TLS)` : `let port ${broker.port} out through the firewall; is the network up (ip route get ${broker.lookup?.addresses[0] ?? broker.host})?`,
  })];
}

function tls(broker: BrokerFacts, nowMs: number): readonly Finding[] {
  const { tls: found } = broker;
  if (found === undefined) return [];
  const about = check('broker.certificate', 'Certificate of the broker');
  if (found.code !== undefined) return [about.fault(untrusted(broker, found, nowMs))];
  const soon = found.chain.map((one) => outOfTime(one, nowMs)).find((one) => one !== undefined);
  if (soon !== undefined) return [about.warning({ ...soon.words, mend: 'renew it at the broker before then: every node loses it at that moment' })];
  return [about.good(`${found.chain[0]?.subject ?? ''}, trusted, for ${found.names.join(', ') || broker.host}`)];
}

function untrusted(broker: BrokerFacts, { code = '', message = '', chain, names }: TlsFacts, nowMs: number): Trouble {
  const late = chain.map((one) => outOfTime(one, nowMs)).find((one) => one !== undefined && !one.soon);
  if (late !== undefined) return { ...late.words, mend: 'set the clock of this machine if it is wrong (timedatectl), else renew the certificate at the broker' };
  if (/ALTNAME/.test(code)) return { found: `it is for ${names.join(', ')}, not for ${broker.serverName ?? broker.host}`, needed: 'the name in --mqtt-url', mend: `--mqtt-server-name ${names[0] ?? 'NAME'} if this is your broker, else correct --mqtt-url` };
  if (/SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|UNABLE_TO_GET_ISSUER/.test(code)) return { found: `${chain[0]?.subject ?? 'it'} is not signed by a CA that is trusted here (${code})`, needed: 'the CA that signed it', mend: 'name the file of that CA with --mqtt-ca-file; if nothing was changed, somebody may stand between' };
  if (/WRONG_VERSION|EPROTO|PACKET_LENGTH|ECONNRESET|closed/.test(`${code} ${message}`)) return { found: `${urlOf(broker)} does not speak TLS (${code || message})`, needed: 'TLS on this port', mend: 'use the broker\'s TLS port (usually 8883), or write mqtt:// if it really is to go in the clear' };
  return { found: `${message} (${code})`, needed: 'a trusted TLS connection', mend: 'openssl s_client -connect HOST:PORT shows what the broker offers' };
}

function session(broker: BrokerFacts): readonly Finding[] {
  const { session: found } = broker;
  if (found === undefined) return [];
  const about = check('broker.login', 'Login at the broker');
  if ('protocol' in found) return [about.good(`${broker.clientId} by ${broker.clientCertificate ? 'certificate' : broker.identity}, ${found.protocol}`)];
  return [about.fault(refusedLogin(broker, found.fault))];
}

function refusedLogin(broker: BrokerFacts, fault: MqttFault): Trouble {
  const found = fault.message;
  if (fault.kind === 'refused') {
    const { reasonCode } = fault;
    const who = broker.identity === 'password' ? '--mqtt-username and --mqtt-password-file' : broker.identity === 'signature' ? '--mqtt-access-key, --mqtt-secret-key and --mqtt-instance' : 'a user name: --mqtt-username and --mqtt-password-file';
    if (isOne(codes.badLogin, reasonCode)) return { found, needed: 'a user name and password that the broker knows', mend: `correct ${who}` };
    if (isOne(codes.notAuthorized, reasonCode)) return { found, needed: 'a login the broker lets in', mend: `correct ${who}, or allow the client ${broker.clientId} at the broker` };
    if (isOne(codes.clientId, reasonCode)) return { found, needed: 'a client ID that the broker takes', mend: `the client ID is ${broker.clientId}: allow it at the broker, or change it with --hostname-override or --mqtt-group` };
    if (reasonCode === codes.banned) return { found, needed: 'not to be banned', mend: `lift the ban on ${broker.clientId} at the broker` };
    if (isOne(codes.unavailable, reasonCode)) return { found, needed: 'a broker that takes logins', mend: 'wait, or look at the broker: it says itself that it is not available' };
    if (isOne(codes.protocol, reasonCode)) return { found, needed: 'MQTT 5 or 3.1.1', mend: 'use a broker that speaks one of them' };
  }
  if (fault.kind === 'untrusted') {
    return { found, needed: 'credentials that both sides trust', mend: broker.clientCertificate ? 'get a client certificate from the CA that the broker trusts' : 'give a client certificate: --mqtt-cert-file and --mqtt-key-file' };
  }
  if (/want TLS/.test(found)) return { found, needed: 'an answer to CONNECT', mend: 'write --mqtt-url mqtts://… if this is the TLS port; else look at the broker\'s log' };
  return { found, needed: 'an answer to CONNECT', mend: 'is it an MQTT broker that listens on this port? Its log tells why it ended the connection' };
}

function isOne(list: readonly number[], code: number): boolean {
  return list.includes(code);
}

function clientId({ lost, clientId: id, session: found }: BrokerFacts): readonly Finding[] {
  if (found === undefined || 'fault' in found) return [];
  const about = check('broker.client-id', 'Client ID');
  if (lost === undefined) return [about.good(`${id} is ours alone`)];
  const taken = lost.kind === 'refused' && lost.reasonCode === codes.takenOver;
  return [about.fault({
    found: `${taken ? 'another client took over' : 'the broker ended'} our session as ${id} within moments: ${lost.message}${taken ? '' : ', as it does when another client takes the same ID'}`, needed: 'a client ID of its own for each node',
    mend: 'a second node has this name: give one of them another --hostname-override; the broker\'s log shows from which address it comes',
  })];
}

function topics({ topics: found }: BrokerFacts): readonly Finding[] {
  const about = check('broker.topics', 'Topics');
  const refused = found.filter(({ fault }) => fault !== undefined);
  if (found.length > 0 && refused.length === 0) return [about.good(found.map(({ use, topic }) => `${use} ${topic}`).join(', '))];
  return refused.map(({ use, topic, fault }) => about.fault({
    found: `the broker does not let us ${use} to ${topic}: ${fault?.message ?? ''}`, needed: `the right to ${use}`,
    mend: `allow it in the broker's ACL (mosquitto: topic ${use === 'publish' ? 'write' : 'read'} ${topic}), or correct --mqtt-root-topic`,
  }));
}

function cloud({ cloud: found, topics: asked, lost }: BrokerFacts): readonly Finding[] {
  if (found === undefined) return [];
  const about = check('broker.cloud', 'Cloud side');
  if (found === 'answers') return [about.good('answers')];
  // What was refused, or taken away, explains the silence better.
  if (lost !== undefined || asked.some(({ fault }) => fault !== undefined)) return [];
  const [control] = asked.filter(({ use }) => use === 'subscribe');
  return [about.warning({
    found: 'does not answer', needed: 'somebody who serves the topics',
    mend: `start mqlet bridge (or the cloud side you have) on this broker with the same --mqtt-root-topic; a broker whose ACL lets us publish but not read ${control?.topic ?? 'our topic'} looks the same. Pods that are here go on meanwhile`,
  })];
}

function ownLink({ ownLink: found }: BrokerFacts): readonly Finding[] {
  if (found === undefined) return [];
  const about = check('broker.link', 'Link of the running node');
  if (found.state === 'up') return [about.good('up')];
  return [about.fault({ found: `${found.state}: ${found.reason}`, needed: 'up', mend: 'mend what is said; or stop mqlet and run mqlet doctor again, which then goes the whole way itself' })];
}

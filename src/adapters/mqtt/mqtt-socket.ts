// The byte stream under MQTT: TCP or TLS, without Nagle's delay, guarded against oversized packets. No MQTT beyond the fixed header.
import net from 'node:net';
import tls from 'node:tls';
import type { MqttFault } from '../../ports/faults.ts';
import type { CertificateFacts } from '../../ports/credentials-port.ts';
import { certificateFacts, chainFacts, outOfDate } from './certificates.ts';

/** PEM texts. An absent CA means the roots Node ships. */
export interface MqttTls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Name to ask for and to find in the certificate; the host when absent. */
  readonly servername?: string | undefined;
}

interface SocketOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: MqttTls | undefined;
  /** Given the certificates that the broker showed, its own first, before they are judged. */
  readonly peer?: (chain: readonly CertificateFacts[]) => void;
}

export function openSocket(options: SocketOptions): net.Socket {
  const { host, port } = options;
  if (options.tls === undefined) return net.connect({ host, port, noDelay: true });
  const { ca, cert, key, servername } = options.tls;
  const name = servername ?? host;
  const socket = tls.connect({
    host,
    port,
    // An IP address cannot be asked for (RFC 6066, section 3), only looked for in the certificate.
    ...(net.isIP(name) === 0 ? { servername: name } : { checkServerIdentity: (_asked: string, certificate: tls.PeerCertificate) => tls.checkServerIdentity(name, certificate) }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  });
  socket.setNoDelay(true);
  // The library judges in its own listener of this event, and afterwards a refused certificate cannot be asked for.
  if (options.peer !== undefined) socket.prependOnceListener('secure', () => options.peer?.(chainFacts(socket.getPeerCertificate(true))));
  return socket;
}

/**
 * Calls `tooLarge` once when the fixed header of a packet announces more than `bytesMax`, before its body is read
 * (MQTT 5.0, 2.1.4). The library would gather up to 256 MiB in memory.
 */
export function guardPacketSize(socket: net.Socket, options: { readonly bytesMax: number; tooLarge(bytes: number): void }): void {
  /** Bytes of the packet in passing that are still to come. */
  let bodyLeft = 0;
  /** Of a remaining length in passing: value so far and the weight of its next digit, 0 between packets. */
  let length = 0;
  let weight = 0;
  const inspect = (chunk: Buffer): void => {
    let at = 0;
    while (at < chunk.length) {
      if (bodyLeft > 0) {
        const step = Math.min(bodyLeft, chunk.length - at);
        bodyLeft -= step;
        at += step;
      } else if (weight === 0) {
        weight = 1;
        length = 0;
        at += 1;
      } else {
        const digit = chunk[at] ?? 0;
        at += 1;
        length += (digit & 0x7f) * weight;
        weight *= 128;
        if (length > options.bytesMax) {
          socket.off('data', inspect);
          options.tooLarge(length);
          return;
        }
        if ((digit & 0x80) === 0) {
          bodyLeft = length;
          weight = 0;
        }
      }
    }
  };
  socket.on('data', inspect);
}

/** Where the broker is, for messages. */
export interface BrokerPlace {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

const untrustedPattern = /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_(?:GET|VERIFY)|ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE|HANDSHAKE)|HANDSHAKE_FAILURE|PEER_DID_NOT/;

/** What to do about a certificate, by the code of the fault. */
const mends: readonly (readonly [RegExp, string])[] = [
  [/ALERT_CERTIFICATE_REQUIRED|ALERT_HANDSHAKE/, 'the broker asks for a client certificate: --mqtt-cert-file and --mqtt-key-file'],
  [/ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE)/, 'the broker refuses the client certificate of --mqtt-cert-file'],
  [/SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)/, 'the broker\'s certificate is not signed by a CA we trust; --mqtt-ca-file names one'],
  [/ALTNAME/, 'the broker\'s certificate is for another name; --mqtt-server-name says which one to expect'],
  [/CERT_NOT_YET_VALID|CERT_HAS_EXPIRED/, 'the broker\'s certificate is out of date, or the clock of this machine is wrong'],
];

/** What is known when a socket fails. */
export interface SocketSituation {
  /** The broker has not answered yet. */
  readonly opening: boolean;
  readonly nowMs: number;
  /** What the broker showed, where it came to that. */
  readonly peer: readonly CertificateFacts[];
  /** What we showed, PEM. */
  readonly own?: string | undefined;
}

/**
 * A socket's error in our words. The message names the broker, never a secret.
 */
export function socketFault(error: Error, broker: BrokerPlace, situation: SocketSituation): MqttFault {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // OpenSSL's message is a line of its source code; its reason is a sentence.
  const text = 'reason' in error && typeof error.reason === 'string' ? error.reason : (error.message.split('\n', 1)[0] ?? '');
  if (untrustedPattern.test(code)) {
    const mend = [clockClash(code, situation), mends.find(([pattern]) => pattern.test(code))?.[1]].find((each) => each !== undefined);
    return { kind: 'untrusted', message: `${urlOf(broker)}: ${mend === undefined ? '' : `${mend}; `}${text} (${code})`, cause: code };
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'EPROTO') {
    return { kind: 'unreachable', message: `${urlOf(broker)}: the other side does not speak TLS (${code})` };
  }
  if (code === 'ECONNRESET' && situation.opening) return closedEarly(broker);
  return { kind: 'unreachable', message: `${urlOf(broker)}: ${text}` };
}

/** The certificate that the clock of this machine, or the broker's, speaks against. */
function clockClash(code: string, { nowMs, peer, own }: SocketSituation): string | undefined {
  if (/CERT_NOT_YET_VALID|CERT_HAS_EXPIRED/.test(code)) {
    const clashes = peer.map((facts, index) => outOfDate(index === 0 ? 'the broker\'s certificate' : 'a CA certificate of the broker\'s', facts, nowMs));
    return clashes.find((each) => each !== undefined);
  }
  if (own === undefined || !/ALERT_(?:BAD_CERTIFICATE|CERTIFICATE_EXPIRED|CERTIFICATE_UNKNOWN|UNKNOWN_CA)/.test(code)) return undefined;
  const clash = outOfDate('the client certificate of --mqtt-cert-file', certificateFacts(own), nowMs);
  return clash === undefined ? undefined : `the broker refuses it: ${clash}`;
}

/** Brokers do so when the other side speaks TLS and they do not, or the other way round. */
export function closedEarly(broker: BrokerPlace): MqttFault {
  const hint = broker.secure ? 'does this port speak TLS?' : 'does this port want TLS, mqtts://?';
  return { kind: 'unreachable', message: `${urlOf(broker)}: the broker closed the connection before it answered; ${hint}` };
}

function urlOf({ host, port, secure }: BrokerPlace): string {
  return `${secure ? 'mqtts' : 'mqtt'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

// The byte stream under MQTT: TCP or TLS, without Nagle's delay, guarded against oversized packets. No MQTT beyond the fixed header.
import net from 'node:net';
import tls from 'node:tls';
import type { MqttFault } from '../../ports/faults.ts';

/** PEM texts. An absent CA means the roots Node ships. */
export interface MqttTls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Name to ask for and to find in the certificate; the host when absent. */
  readonly servername?: string | undefined;
}

export function openSocket(options: { readonly host: string; readonly port: number; readonly tls: MqttTls | undefined }): net.Socket {
  const { host, port } = options;
  if (options.tls === undefined) return net.connect({ host, port, noDelay: true });
  const { ca, cert, key, servername } = options.tls;
  // An IP address is no server name (RFC 6066, section 3); Node then checks the address against the certificate.
  const name = servername ?? (net.isIP(host) === 0 ? host : undefined);
  const socket = tls.connect({
    host,
    port,
    ...(name === undefined ? {} : { servername: name }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  });
  socket.setNoDelay(true);
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

const untrustedPattern = /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_(?:GET|VERIFY)|ALERT_(?:UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE|HANDSHAKE)|HANDSHAKE_FAILURE|PEER_DID_NOT/;

/** A socket's error in our words. The message names the address, never a secret. */
export function socketFault(error: Error, context: string): MqttFault {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const text = error.message.split('\n', 1)[0] ?? '';
  if (untrustedPattern.test(code)) return { kind: 'untrusted', message: `${context}: ${text} (${code})` };
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'EPROTO') {
    return { kind: 'unreachable', message: `${context}: the other side does not speak TLS (${code})` };
  }
  return { kind: 'unreachable', message: `${context}: ${text}` };
}

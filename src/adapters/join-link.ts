// JoinLinkPort over TLS and mqtt.js. A look at the certificates is a connection of its own: it is closed before anything is said.
import { X509Certificate } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import type { MqttFault } from '../ports/faults.ts';
import type { BrokerAddress, JoinLinkPort } from '../ports/join-link-port.ts';
import type { MqttPort } from '../ports/mqtt-port.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { socketFault } from './mqtt/mqtt-socket.ts';
import { mqttClient } from './mqtt-client.ts';

const lookTimeoutMs = 15_000;
const connectTimeoutMs = 15_000;
const keepAliveMs = 30_000;
/** A broker's chain has two or three. */
const chainLengthMax = 10;

export class JoinLink implements JoinLinkPort {
  shown({ host, port, serverName }: BrokerAddress): Promise<Result<readonly string[], MqttFault>> {
    return new Promise((resolve) => {
      const socket = tls.connect({
        // What is shown is judged by its hash, and then again by a connection that trusts nothing else.
        host, port, rejectUnauthorized: false, minVersion: 'TLSv1.2', timeout: lookTimeoutMs, ...(net.isIP(serverName) === 0 ? { servername: serverName } : {}),
      });
      const end = (result: Result<readonly string[], MqttFault>): void => {
        socket.destroy();
        resolve(result);
      };
      socket.once('secureConnect', () => end(ok(chainOf(socket.getPeerCertificate(true)))));
      socket.once('timeout', () => end(fail({ kind: 'timeout', message: `mqtts://${host}:${port}: no answer in ${lookTimeoutMs / 1000} s`, afterMs: lookTimeoutMs })));
      socket.once('error', (error) => end(fail(socketFault(error, { host, port, secure: true }, { opening: true, nowMs: Date.now(), peer: [] }))));
    });
  }

  open({ address: { host, port, serverName }, ca, clientId, pair }: Parameters<JoinLinkPort['open']>[0]): MqttPort {
    return mqttClient({ host, port, tls: { ca, servername: serverName, ...pair }, clientId, protocols: ['MQTT 5', 'MQTT 3.1.1'], keepAliveMs, connectTimeoutMs });
  }
}

function chainOf(first: tls.DetailedPeerCertificate): readonly string[] {
  const chain: string[] = [];
  const seen = new Set<string>();
  // The types promise every field; a side that shows nothing gives an empty object.
  let each: Partial<tls.DetailedPeerCertificate> | undefined = first;
  while (each?.raw !== undefined && each.fingerprint256 !== undefined && !seen.has(each.fingerprint256) && chain.length < chainLengthMax) {
    seen.add(each.fingerprint256);
    chain.push(new X509Certificate(each.raw).toString());
    each = each.issuerCertificate;
  }
  return chain;
}

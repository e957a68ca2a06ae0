// The way to a broker for a device that has no certificate yet, or is about to get its next one.
import type { MqttFault } from './faults.ts';
import type { MqttPort } from './mqtt-port.ts';
import type { Result } from './result.ts';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  /** Name that the broker's certificate must carry. */
  readonly serverName: string;
}

export interface JoinLinkPort {
  /** The certificates that whoever answers there shows, PEM, its own first. Nothing is said beside the handshake, and nobody is trusted by it. */
  shown(address: BrokerAddress): Promise<Result<readonly string[], MqttFault>>;
  /** A connection that trusts the CA given and nobody else. @param options.pair of a node that has joined */
  open(options: {
    readonly address: BrokerAddress; readonly ca: string; readonly clientId: string; readonly pair?: { readonly cert: string; readonly key: string };
  }): MqttPort;
}

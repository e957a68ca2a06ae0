// What `mqlet doctor` found on the way to the broker and behind it, step by step. A step after one that failed is absent.
import type { CertificateFacts } from './credentials-port.ts';
import type { MqttFault } from './faults.ts';
import type { MqttProtocol } from './mqtt-port.ts';

export interface BrokerFacts {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** Name the certificate must carry. */
  readonly serverName?: string;
  readonly clientId: string;
  /** How the node says who it is. */
  readonly identity: 'signature' | 'password' | 'anonymous';
  readonly clientCertificate: boolean;
  /** The node runs and holds the client ID: nothing beyond the certificate was tried, and this is what it says of its link. */
  readonly ownLink?: { readonly state: string; readonly reason: string };
  readonly lookup?: { readonly addresses: readonly string[]; readonly problem?: string };
  readonly connect?: { readonly problem?: string };
  readonly tls?: TlsFacts;
  readonly session?: { readonly protocol: MqttProtocol } | { readonly fault: MqttFault };
  /** The session ended while we looked: somebody else connected under our client ID, or the broker sent us away. */
  readonly lost?: MqttFault;
  readonly topics: readonly TopicFacts[];
  readonly cloud?: 'answers' | 'silent';
}

export interface TlsFacts {
  /** The broker's own first. Empty where it came to none. */
  readonly chain: readonly CertificateFacts[];
  /** OpenSSL's or Node's code, such as `CERT_HAS_EXPIRED`; absent: the chain is trusted and names the host. */
  readonly code?: string;
  readonly message?: string;
  /** Names the certificate carries. */
  readonly names: readonly string[];
}

export interface TopicFacts {
  readonly use: 'subscribe' | 'publish';
  readonly topic: string;
  readonly fault?: MqttFault;
}

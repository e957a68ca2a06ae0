// The URL of a broker as commands take it: TLS only, for what is said there decides who is trusted.
import type { BrokerAddress } from '../ports/join-link-port.ts';

const portDefault = 8_883;

/** Undefined for what is no `mqtts://host[:port]`. */
export function brokerAddress(url: string, serverName?: string): BrokerAddress | undefined {
  const [, host6, hostName, portText] = /^mqtts:\/\/(?:\[([0-9a-fA-F:.]+)\]|([^\s/:@[\]]+))(?::(\d{1,5}))?\/?$/.exec(url) ?? [];
  const host = host6 ?? hostName;
  const port = portText === undefined ? portDefault : Number(portText);
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  return { host, port, serverName: serverName ?? host };
}

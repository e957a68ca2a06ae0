// The way to a broker below MQTT: name, TCP, TLS. Each step with a deadline; the certificate is looked at even where it is not trusted.
import dns from 'node:dns/promises';
import net from 'node:net';
import tls from 'node:tls';
import type { BrokerFacts, TlsFacts } from '../../ports/broker-facts.ts';
import { errorCode } from '../files/node-file-faults.ts';
import { chainFacts } from '../mqtt/certificates.ts';

const stepTimeoutMs = 5_000;

export interface BrokerPlace {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly serverName: string; readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined };
}

/** Up to the first step that fails. */
export async function walkToBroker(place: BrokerPlace): Promise<Pick<BrokerFacts, 'lookup' | 'connect' | 'tls'>> {
  const lookup = await lookUp(place.host);
  if (lookup.problem !== undefined) return { lookup };
  const problem = await connectTo(place);
  if (problem !== undefined) return { lookup, connect: { problem } };
  return { lookup, connect: {}, ...(place.tls === undefined ? {} : { tls: await shakeHands(place, place.tls) }) };
}

async function lookUp(host: string): Promise<NonNullable<BrokerFacts['lookup']>> {
  if (net.isIP(host) !== 0) return { addresses: [host] };
  try {
    const addresses = await within(dns.lookup(host, { all: true }));
    return { addresses: addresses.map(({ address }) => address) };
  } catch (error) {
    const code = errorCode(error);
    return { addresses: [], problem: code === 'ENOTFOUND' ? 'DNS does not know it (ENOTFOUND)' : code === 'EAI_AGAIN' ? 'no DNS server answers (EAI_AGAIN)' : messageOf(error) };
  }
}

async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${stepTimeoutMs / 1_000} s`)), stepTimeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function connectTo({ host, port }: BrokerPlace): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const end = (problem: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(problem);
    };
    const timer = setTimeout(() => end(`no connection within ${stepTimeoutMs / 1_000} s`), stepTimeoutMs);
    socket.once('connect', () => end(undefined));
    socket.once('error', (error) => end(`${messageOf(error)}`));
  });
}

function shakeHands({ host, port }: BrokerPlace, { serverName, ca, cert, key }: NonNullable<BrokerPlace['tls']>): Promise<TlsFacts> {
  return new Promise((resolve) => {
    const nothing = { chain: [], names: [] };
    let socket: tls.TLSSocket;
    try {
      socket = tls.connect({
        host, port, rejectUnauthorized: false, minVersion: 'TLSv1.2', ...(net.isIP(serverName) === 0 ? { servername: serverName } : {}),
        ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }),
      });
    } catch (error) {
      resolve({ ...nothing, code: errorCode(error) || 'UNUSABLE', message: `the certificate, key or CA cannot be used: ${messageOf(error)}` });
      return;
    }
    const end = (facts: TlsFacts): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(facts);
    };
    const timer = setTimeout(() => end({ ...nothing, code: 'ETIMEDOUT', message: `no TLS within ${stepTimeoutMs / 1_000} s` }), stepTimeoutMs);
    socket.once('secureConnect', () => end(judged(socket, serverName)));
    socket.once('error', (error) => end({ ...nothing, code: errorCode(error), message: messageOf(error) }));
    socket.once('close', () => end({ ...nothing, code: 'ECONNRESET', message: 'the connection was closed' }));
  });
}

function judged(socket: tls.TLSSocket, serverName: string): TlsFacts {
  const certificate = socket.getPeerCertificate(true);
  const names = (certificate.subjectaltname ?? '').split(', ').map((one) => one.slice(one.indexOf(':') + 1)).filter((one) => one !== '');
  const found = { chain: chainFacts(certificate), names };
  // Node gives the code of the chain's fault as text, or as an Error, by version.
  const untrusted = socket.authorized ? '' : String(socket.authorizationError instanceof Error ? errorCode(socket.authorizationError) : socket.authorizationError);
  if (untrusted !== '' && untrusted !== 'ERR_TLS_CERT_ALTNAME_INVALID') return { ...found, code: untrusted, message: untrusted };
  const wrongName = tls.checkServerIdentity(serverName, certificate);
  return wrongName === undefined ? found : { ...found, code: 'ERR_TLS_CERT_ALTNAME_INVALID', message: wrongName.message };
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

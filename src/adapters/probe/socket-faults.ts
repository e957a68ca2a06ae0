// Errors of sockets and of HTTP as ProbeFaults, in the words that users of kubelet know from its events.
import type { ProbeFault } from '../../ports/probe-port.ts';

/** What the system calls say, in its own words. */
const causes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'connect: connection timed out',
  ECONNRESET: 'read: connection reset by peer',
  EPIPE: 'write: broken pipe',
};

export function socketFault(error: Error & { readonly code?: string }, { host, port }: { readonly host: string; readonly port: number }): ProbeFault {
  const { code = '', message } = error;
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  // OpenSSL read something that is no TLS record, which begins with plain letters when it is HTTP.
  if (code === 'EPROTO' && /wrong version number|packet length too long|http request/.test(message)) {
    return { kind: 'not-https', message: 'http: server gave HTTP response to HTTPS client' };
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return { kind: 'unreachable', message: `dial tcp: lookup ${host}: no such host` };
  if (message === 'socket hang up') return { kind: 'unreachable', message: 'EOF' };
  const cause = causes[code];
  if (cause === undefined) return { kind: 'unreachable', message: message.replace(/\s*[\r\n]+\s*/g, ' ') };
  return { kind: 'unreachable', message: cause.startsWith('connect') ? `dial tcp ${address}: ${cause}` : `${cause.replace(':', ` tcp ${address}:`)}` };
}

// An HTTP request that becomes a SPDY/3.1 connection, from the client's side: how kubelet speaks to a runtime's streaming server.
import http from 'node:http';
import { fail, ok, type Result } from '../../ports/result.ts';
import { SpdySession } from './spdy-session.ts';

const upgradeTimeoutMs = 30_000;
const refusalBytesMax = 2_000;

/** @returns why it came to nothing, in one line */
export function upgradeToSpdy(url: string, protocols: readonly string[]): Promise<Result<{ readonly session: SpdySession; readonly protocol: string }, string>> {
  return new Promise((resolve) => {
    const target = URL.canParse(url) ? new URL(url) : undefined;
    if (target?.protocol !== 'http:') {
      resolve(fail(`the runtime's streaming server has an address that is not understood: ${url.slice(0, 100)}`));
      return;
    }
    const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': [...protocols], 'content-length': '0' };
    const request = http.request(target, { method: 'POST', headers, timeout: upgradeTimeoutMs, agent: false });
    request.on('upgrade', (response, socket, head) => {
      socket.setTimeout(0);
      socket.setNoDelay(true);
      const [protocol = ''] = [response.headers['x-stream-protocol-version']].flat();
      resolve(ok({ session: new SpdySession({ socket, head, role: 'client' }), protocol }));
    });
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text = `${text}${part}`.slice(0, refusalBytesMax);
      });
      response.on('end', () => resolve(fail(`the runtime's streaming server answered ${response.statusCode ?? 0}: ${text.trim()}`)));
      response.on('error', (error) => resolve(fail(error.message)));
    });
    request.on('timeout', () => request.destroy(new Error('the runtime\'s streaming server does not answer')));
    request.on('error', (error) => resolve(fail(error.message)));
    request.end();
  });
}

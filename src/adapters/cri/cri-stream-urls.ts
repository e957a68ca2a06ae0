// The calls of CRI that name a URL to stream from. They open nothing: cri-streams.ts does, when somebody wants it.
import { ok } from '../../ports/result.ts';
import type { CriChannel } from './cri-channel.ts';
import type { WireMethods } from './cri-methods.ts';
import type { StreamUrls } from './cri-streams.ts';

export function criStreamUrls(channel: CriChannel, methods: WireMethods, timeoutMs: number): StreamUrls {
  const ask = async (method: string, request: object) => {
    const answer = await channel.unary<{ readonly url: string }>(methods.runtime(method), request, timeoutMs);
    return answer.ok ? ok(answer.value.url) : answer;
  };
  return {
    exec: (request) => ask('Exec', request),
    attach: (request) => ask('Attach', request),
    portForward: (request) => ask('PortForward', request),
  };
}

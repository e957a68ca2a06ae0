// Serves what a kubelet tells of its node over HTTP: its pods, and what they use.
import type { MuxStream } from '../../bus/streams/mux-stream.ts';
import type { NodeFactsRequest } from '../../ports/node-streams-port.ts';
import type { Pod } from '../../ports/pod-types.ts';
import type { ServeDeps } from './serve-deps.ts';

export async function serveFacts(deps: ServeDeps, stream: MuxStream, { what }: NodeFactsRequest): Promise<void> {
  if (what !== 'pods') return stream.end({ fault: { code: 501, reason: 'NotImplemented', message: `${what} is not served by this node` } });
  stream.accept();
  const items: readonly Pod[] = deps.view.pods().map(({ desired, status }) => ({ ...desired.pod, ...(status === undefined ? {} : { status }) }));
  await stream.write('stdout', Buffer.from(`${JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items })}\n`, 'utf8'));
  stream.end({});
}

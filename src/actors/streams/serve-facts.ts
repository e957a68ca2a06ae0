// Serves what a kubelet tells of its node over HTTP: its pods, and what they use.
import type { MuxStream } from '../../bus/streams/mux-stream.ts';
import { type Measured, type MeasuredPod, resourceMetrics, statsSummary } from '../../machines/decide/node-stats.ts';
import type { ContainerStats } from '../../ports/container-stats.ts';
import type { RuntimeFault } from '../../ports/faults.ts';
import type { NodeFactsRequest } from '../../ports/node-streams-port.ts';
import type { Pod, PodUid } from '../../ports/pod-types.ts';
import { ok, type Result } from '../../ports/result.ts';
import type { PodView } from '../node-view.ts';
import type { ServeDeps } from './serve-deps.ts';

export async function serveFacts(deps: ServeDeps, stream: MuxStream, { what }: NodeFactsRequest): Promise<void> {
  const text = what === 'pods' ? ok(podList(deps)) : await usage(deps, what);
  if (!text.ok) return stream.end({ fault: { code: 500, reason: 'InternalError', message: text.fault.message } });
  stream.accept();
  await stream.write('stdout', Buffer.from(text.value, 'utf8'));
  stream.end({});
}

function podList({ view }: ServeDeps): string {
  const items: readonly Pod[] = view.pods().map(({ desired, status }) => ({ ...desired.pod, ...(status === undefined ? {} : { status }) }));
  return `${JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items })}\n`;
}

async function usage({ view, runtime, usage: machine, settings }: ServeDeps, what: 'summary' | 'resource'): Promise<Result<string, RuntimeFault>> {
  const [stats, node] = await Promise.all([runtime.listContainerStats(), machine.measure()]);
  if (!stats.ok) return stats;
  const byPod = new Map<PodUid, ContainerStats[]>();
  for (const one of stats.value) byPod.set(one.podUid, [...(byPod.get(one.podUid) ?? []), one]);
  const pods = view.pods().map((pod) => measuredPod(pod, byPod.get(pod.desired.uid) ?? []));
  const measured: Measured = { nodeName: settings.nodeName, node, pods };
  return ok(what === 'summary' ? `${JSON.stringify(statsSummary(measured))}\n` : resourceMetrics(measured));
}

function measuredPod({ desired: { namespace, name, uid }, status }: PodView, stats: readonly ContainerStats[]): MeasuredPod {
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? []), ...(status?.ephemeralContainerStatuses ?? [])];
  return {
    namespace, name, uid,
    ...(typeof status?.startTime === 'string' ? { startTime: status.startTime } : {}),
    containers: stats.map(({ id: _id, podUid: _podUid, ...figures }) => {
      const startedAt = statuses.find((each) => each.name === figures.name)?.state?.running?.startedAt;
      return { ...figures, ...(typeof startedAt === 'string' ? { startedAtMs: Date.parse(startedAt) } : {}) };
    }),
  };
}

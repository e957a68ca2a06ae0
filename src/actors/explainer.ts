// Says why a pod or the node is where it is: gathers what its parts know at this moment and has it put into words. It keeps nothing,
// listens to nothing and changes nothing: without a question it costs nothing.
import type { LinkFacts, RuntimeFacts } from '../machines/decide/why/facts.ts';
import { nodeWhy } from '../machines/decide/why/node-why.ts';
import { forgottenWhy, podWhy } from '../machines/decide/why/pod-why.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { DesiredPod } from '../ports/pod-types.ts';
import type { Why } from '../ports/why.ts';
import type { ImageActorHandle } from './image-actor.ts';
import type { NodeView, PodView } from './node-view.ts';
import type { PodSupervisor } from './pod-supervisor.ts';
import type { ProberHandle } from './prober.ts';
import type { StatusReporterHandle } from './status-reporter.ts';

export interface ExplainerDeps {
  readonly view: NodeView;
  readonly clock: ClockPort;
  readonly nodeName: string;
  /** The node makes its object in the cloud. */
  readonly registers: boolean;
  readonly supervisor: Pick<PodSupervisor, 'uptakeOf'>;
  readonly images: Pick<ImageActorHandle, 'pullsOf'>;
  readonly prober: Pick<ProberHandle, 'probesOf'>;
  /** Absent where the cloud gets no single writes. */
  readonly reporter?: Pick<StatusReporterHandle, 'reportOf' | 'behind'>;
}

export interface Explainer {
  pod(pod: PodView): Why;
  node(): Why;
  /** Of a pod that the node has done with while the cloud still has it; undefined when there is none of that name. */
  forgotten(name: { readonly namespace: string; readonly name: string }): Why | undefined;
}

export function createExplainer(deps: ExplainerDeps): Explainer {
  const { view, clock, nodeName, registers, supervisor, images, prober, reporter } = deps;
  const linkFacts = (): LinkFacts | undefined => {
    const { link } = view.node();
    if (link === undefined) return undefined;
    const { linkMs, linkEverUp } = view.since();
    return { state: link.state, reason: link.reason, nextAttemptAtMs: link.nextAttemptAtMs ?? 0, sinceMs: linkMs, everUp: linkEverUp };
  };
  const runtimeFacts = (): RuntimeFacts => {
    const { runtime } = view.node();
    if (runtime === undefined) return { ready: false, networkReady: false, message: 'it has not answered yet', sinceMs: 0 };
    return { ready: runtime.runtimeReady, networkReady: runtime.networkReady, message: runtime.message, sinceMs: view.since().runtimeMs };
  };
  return {
    pod: ({ desired, status, state, transitions }) => {
      const { machine, ...uptake } = supervisor.uptakeOf(desired.uid);
      return podWhy({
        nowMs: clock.nowMs(), desired, status, state, stateSinceMs: transitions.at(-1)?.atMs ?? 0, machine, uptake, runtime: runtimeFacts(), link: linkFacts(),
        pulls: images.pullsOf(desired.uid), probes: prober.probesOf(desired.uid), report: reporter?.reportOf(desired.uid),
      });
    },
    node: () => {
      const { node, registered } = view.node();
      const behind = reporter?.behind() ?? [];
      const sinceMs = behind.reduce((earliest, { report }) => Math.min(earliest, report.sinceMs), Number.POSITIVE_INFINITY);
      return nodeWhy({
        nowMs: clock.nowMs(), nodeName, node, registers, registered, goesDown: view.since().goesDown, runtime: runtimeFacts(), link: linkFacts(), pods: view.pods().length,
        unreported: { pods: behind.length, sinceMs: behind.length === 0 ? 0 : sinceMs },
      });
    },
    forgotten: ({ namespace, name }) => {
      const found = reporter?.behind().find(({ desired }: { readonly desired: DesiredPod }) => desired.namespace === namespace && desired.name === name);
      return found && forgottenWhy({ ...found, link: linkFacts(), nowMs: clock.nowMs() });
    },
  };
}

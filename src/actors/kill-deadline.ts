// Tells when a pod that somebody sent away, and waits for, is not gone in time: then it is the runtime that does not end it.
// It only tells; whoever waits goes on by itself.
import type { BusPort } from '../bus/bus.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { PodUid } from '../ports/pod-types.ts';
import type { Stoppable } from '../ports/result.ts';
import type { ActivePods } from './active-pods.ts';

/** As kubelet has it: half as long again as the pod's grace, and never less than this. */
const waitMsMin = 10_000;
const waitFactor = 1.5;
const message = 'Container runtime did not kill the pod within specified grace period.';

/** Listens to `pod.kill`; a kill with a grace of its own is one that is waited for. */
export function startKillDeadline({ bus, clock, pods }: { readonly bus: BusPort; readonly clock: ClockPort; readonly pods: ActivePods }): Stoppable {
  const timers = new Map<PodUid, unknown>();
  const listening = bus.on('pod.kill', ({ payload: { pod, graceMs } }) => {
    if (graceMs === undefined || timers.has(pod.uid)) return;
    timers.set(pod.uid, clock.setTimeout(() => {
      bus.publish('event.noted', { subject: { kind: 'Pod', pod }, type: 'Warning', reason: 'ExceededGracePeriod', message });
    }, Math.max(waitMsMin, waitFactor * graceMs)));
    pods.onceEnded(pod.uid, () => {
      clock.clearTimeout(timers.get(pod.uid));
      timers.delete(pod.uid);
    });
  });
  return {
    stop: async () => {
      listening.off();
      for (const timer of timers.values()) clock.clearTimeout(timer);
    },
  };
}

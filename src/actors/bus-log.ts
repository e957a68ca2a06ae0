// Writes the log lines that an operator reads of the node's life: pods moving, input refused, the runtime, faults of ours. One place, so
// that no actor repeats another's line; the link tells of itself.
import type { BusPort } from '../bus/bus.ts';
import { inputFaultLine } from '../ports/faults.ts';
import type { LogPort } from '../ports/log-port.ts';
import { podName } from '../ports/pod-types.ts';
import type { Stoppable } from '../ports/result.ts';

export function startBusLog({ bus, log }: { readonly bus: BusPort; readonly log: LogPort }): Stoppable {
  /** Top-level state last logged of each pod: what happens inside one is for the inspector. */
  const shown = new Map<string, string>();
  /** While the runtime is away each listing fails for the same reason; once is enough. */
  let relistFault = '';
  const listenings = [
    bus.on('pod.transitioned', ({ payload: { pod, to, on } }) => {
      const before = shown.get(pod.uid);
      const state = to.split('.')[0] ?? to;
      if (state === before) return;
      shown.set(pod.uid, state);
      log.info('pod.state', { pod: podName(pod), podUid: pod.uid, state, before: before ?? 'none', on });
    }),
    bus.on('pod.forgotten', ({ payload: { pod } }) => {
      shown.delete(pod.uid);
      log.info('pod.forgotten', { pod: podName(pod), podUid: pod.uid });
    }),
    bus.on('pod.planned', ({ payload: { pod, steps } }) => log.debug('pod.plan', { pod: podName(pod), podUid: pod.uid, steps })),
    bus.on('event.noted', ({ payload: { subject, type, reason, message } }) => {
      const [name, about] = subject.kind === 'Pod' ? ['pod.event', { pod: podName(subject.pod), podUid: subject.pod.uid }] : ['node.event', {}];
      log[type === 'Warning' ? 'warn' : 'debug'](name, { ...about, reason, message });
    }),
    bus.on('garbage.removed', ({ payload }) => log.info('garbage.removed', { ...payload })),
    bus.on('log.rotated', ({ payload: { pod, container, rotated, sizeBytes } }) => log.info('log.rotated', { pod: podName(pod), container, rotated, sizeBytes })),
    bus.on('input.refused', ({ payload: { fault } }) => log.warn('input.refused', { severity: fault.severity, message: inputFaultLine(fault) })),
    bus.on('actor.failed', ({ payload }) => log.error('actor.failed', payload)),
    bus.on('mqtt.refused', ({ payload: { fault, what } }) => log.error('mqtt.refused', { what, kind: fault.kind, message: fault.message })),
    bus.on('sources.ready', ({ payload }) => log.info('sources.ready', { ...payload })),
    bus.on('runtime.relisted', () => { relistFault = ''; }),
    bus.on('runtime.relist-failed', ({ payload: { fault } }) => {
      if (fault.kind === 'unavailable' || relistFault === fault.kind) return;
      relistFault = fault.kind;
      log.warn('runtime.relist-failed', { fault: fault.kind, message: fault.message });
    }),
    bus.on('runtime.health', ({ payload }) => log[payload.runtimeReady && payload.networkReady ? 'info' : 'warn']('runtime.health', { ...payload })),
  ];
  return {
    stop: async () => {
      for (const listening of listenings) listening.off();
    },
  };
}

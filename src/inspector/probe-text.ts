// A probe as one line. Pure.
import type { ContainerProbe } from '../machines/decide/handler-question.ts';
import { probeTimings } from '../machines/decide/probe.ts';
import { handlerText } from '../machines/decide/why/handler-text.ts';

/** `HTTP GET :8080/healthz every 10 s, for 1 s, fails after 3`. Headers are left out: they may hold credentials. */
export function probeAsks(probe: ContainerProbe): string {
  const { periodMs, timeoutMs, failureThreshold } = probeTimings(probe);
  return `${handlerText(probe)} every ${periodMs / 1_000} s, for ${timeoutMs / 1_000} s, fails after ${failureThreshold}`;
}

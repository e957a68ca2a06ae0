// Puts a handler's question to the container or over the network, once, and says what the answer means for a probe.
import type { HandlerQuestion } from '../machines/decide/handler-question.ts';
import { execOutcome, grpcOutcome, httpOutcome, type ProbeOutcome, tcpOutcome } from '../machines/decide/probe-outcome.ts';
import type { ContainerId } from '../ports/pod-types.ts';
import type { ProbePort } from '../ports/probe-port.ts';
import type { RuntimePort } from '../ports/runtime-port.ts';

export interface Asker {
  readonly runtime: RuntimePort;
  readonly probes: ProbePort;
}

/** What servers see as the user agent, followed by major and minor version. */
export const probeAgent = 'kube-probe';
export const hookAgent = 'kube-lifecycle';

/** `<product>/<major>.<minor>` of a version such as `v1.2.3-rc.1`. */
export function userAgentOf(product: string, version: string): string {
  const [, major = '0', minor = '0'] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return `${product}/${major}.${minor}`;
}

export async function askHandler(
  { runtime, probes }: Asker,
  asked: HandlerQuestion,
  { containerId, timeoutMs, userAgent }: { readonly containerId: ContainerId; readonly timeoutMs: number; readonly userAgent: string },
): Promise<ProbeOutcome> {
  switch (asked.kind) {
    case 'exec':
      return execOutcome(asked.command, timeoutMs, await runtime.execSync(containerId, asked.command, { timeoutMs }));
    case 'http':
      return httpOutcome(asked.question, await probes.http({ ...asked.question, userAgent, timeoutMs }));
    case 'tcp':
      return tcpOutcome(asked.question, await probes.tcp({ ...asked.question, timeoutMs }));
    case 'grpc':
      return grpcOutcome(asked.question, timeoutMs, await probes.grpc({ ...asked.question, userAgent, timeoutMs }));
    default:
      return asked satisfies never;
  }
}

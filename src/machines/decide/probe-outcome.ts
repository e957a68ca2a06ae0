// What the answer to a probe means, in kubelet's words, and which event tells of it.
import type { RuntimeFault } from '../../ports/faults.ts';
import type { GrpcHealth, GrpcQuestion, HttpQuestion, HttpReply, ProbeFault, TcpQuestion } from '../../ports/probe-port.ts';
import type { Result } from '../../ports/result.ts';
import type { ExecOutput } from '../../ports/runtime-port.ts';
import { urlOf } from './handler-question.ts';

/** Characters of output that are shown. */
const outputLengthMax = 10 * 1_024;

export type ProbeKind = 'startup' | 'readiness' | 'liveness';

export interface ProbeOutcome {
  /** `error`: nobody could tell; it counts for nothing. */
  readonly kind: 'success' | 'warning' | 'failure' | 'error';
  readonly message: string;
}

export function execOutcome(command: readonly string[], timeoutMs: number, answer: Result<ExecOutput, RuntimeFault>): ProbeOutcome {
  if (answer.ok) {
    const { exitCode, stdout, stderr } = answer.value;
    return { kind: exitCode === 0 ? 'success' : 'failure', message: `${stdout}${stderr}`.slice(0, outputLengthMax) };
  }
  const { fault } = answer;
  if (fault.kind !== 'timeout') return { kind: 'error', message: fault.message };
  return { kind: 'failure', message: `command timed out: "${command.join(' ')}" timed out after ${timeoutMs / 1_000}s` };
}

export function httpOutcome(question: Pick<HttpQuestion, 'scheme' | 'host' | 'port' | 'path'>, answer: Result<HttpReply, ProbeFault>): ProbeOutcome {
  if (!answer.ok) {
    const { fault } = answer;
    return fault.kind === 'invalid' ? { kind: 'error', message: fault.message } : { kind: 'failure', message: `Get "${urlOf(question)}": ${fault.message}` };
  }
  const { status, body, leftHost } = answer.value;
  if (leftHost) return { kind: 'warning', message: `Probe terminated redirects, Response body: ${body}` };
  if (status >= 200 && status < 400) return { kind: 'success', message: body };
  return { kind: 'failure', message: `HTTP probe failed with statuscode: ${status}` };
}

export function tcpOutcome({ host, port }: Pick<TcpQuestion, 'host' | 'port'>, answer: Result<void, ProbeFault>): ProbeOutcome {
  if (answer.ok) return { kind: 'success', message: '' };
  const { kind, message } = answer.fault;
  if (kind === 'invalid') return { kind: 'error', message };
  return { kind: 'failure', message: message.startsWith('dial tcp') ? message : `dial tcp ${host}:${port}: ${message}` };
}

export function grpcOutcome({ host, port, service }: Pick<GrpcQuestion, 'host' | 'port' | 'service'>, timeoutMs: number, answer: Result<GrpcHealth, ProbeFault>): ProbeOutcome {
  if (answer.ok) {
    if (answer.value === 'SERVING') return { kind: 'success', message: 'service healthy' };
    return { kind: 'failure', message: `service unhealthy (responded with "${answer.value}")` };
  }
  const { fault } = answer;
  switch (fault.kind) {
    case 'unimplemented':
      return { kind: 'failure', message: `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${fault.message}` };
    // Kubelet tries to connect until the time is over; who is told of a refusal at once says the same, with the cause.
    case 'timeout':
    case 'unreachable':
      return { kind: 'failure', message: `timeout: failed to connect service "${host}:${port}" within ${timeoutMs / 1_000}s: ${fault.message}` };
    case 'not-https':
      return { kind: 'failure', message: `error: health rpc probe failed for service "${service}": ${fault.message}` };
    case 'invalid':
      return { kind: 'error', message: fault.message };
    default:
      return fault satisfies never;
  }
}

/** The warning that users see of one run; `undefined` for a plain success. */
export function probeEvent(probe: ProbeKind, { kind, message }: ProbeOutcome): { readonly reason: string; readonly message: string } | undefined {
  const name = `${probe.charAt(0).toUpperCase()}${probe.slice(1)}`;
  switch (kind) {
    case 'success':
      return undefined;
    case 'warning':
      return { reason: 'ProbeWarning', message: `${name} probe warning: ${message}` };
    case 'failure':
      return { reason: 'Unhealthy', message: `${name} probe failed: ${message}` };
    case 'error':
      return { reason: 'Unhealthy', message: `${name} probe errored and resulted in unknown state: ${message}` };
    default:
      return kind satisfies never;
  }
}

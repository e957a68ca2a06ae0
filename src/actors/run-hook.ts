// Runs one lifecycle hook of one container. What a failure means is decided by who asks.
import { type HandlerQuestion, handlerQuestion, type HandlerPlace, type HookHandler } from '../machines/decide/handler-question.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { ContainerId } from '../ports/pod-types.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { type Asker, askHandler, hookAgent, userAgentOf } from './ask-handler.ts';

/** Hooks over the network give up after this, whatever grace there is. Commands have no limit of their own. */
const networkTimeoutMs = 30_000;

export interface HookDeps extends Asker {
  readonly clock: ClockPort;
  /** Of the agent, `v1.2.3`. */
  readonly version: string;
}

export interface Hook extends HandlerPlace {
  readonly handler: HookHandler;
  readonly containerId: ContainerId;
}

export interface HookEnd {
  /** The server spoke plain HTTP although the hook asks for HTTPS. */
  readonly fellBack: boolean;
}

/** @returns one line about the failure. Of an HTTP hook every answer is a success; only silence is none. */
export async function runHook(deps: HookDeps, { handler, containerId, ...place }: Hook): Promise<Result<HookEnd, string>> {
  if (handler.sleep !== undefined) {
    const { seconds } = handler.sleep;
    await new Promise<void>((resolve) => { deps.clock.setTimeout(resolve, seconds * 1_000); });
    return ok({ fellBack: false });
  }
  const asked = handlerQuestion(handler, place);
  if (!asked.ok) return asked;
  return asked.value.kind === 'http' ? runHttp(deps, asked.value) : runOther(deps, asked.value, containerId);
}

async function runOther(deps: HookDeps, asked: HandlerQuestion, containerId: ContainerId): Promise<Result<HookEnd, string>> {
  const timeoutMs = asked.kind === 'exec' ? 0 : networkTimeoutMs;
  const outcome = await askHandler(deps, asked, { containerId, timeoutMs, userAgent: userAgentOf(hookAgent, deps.version) });
  return outcome.kind === 'success' ? ok({ fellBack: false }) : fail(outcome.message);
}

async function runHttp({ probes, version }: HookDeps, { question }: HandlerQuestion & { readonly kind: 'http' }): Promise<Result<HookEnd, string>> {
  const full = { ...question, timeoutMs: networkTimeoutMs, userAgent: userAgentOf(hookAgent, version) };
  const answer = await probes.http(full);
  if (answer.ok) return ok({ fellBack: false });
  if (answer.fault.kind !== 'not-https') return fail(answer.fault.message);
  const plain = await probes.http({ ...full, scheme: 'http' });
  return plain.ok ? ok({ fellBack: true }) : fail(plain.fault.message);
}

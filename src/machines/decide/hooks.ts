// Lifecycle hooks as the pure part knows them: which one a container has, and how much of the grace period is left after it.
import type { Container } from '../../ports/pod-types.ts';
import type { ObservedContainer } from '../../ports/runtime-port.ts';
import type { HookHandler } from './handler-question.ts';
import { stopGraceMsMin } from './pod-kill.ts';
import { portsAnnotation, preStopAnnotation } from './runtime-labels.ts';

/** A preStop hook, and the ports its names may mean. */
export interface PreStop {
  readonly handler: HookHandler;
  readonly ports: Container['ports'];
}

/**
 * Read from what was written on the container when it was made, so that the hook of a pod nobody remembers is run as well.
 * Text that is no handler counts as none.
 */
export function preStopOf({ annotations }: Pick<ObservedContainer, 'annotations'>): PreStop | undefined {
  const handler = recordOf(annotations[preStopAnnotation]);
  if (handler === undefined) return undefined;
  const ports = parse(annotations[portsAnnotation]);
  // We, or a kubelet, wrote both as the API has them.
  return { handler: handler as HookHandler, ports: Array.isArray(ports) ? (ports as Container['ports']) : undefined };
}

function recordOf(text: string | undefined): object | undefined {
  const value = parse(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined || text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What the process itself gets when `usedMs` of its grace have passed; whole seconds count. */
export function graceLeftMs({ graceMs, usedMs }: { readonly graceMs: number; readonly usedMs: number }): number {
  return Math.max(stopGraceMsMin, graceMs - Math.floor(usedMs / 1_000) * 1_000);
}

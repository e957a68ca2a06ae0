// CPU and memory of containers as they are granted, written down and compared. Quantities of the API; no decision.
import type { Container, ContainerId } from '../../ports/pod-types.ts';
import type { ObservedContainer } from '../../ports/runtime-port.ts';
import { computeResources } from './quantity.ts';

/** The resources of a container that may change while it runs. */
export const resizable = ['cpu', 'memory'] as const;

/** On containers whose resources may change: what they were made with. */
export const resourcesAnnotation = 'io.kubernetes.container.resources';

/** CPU and memory of one container, as quantities of the API. */
export interface Granted {
  readonly limits?: Readonly<Record<string, string>>;
  readonly requests?: Readonly<Record<string, string>>;
}

/** By container name; only those that may be resized. */
export type Allocation = Readonly<Record<string, Granted>>;

/** What running instances were given last, where that is not what they were made with. */
export type Actuated = ReadonlyMap<ContainerId, Granted>;
export const nothingActuated: Actuated = new Map();

export function grantedOf({ resources }: Pick<Container, 'resources'>): Granted {
  const [limits, requests] = [only(resources?.limits), only(resources?.requests)];
  return { ...(limits === undefined ? {} : { limits }), ...(requests === undefined ? {} : { requests }) };
}

function only(quantities: Readonly<Record<string, string>> | undefined): Record<string, string> | undefined {
  const kept = resizable.flatMap((name) => (quantities?.[name] === undefined ? [] : [[name, quantities[name]] as const]));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** Whether two amounts are the same for the kernel, however they are written. */
export function sameGranted(a: Granted, b: Granted): boolean {
  const [x, y] = [computeResources({ resources: a }), computeResources({ resources: b })];
  return x.cpuRequestMillis === y.cpuRequestMillis && x.cpuLimitMillis === y.cpuLimitMillis
    && x.memoryRequestBytes === y.memoryRequestBytes && x.memoryLimitBytes === y.memoryLimitBytes;
}

/** What an instance has; undefined where nobody knows, and then it has what it should. */
export function actuatedOf({ id, annotations }: Pick<ObservedContainer, 'id' | 'annotations'>, actuated: Actuated): Granted | undefined {
  return actuated.get(id) ?? parseGranted(annotations[resourcesAnnotation]);
}

function parseGranted(text: string | undefined): Granted | undefined {
  if (text === undefined) return undefined;
  try {
    return grantedFrom(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Written by us, read from outside: what has another shape is nothing. */
export function grantedFrom(value: unknown): Granted | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { limits, requests } = value as Readonly<Record<string, unknown>>; // An object has members of any kind.
  const fits = [limits, requests].every((list) => list === undefined || (typeof list === 'object' && list !== null && Object.values(list).every((quantity) => typeof quantity === 'string')));
  // The two members were just looked at.
  return fits ? grantedOf({ resources: value as Granted }) : undefined;
}

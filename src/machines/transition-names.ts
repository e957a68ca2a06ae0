// Transitions of a machine as people read them, and ids that are the same for every copy of the machine. Types of XState only.
import type { AnyStateNode, AnyTransitionDefinition } from 'xstate';

/** All of one state, in the order of the definition; what happens of itself first. */
export function transitionsOf(node: AnyStateNode): readonly AnyTransitionDefinition[] {
  return [...(node.always ?? []), ...[...node.transitions.values()].flat()];
}

const ids = new WeakMap<object, string>();

/** `running.settled:3`: its state, and its place among that state's transitions. */
export function transitionId(transition: AnyTransitionDefinition): string {
  const known = ids.get(transition);
  if (known !== undefined) return known;
  const { source } = transition;
  // Its source is the state node that has it; the type only says that it is one of any machine.
  const node = source as AnyStateNode;
  const id = `${node.path.join('.')}:${transitionsOf(node).indexOf(transition)}`;
  ids.set(transition, id);
  return id;
}

/** @returns undefined for a transition without one, and for one whose guard is a function without a name */
export function guardName(guard: unknown): string | undefined {
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'function') return guard.name === 'guard' || guard.name === '' ? undefined : guard.name;
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return String(guard.type);
  return undefined;
}

/** `after wake` and `done` for XState's internal event names. */
export function eventName(type: string): string {
  const after = /^xstate\.after\.(.+?)\.[^.]*\./.exec(`${type}.`);
  if (after !== null) return `after ${after[1]}`;
  if (type.startsWith('xstate.done.actor')) return 'done';
  if (type.startsWith('xstate.error.actor')) return 'failed';
  if (type === 'xstate.init') return 'start';
  if (type === 'xstate.stop') return 'stop';
  return type;
}

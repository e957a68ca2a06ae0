// Turns a machine into plain data for drawing. The same machine gives the same data.
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { eventName, guardName, transitionId, transitionsOf } from '../machines/transition-names.ts';
import type { MachineDescription, StateDescription, TransitionDescription } from './machine-description.ts';

export function describeMachine(machine: AnyStateMachine): MachineDescription {
  const states: StateDescription[] = [];
  const transitions: TransitionDescription[] = [];
  const walk = (node: AnyStateNode, parent: AnyStateNode | undefined): void => {
    if (parent !== undefined) states.push(stateOf(node, parent));
    for (const transition of transitionsOf(node)) transitions.push(transitionOf(node, transition));
    for (const child of Object.values(node.states)) walk(child, node);
  };
  walk(machine.root, undefined);
  return { id: machine.id, states, transitions };
}

function stateOf(node: AnyStateNode, parent: AnyStateNode): StateDescription {
  return {
    path: pathOf(node),
    name: node.key,
    parent: pathOf(parent),
    kind: node.type === 'final' ? 'final' : Object.keys(node.states).length > 0 ? 'compound' : 'atomic',
    initial: parent.initial?.target?.includes(node) === true,
    invokes: node.invoke.map(({ src }) => (typeof src === 'string' ? src : 'invoked')),
  };
}

function transitionOf(node: AnyStateNode, transition: AnyTransitionDefinition): TransitionDescription {
  const { eventType, target, guard, actions } = transition;
  const name = eventName(eventType);
  const kind = eventType === '' ? 'always' : name === 'done' || name === 'failed' ? name : name.startsWith('after ') ? 'after' : 'event';
  const invoked = node.invoke.find(({ id }) => eventType.endsWith(`.${id}`));
  return {
    id: transitionId(transition),
    from: pathOf(node),
    // Targets of one transition are states of this machine.
    to: pathOf((target as readonly AnyStateNode[] | undefined)?.[0]),
    kind,
    event: invoked !== undefined && typeof invoked.src === 'string' && (kind === 'done' || kind === 'failed') ? `${invoked.src} ${kind}` : name,
    guard: guardName(guard) ?? (guard === undefined ? '' : 'condition'),
    actions: actions.map(actionName).filter((action) => action !== ''),
  };
}

function pathOf(node: AnyStateNode | undefined): string {
  return node?.path.join('.') ?? '';
}

/** Those without a name of their own are told by what they do. */
function actionName(action: unknown): string {
  if (typeof action === 'string') return action;
  if (typeof action === 'object' && action !== null && 'type' in action) return String(action.type);
  // XState's own actions are functions that carry their kind.
  if (typeof action === 'function' && 'type' in action) return String(action.type).replace(/^xstate\./, '');
  return '';
}

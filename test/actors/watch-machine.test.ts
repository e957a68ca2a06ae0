import { createActor, createMachine, sendTo, assign } from 'xstate';
import { describe, expect, test } from 'vitest';
import { stepsOf } from '../../src/actors/watch-machine.ts';
import { describeMachine } from '../../src/inspector/describe-machine.ts';
import { machines } from '../../src/machines/machines.ts';
import type { MachineStep } from '../../src/ports/machine-watch.ts';

const machine = createMachine({
  id: 'door',
  context: { count: 0 },
  initial: 'closed',
  states: {
    closed: { on: { push: 'open.wide', knock: { actions: assign({ count: ({ context }) => context.count + 1 }) } } },
    open: { initial: 'wide', states: { wide: { always: { guard: () => false, target: 'ajar' }, on: { pull: 'ajar' } }, ajar: {} }, on: { shut: { target: 'closed', actions: sendTo(({ self }) => self, { type: 'knock' }) } } },
  },
});

function watched() {
  const steps: MachineStep[] = [];
  const clock = { nowMs: () => 7, monotonicMs: () => 0, setTimeout: () => 0, clearTimeout: () => undefined };
  const inspect = stepsOf({ watch: { begins: (step) => void steps.push(step) }, machine: 'door', actor: 'door 1', clock, cause: () => 3 });
  const actor = createActor(machine, { inspect });
  actor.start();
  return { actor, steps };
}

describe('steps of a machine', () => {
  test('given a machine that is watched, when it takes events, then each is a step with states, transitions and what it remembers afterwards', () => {
    const { actor, steps } = watched();
    actor.send({ type: 'push' });
    actor.send({ type: 'nobody hears this' });
    actor.send({ type: 'shut' });
    const common = { k: 'step', machine: 'door', actor: 'door 1', pod: '', at: 7, cause: 3, status: 'active' };
    expect(steps).toEqual([
      { ...common, event: expect.objectContaining({ type: 'xstate.init' }), from: '', to: 'closed', transitions: [], context: { count: 0 }, mailbox: 1 },
      { ...common, event: { type: 'push' }, from: 'closed', to: 'open.wide', transitions: ['closed:0'], context: { count: 0 }, mailbox: 1 },
      { ...common, event: { type: 'nobody hears this' }, from: 'open.wide', to: 'open.wide', transitions: [], context: { count: 0 }, mailbox: 1 },
      { ...common, event: { type: 'shut' }, from: 'open.wide', to: 'closed', transitions: ['open:0'], context: { count: 0 }, mailbox: 1 },
      { ...common, event: { type: 'knock' }, from: 'closed', to: 'closed', transitions: ['closed:1'], context: { count: 1 }, mailbox: 2 },
    ]);
  });

  test('given its description, when a step names transitions, then they are in it', () => {
    const { actor, steps } = watched();
    actor.send({ type: 'push' });
    actor.send({ type: 'shut' });
    const known = describeMachine(machine).transitions.map(({ id }) => id);
    expect(steps.flatMap(({ transitions }) => transitions).filter((id) => !known.includes(id))).toEqual([]);
  });
});

describe('descriptions of machines', () => {
  test.each(machines.map((one) => [one.id, one] as const))('given the %s machine, when it is described, then its parts hang together', (_id, one) => {
    const { states, transitions } = describeMachine(one);
    const paths = new Set(states.map(({ path }) => path));
    expect(states.filter(({ parent }) => parent !== '' && !paths.has(parent))).toEqual([]);
    expect(transitions.filter(({ from, to }) => (from !== '' && !paths.has(from)) || (to !== '' && !paths.has(to)))).toEqual([]);
    expect(new Set(transitions.map(({ id }) => id)).size).toBe(transitions.length);
    expect(states.filter(({ initial, parent }) => initial && parent === '')).toHaveLength(1);
  });
});

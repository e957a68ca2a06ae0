import { describe, expect, it } from 'vitest';
import { podConditions } from '../../src/machines/decide/pod-conditions.ts';
import { withMissingEnded } from '../../src/machines/decide/pod-end.ts';
import { isTerminalPhase, podPhase } from '../../src/machines/decide/pod-phase.ts';
import type { ContainerState, ContainerStatus } from '../../src/ports/pod-types.ts';
import { aContainer, aPod } from '../support/pods.ts';

/** One letter a container: r running, s succeeded, f failed, w waiting, l waiting after a failure, k waiting after success. */
const states: Record<string, [state: ContainerState, lastState: ContainerState]> = {
  r: [{ running: {} }, {}],
  s: [{ terminated: { exitCode: 0 } }, {}],
  f: [{ terminated: { exitCode: 1 } }, {}],
  w: [{ waiting: {} }, {}],
  l: [{ waiting: {} }, { terminated: { exitCode: 1 } }],
  k: [{ waiting: {} }, { terminated: { exitCode: 0 } }],
};

function statusesOf(letters: string, prefix: string): ContainerStatus[] {
  return [...letters].map((letter, index) => {
    const [state, lastState] = states[letter] ?? [{}, {}];
    return { name: `${prefix}${index}`, state, lastState, ready: letter === 'r' || (prefix === 'i' && letter === 's'), started: letter === 'r', restartCount: 0, image: '', imageID: '' };
  });
}

/** `-` in the letters: no status at all. Init containers in capitals are sidecars. */
function situation(init: string, app: string, restartPolicy = 'Always') {
  const { spec } = aPod({
    restartPolicy,
    initContainers: [...init].map((letter, index) => aContainer(`i${index}`, letter === letter.toUpperCase() && letter !== '-' ? { restartPolicy: 'Always' } : {})),
    containers: [...app].map((_letter, index) => aContainer(`a${index}`)),
  }).pod;
  const told = (letters: string, prefix: string) => statusesOf(letters, prefix).filter((_status, index) => letters[index] !== '-');
  return { spec, initStatuses: told(init.toLowerCase(), 'i'), statuses: told(app, 'a') };
}

describe('podPhase', () => {
  it.each([
    // init, app, policy, finalised, phase
    ['', 'r', 'Always', false, 'Running'],
    ['', 'w', 'Always', false, 'Pending'],
    ['', '-', 'Always', false, 'Pending'],
    ['', 'rw', 'Always', false, 'Pending'],
    ['', 'rl', 'Always', false, 'Running'],
    ['', 'rf', 'Never', false, 'Running'],
    ['', 'r-', 'Always', false, 'Pending'],
    ['', 'l', 'Always', false, 'Running'],
    ['', 's', 'Always', false, 'Running'],
    ['', 's', 'OnFailure', false, 'Succeeded'],
    ['', 'f', 'OnFailure', false, 'Running'],
    ['', 'sf', 'OnFailure', false, 'Running'],
    ['', 'ss', 'Never', false, 'Succeeded'],
    ['', 'sf', 'Never', false, 'Failed'],
    ['', 's', 'Always', true, 'Succeeded'],
    ['', 'f', 'Always', true, 'Failed'],
    ['', 'f', 'OnFailure', true, 'Failed'],
    ['r', 'w', 'Always', false, 'Pending'],
    ['s', 'w', 'Always', false, 'Pending'],
    ['s', 'r', 'Always', false, 'Running'],
    ['f', 'w', 'Never', false, 'Failed'],
    ['l', 'w', 'Never', false, 'Failed'],
    ['l', 'w', 'Always', false, 'Pending'],
    ['sw', 'w', 'Always', false, 'Pending'],
    ['-', 'r', 'Always', false, 'Pending'],
    ['R', 'w', 'Always', false, 'Pending'],
    ['R', 'r', 'Always', false, 'Running'],
    ['R', 's', 'Never', false, 'Running'],
    ['S', 's', 'Never', false, 'Succeeded'],
    ['W', 'w', 'Always', false, 'Pending'],
    ['F', 'r', 'Never', false, 'Running'],
  ] as const)('given init %j, app %j, policy %s, finalised %s, then %s', (init, app, policy, finalised, phase) => {
    expect(podPhase({ ...situation(init, app, policy), finalised })).toBe(phase);
  });

  it('given the phases, then two of them are terminal', () => {
    expect(['Pending', 'Running', 'Succeeded', 'Failed', undefined].map(isTerminalPhase)).toEqual([false, false, true, true, false]);
  });
});

describe('podConditions', () => {
  const verdicts = (init: string, app: string, phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed') =>
    podConditions({
      ...situation(init, app), phase, sandboxUsable: true, foreign: [], previous: [], override: undefined, now: '2026-01-01T00:00:00Z',
    }).map(({ type, status, reason, message }) => [type, status, reason, message].filter((part) => part !== undefined).join(' | '));

  it.each([
    ['w', 'w', 'Pending', 'Initialized | False | ContainersNotInitialized | containers with incomplete status: [i0]', 'ContainersReady | False | ContainersNotReady | containers with unready status: [a0]'],
    ['-w', '-w', 'Pending', 'Initialized | False | ContainersNotInitialized | containers with unknown status: [i0], containers with incomplete status: [i1]', 'ContainersReady | False | ContainersNotReady | containers with unknown status: [a0], containers with unready status: [a1]'],
    ['f', 'r', 'Running', 'Initialized | True', 'ContainersReady | True'],
    ['R', 'w', 'Pending', 'Initialized | True', 'ContainersReady | False | ContainersNotReady | containers with unready status: [a0]'],
    ['W', 'r', 'Running', 'Initialized | True', 'ContainersReady | False | ContainersNotReady | containers with unready status: [i0]'],
    ['s', 's', 'Succeeded', 'Initialized | True | PodCompleted', 'ContainersReady | False | PodCompleted'],
    ['s', 'f', 'Failed', 'Initialized | True', 'ContainersReady | False | PodFailed'],
  ] as const)('given init %j, app %j and phase %s, then what it says', (init, app, phase, initialised, ready) => {
    expect(verdicts(init, app, phase)).toEqual([
      'PodReadyToStartContainers | True', initialised, ready.replace(/^Containers/, ''), ready, 'PodScheduled | True',
    ]);
  });
});

describe('withMissingEnded', () => {
  const letters = (statuses: readonly ContainerStatus[]) =>
    statuses.map(({ state }) => (state?.terminated?.exitCode === 137 ? 'x' : state?.terminated ? 't' : state?.running ? 'r' : 'w')).join('');

  it.each([
    ['', 'wsr', '', 'xtx'],
    ['s', 'w', 't', 'x'],
    ['sww', 'w', 'tww', 'w'],
    ['wlw', 'w', 'xxw', 'w'],
    ['wk', 'w', 'xx', 'x'],
    ['w', 'r', 'w', 'x'],
  ])('given init %j and app %j, then %j and %j', (init, app, initAfter, appAfter) => {
    const { spec, ...lists } = situation(init, app);
    const after = withMissingEnded(spec, { ...lists, ephemeralStatuses: [] });
    expect([letters(after.initStatuses), letters(after.statuses)]).toEqual([initAfter, appAfter]);
  });
});

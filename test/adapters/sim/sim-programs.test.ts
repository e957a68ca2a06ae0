// The table of simulated programs.
import { describe, expect, it } from 'vitest';
import { programOf } from '../../../src/adapters/sim/sim-programs.ts';

const dies = { onTerm: { afterMs: 5, exitCode: 143 } };
const ends = (afterMs: number, exitCode: number, outOfMemory = false) => ({ ...dies, ends: { afterMs, exitCode, outOfMemory } });

describe('programOf', () => {
  it.each([
    ['docker.io/library/nginx:1', [], dies],
    ['docker.io/sim/run:latest', ['anything'], dies],
    ['docker.io/sim/crash:latest', [], ends(50, 1)],
    ['sim/exit:0', [], ends(100, 0)],
    ['docker.io/sim/exit:3-after-5000', [], ends(5_000, 3)],
    ['sim/exit:soon', [], dies],
    ['sim/oom@sha256:00', [], ends(100, 137, true)],
    ['sim/graceful', [], { onTerm: { afterMs: 5, exitCode: 0 } }],
    ['sim/slow-term:2500', [], { onTerm: { afterMs: 2_500, exitCode: 0 } }],
    ['sim/ignore-term', [], {}],
    ['sim/start-error', [], { ...dies, refuses: 'start' }],
    ['sim/create-error', [], { ...dies, refuses: 'create' }],
    ['nginx', ['sim', 'exit:7'], ends(100, 7)],
    ['sim/crash', ['sim', 'run'], dies],
    ['sim/crash', ['sim'], dies],
    ['notsim/crash', [], dies],
  ])('given the image %s and the command %j, when looked up, then it does %j', (image, command, expected) => {
    expect(programOf(image, command)).toEqual(expected);
  });
});

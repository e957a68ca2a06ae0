// The contract suite's programs as the twin knows them.
import type { Program } from './runtime-configs.ts';

const named = (word: string): Program => ({ image: `sim/${word}`, command: [] });

export const simPrograms = {
  graceful: named('graceful'),
  ignoresTerm: named('ignore-term'),
  exits: (code: number): Program => ({ image: 'sim/run', command: ['sim', `exit:${code}`] }),
  commands: { ends: (code: number) => ['sim', `exit:${code}`], goesOn: ['sim', 'run'] },
  cannotStart: named('start-error'),
};

/** What must be in the twin's store for them. */
export const simImages = ['sim/graceful', 'sim/ignore-term', 'sim/run', 'sim/start-error'];

// What a simulated container does, chosen by its image or its command. A table of behaviours, without state or time of its own.
//
//   sim/run                  runs until told to stop; ends with 143 soon after SIGTERM. Also every image not named here
//   sim/exit:CODE            ends by itself with CODE after 100 ms; sim/exit:CODE-after-MS after that many milliseconds
//   sim/crash                ends with 1 after 50 ms
//   sim/graceful             runs; ends with 0 soon after SIGTERM
//   sim/slow-term:MS         runs; ends with 0 that many milliseconds after SIGTERM
//   sim/ignore-term          runs; only SIGKILL ends it
//   sim/oom                  is killed for lack of memory after 100 ms
//   sim/start-error          StartContainer is refused, as for a command that does not exist
//   sim/create-error         CreateContainer is refused
//
// A command `sim WORD` does the same in any image: ['sim', 'exit:3-after-5000'].

export interface SimProgram {
  /** How it ends by itself; absent for one that runs until stopped. */
  readonly ends?: { readonly afterMs: number; readonly exitCode: number; readonly outOfMemory: boolean };
  /** What SIGTERM does; absent when it is ignored. */
  readonly onTerm?: { readonly afterMs: number; readonly exitCode: number };
  readonly refuses?: 'create' | 'start';
}

const sigterm = 15;
const sigkill = 9;
/** Exit code of a process ended by a signal, as a shell and a runtime report it. */
const bySignal = (signal: number): number => 128 + signal;

export const exitCodeOfSigkill = bySignal(sigkill);
const promptMs = 5;
const dies = { onTerm: { afterMs: promptMs, exitCode: bySignal(sigterm) } } as const;

/** @returns the behaviour; the default runs until stopped. Never throws: a word with a bad argument is the default too. */
export function programOf(image: string, command: readonly string[]): SimProgram {
  const word = command[0] === 'sim' ? command[1] : /(?:^|\/)sim\/([^/@]+)(?:@.*)?$/.exec(image)?.[1];
  const [name = 'run', argument = ''] = word?.split(':') ?? [];
  switch (name) {
    case 'exit': return exits(argument);
    case 'crash': return { ...dies, ends: { afterMs: 50, exitCode: 1, outOfMemory: false } };
    case 'graceful': return { onTerm: { afterMs: promptMs, exitCode: 0 } };
    case 'slow-term': return { onTerm: { afterMs: Number(/^\d+/.exec(argument)?.[0] ?? promptMs), exitCode: 0 } };
    case 'ignore-term': return {};
    case 'oom': return { ...dies, ends: { afterMs: 100, exitCode: exitCodeOfSigkill, outOfMemory: true } };
    case 'start-error': return { ...dies, refuses: 'start' };
    case 'create-error': return { ...dies, refuses: 'create' };
    default: return dies;
  }
}

function exits(argument: string): SimProgram {
  const match = /^(\d{1,3})(?:-after-(\d{1,9}))?$/.exec(argument);
  if (match === null) return dies;
  return { ...dies, ends: { afterMs: Number(match[2] ?? 100), exitCode: Number(match[1]), outOfMemory: false } };
}

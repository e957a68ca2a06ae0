// `mqlet sim-runtime`: the runtime's twin as a CRI server on a unix socket, for crictl, for the agent without containerd, and for demonstrations.
// Composition only; it touches no process state itself.
import { parseArgs } from 'node:util';
import { startSimCriServer } from '../adapters/sim/cri-server.ts';
import { SeededRandom } from '../adapters/sim/seeded-random.ts';
import { SimRuntime } from '../adapters/sim/sim-runtime.ts';
import { SystemClock } from '../adapters/system-clock.ts';

/** What the command needs of the process it runs in. */
export interface SimRuntimeTerminal {
  /** One line on standard output. */
  print(line: string): void;
  /** One line on standard error. */
  complain(line: string): void;
  /** Resolves when the user wants the command to end: SIGINT or SIGTERM. */
  readonly interrupted: Promise<unknown>;
}

export const simRuntimeUsage = `Usage: mqlet sim-runtime --listen unix:///PATH [options]

Serves CRI v1 from memory: pods run nowhere, but look as if they did. What a container does is chosen by its image:
sim/run, sim/exit:CODE[-after-MS], sim/crash, sim/graceful, sim/slow-term:MS, sim/ignore-term, sim/oom, sim/start-error,
sim/create-error; any other image runs until it is stopped. Images with the word "missing" in their name cannot be pulled,
those with "private" need a user name.

  --listen ENDPOINT     unix socket to serve on; a socket left there is replaced
  --seed TEXT           seed of latencies and faults (default 1)
  --image NAME          an image that needs no pull; may be repeated
  --faults FRACTION     part of all calls that fail, from 0 to 1 (default 0)
  --event-loss FRACTION part of all events that are lost, from 0 to 1 (default 0)
  --help                this text`;

const wrongUsage = 2;

/**
 * Runs until `interrupted`.
 * @param argv the arguments after `sim-runtime`
 * @returns the exit code: 0 after an orderly end, 1 when the socket cannot be served, 2 for wrong usage
 */
export async function runSimRuntime(argv: readonly string[], terminal: SimRuntimeTerminal): Promise<number> {
  const settings = parse(argv);
  if (settings === 'help') {
    terminal.print(simRuntimeUsage);
    return 0;
  }
  if (typeof settings === 'string') {
    terminal.complain(`mqlet sim-runtime: ${settings} (see mqlet sim-runtime --help)`);
    return wrongUsage;
  }
  const clock = new SystemClock();
  const runtime = new SimRuntime({ clock, random: new SeededRandom(settings.seed), images: settings.images });
  const part = settings.faults / 3;
  runtime.setFaults({ calls: { '*': { error: part, slow: part, lost: part } }, eventLoss: settings.eventLoss });
  const server = await startSimCriServer({ endpoint: settings.listen, runtime, clock });
  if (!server.ok) {
    terminal.complain(`mqlet sim-runtime: cannot serve ${settings.listen}: ${server.fault}`);
    return 1;
  }
  terminal.print(`simulated runtime on ${settings.listen}`);
  await terminal.interrupted;
  await server.value.stop();
  return 0;
}

interface Settings {
  readonly listen: string;
  readonly seed: string;
  readonly images: readonly string[];
  readonly faults: number;
  readonly eventLoss: number;
}

/** @returns the settings, `help`, or what is wrong */
function parse(argv: readonly string[]): Settings | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        'listen': { type: 'string' },
        'seed': { type: 'string', default: '1' },
        'image': { type: 'string', multiple: true, default: [] },
        'faults': { type: 'string', default: '0' },
        'event-loss': { type: 'string', default: '0' },
        'help': { type: 'boolean', default: false },
      },
    });
    if (values.help) return 'help';
    if (values.listen === undefined) return '--listen unix:///PATH is missing';
    const [faults, eventLoss] = [fraction(values.faults), fraction(values['event-loss'])];
    if (faults === undefined) return `--faults is not a number from 0 to 1: ${values.faults}`;
    if (eventLoss === undefined) return `--event-loss is not a number from 0 to 1: ${values['event-loss']}`;
    return { listen: values.listen, seed: values.seed, images: values.image, faults, eventLoss };
  } catch (error) {
    // parseArgs throws on flags it does not know; its text names the flag and spans several lines.
    return error instanceof Error ? (error.message.split('\n')[0] ?? error.message) : String(error);
  }
}

function fraction(text: string): number | undefined {
  const value = Number(text);
  return text !== '' && value >= 0 && value <= 1 ? value : undefined;
}

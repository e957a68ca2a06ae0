// The command line of the benchmark. Pure.
import { parseArgs } from 'node:util';
import { fail, ok, type Result } from '../src/ports/result.ts';

export const sectionNames = ['start', 'burst', 'delete', 'restart', 'memory', 'cpu', 'bus'] as const;
export type SectionName = (typeof sectionNames)[number];

/** How much of everything. Times are milliseconds. */
export interface Extent {
  readonly starts: number;
  readonly burstPods: number;
  readonly burstRounds: number;
  readonly burstWidths: readonly number[];
  readonly deletions: number;
  readonly deletionPods: number;
  readonly deletionRounds: number;
  readonly restartPods: number;
  readonly restarts: number;
  readonly idlePodCounts: readonly number[];
  /** Before memory is read or CPU is counted. */
  readonly settleMs: number;
  readonly cpuWindowMs: number;
  readonly busMessages: number;
}

/** What the section `start` starts: a bare `sleep`, or a pod with objects, volumes and probes. */
export const podShapes = ['plain', 'rich'] as const;
export type PodShape = (typeof podShapes)[number];

export interface BenchOptions {
  readonly help: boolean;
  readonly pod: PodShape;
  readonly only: ReadonlySet<SectionName>;
  readonly extent: Extent;
  readonly quick: boolean;
  readonly jsonFile: string | undefined;
  /** Node.js that runs the daemon; the one that runs the benchmark when absent. */
  readonly nodeBinary: string | undefined;
  /** What starts the daemon, as `bin/mqlet` does. */
  readonly launcher: string | undefined;
}

const fullExtent: Extent = {
  starts: 100, burstPods: 50, burstRounds: 3, burstWidths: [1, 2, 4, 8], deletions: 10, deletionPods: 100, deletionRounds: 2, restartPods: 50, restarts: 6,
  idlePodCounts: [0, 10, 50, 100], settleMs: 20_000, cpuWindowMs: 60_000, busMessages: 200_000,
};

const quickExtent: Extent = {
  starts: 5, burstPods: 20, burstRounds: 1, burstWidths: [4], deletions: 3, deletionPods: 20, deletionRounds: 1, restartPods: 20, restarts: 2,
  idlePodCounts: [0, 10], settleMs: 5_000, cpuWindowMs: 10_000, busMessages: 50_000,
};

export const benchHelp = `usage: npm run bench -- [options]
Measures the daemon against the bare CRI calls, side by side in one run, and prints a report. Needs root, containerd, mosquitto.

  --only LIST      sections to run, of ${sectionNames.join(',')}; all when absent
  --pod SHAPE      the pod of the section start: plain, or rich (two config maps, a secret, an empty directory, three probes)
  --json FILE      write the figures there too
  --node PATH      the Node.js that runs the daemon
  --launcher PATH  what starts the daemon in place of bin/mqlet
  --window SECONDS time over which idle CPU is counted (${fullExtent.cpuWindowMs / 1000})
  --quick          a short run: few samples, for a first look only
  --help           this text
`;

export function parseBenchOptions(argv: readonly string[]): Result<BenchOptions, string> {
  const given = readArgs(argv);
  if (!given.ok) return given;
  const { values } = given.value;
  const only = values.only?.split(',') ?? sectionNames;
  const unknown = only.find((name) => !isSection(name));
  if (unknown !== undefined) return fail(`--only knows ${sectionNames.join(', ')}, not "${unknown}"`);
  const pod = podShapes.find((shape) => shape === (values.pod ?? 'plain'));
  if (pod === undefined) return fail(`--pod knows ${podShapes.join(', ')}, not "${values.pod}"`);
  const extent = values.quick === true ? quickExtent : fullExtent;
  const windowMs = values.window === undefined ? extent.cpuWindowMs : Number(values.window) * 1_000;
  if (!(windowMs >= 1_000)) return fail(`--window must be a number of seconds, at least 1, not "${values.window}"`);
  return ok({
    help: values.help === true,
    pod,
    only: new Set(only.filter(isSection)),
    extent: { ...extent, cpuWindowMs: windowMs },
    quick: values.quick === true,
    jsonFile: values.json,
    nodeBinary: values.node,
    launcher: values.launcher,
  });
}

function isSection(name: string): name is SectionName {
  return sectionNames.some((section) => section === name);
}

function readArgs(argv: readonly string[]) {
  try {
    return ok(parseArgs({
      args: [...argv],
      options: {
        only: { type: 'string' }, pod: { type: 'string' }, json: { type: 'string' }, node: { type: 'string' }, launcher: { type: 'string' },
        window: { type: 'string' }, quick: { type: 'boolean' }, help: { type: 'boolean' },
      },
    }));
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

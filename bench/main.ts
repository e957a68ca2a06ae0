// `npm run bench`: the parts asked for, one after the other on one machine set up once; then the report. Exit code 0 whatever the
// figures say, 1 where something could not be measured, 2 for wrong usage.
import { writeFileSync } from 'node:fs';
import { startDaemon } from './daemon.ts';
import { machineFacts, versions } from './machine-facts.ts';
import { measureBurst } from './measure-burst.ts';
import { measureBus } from './measure-bus.ts';
import { measureInspectedNode } from './measure-inspected-node.ts';
import { measureDelete } from './measure-delete.ts';
import { measureIdle } from './measure-idle.ts';
import { measureRestart } from './measure-restart.ts';
import { measureStart } from './measure-start.ts';
import { benchHelp, parseBenchOptions, type BenchOptions } from './options.ts';
import { reportJson, reportText } from './report.ts';
import type { Section } from './section.ts';
import { nodeOf, openWorld, type World } from './world.ts';

/** The checkout. */
const home = process.env['MQLET_BENCH_HOME'] ?? process.cwd();

async function main(): Promise<number> {
  const parsed = parseBenchOptions(process.argv.slice(2));
  if (!parsed.ok) {
    process.stderr.write(`bench: ${parsed.fault}\n`);
    return 2;
  }
  const options = parsed.value;
  if (options.help) {
    process.stdout.write(benchHelp);
    return 0;
  }
  const startedAt = new Date();
  const before = machineFacts();
  const { sections, snapshotter } = await measure(options);
  const report = {
    startedAt: startedAt.toISOString(),
    elapsedSeconds: (Date.now() - startedAt.getTime()) / 1_000,
    command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
    machine: { ...before, snapshotter, loadAverageAtEnd: machineFacts().loadAverage },
    versions: await versions({ home, daemonNode: nodeOf(options) }),
    sections,
  };
  process.stdout.write(reportText(report));
  if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, reportJson(report));
  return 0;
}

interface Measured {
  readonly sections: readonly Section[];
  readonly snapshotter: string | undefined;
}

async function measure(options: BenchOptions): Promise<Measured> {
  const { only } = options;
  const bus = async (): Promise<readonly Section[]> => (only.has('bus') ? [measureBus(options), await measureInspectedNode(options)] : []);
  if (only.size === 1 && only.has('bus')) return { sections: await bus(), snapshotter: undefined };
  const world = await openWorld(options, home);
  leaveOnSignals(world);
  try {
    return { sections: [...await measureWorld(world), ...await bus()], snapshotter: world.containerd.snapshotter };
  } finally {
    await world.stop();
  }
}

/** A second signal while the teardown runs changes nothing: it must come to its end. */
function leaveOnSignals(world: World): void {
  const leave = (): void => void world.stop().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, leave);
}

async function measureWorld(world: World): Promise<readonly Section[]> {
  const { only } = world.options;
  const sections: Section[] = [];
  if (only.has('start') || only.has('burst') || only.has('delete') || only.has('restart')) {
    const daemon = await startDaemon(world);
    if (only.has('start')) sections.push(await measureStart(world, daemon));
    if (only.has('burst')) sections.push(await measureBurst(world, daemon));
    if (only.has('delete')) sections.push(await measureDelete(world, daemon));
    if (only.has('restart')) sections.push(await measureRestart(world, daemon));
    await daemon.stop();
  }
  if (only.has('memory') || only.has('cpu')) sections.push(...await measureIdle(world));
  return sections;
}

main().then((code) => {
  process.exitCode = code;
}, (error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

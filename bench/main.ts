// `npm run bench`: the parts asked for, one after the other on one machine set up once; then the report. Exit code 0 whatever the
// figures say, 1 where something could not be measured, 2 for wrong usage.
import { writeFileSync } from 'node:fs';
import { startDaemon } from './daemon.ts';
import { machineFacts, versions } from './machine-facts.ts';
import { measureBurst } from './measure-burst.ts';
import { measureBus } from './measure-bus.ts';
import { measureDelete } from './measure-delete.ts';
import { measureIdle } from './measure-idle.ts';
import { measureStart } from './measure-start.ts';
import { benchHelp, parseBenchOptions, type BenchOptions } from './options.ts';
import { reportJson, reportText } from './report.ts';
import type { Section } from './section.ts';
import { openWorld, type World } from './world.ts';

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
  const machineBefore = machineFacts('');
  const world = await openWorld(options, process.env['MQLET_BENCH_HOME'] ?? process.cwd());
  const leave = (): void => void world.stop().finally(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, leave);
  try {
    const sections = await measure(world, options);
    const report = {
      startedAt: startedAt.toISOString(),
      elapsedSeconds: (Date.now() - startedAt.getTime()) / 1_000,
      command: ['npm run bench --', ...process.argv.slice(2)].join(' '),
      machine: { ...machineBefore, snapshotter: world.containerd.snapshotter },
      versions: await versions({ home: world.home, daemonNode: options.nodeBinary ?? process.env['MQLET_NODE'] ?? 'node', broker: world.broker.program }),
      sections,
    };
    process.stdout.write(`${reportText(report)}`);
    if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, reportJson(report));
  } finally {
    await world.stop();
  }
  return 0;
}

async function measure(world: World, { only }: BenchOptions): Promise<readonly Section[]> {
  const sections: Section[] = [];
  if (only.has('start') || only.has('burst') || only.has('delete')) {
    const daemon = await startDaemon(world);
    if (only.has('start')) sections.push(await measureStart(world, daemon));
    if (only.has('burst')) sections.push(await measureBurst(world, daemon));
    if (only.has('delete')) sections.push(await measureDelete(world, daemon));
    await daemon.stop();
  }
  if (only.has('memory') || only.has('cpu')) sections.push(...await measureIdle(world));
  if (only.has('bus')) sections.push(measureBus(world));
  return sections;
}

main().then((code) => {
  process.exitCode = code;
}, (error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

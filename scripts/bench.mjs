// `npm run bench`: set-up, build, then the benchmark (bench/main.ts, bundled for the moment) with the arguments given.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { buildIfStale } from './build.mjs';
import { runMain, ScriptFailure } from './progress.mjs';
import { home, setUp } from './setup.mjs';

/** Inside node_modules, so that Node finds the packages from there. */
const bundle = path.join(home, 'node_modules', '.cache', `mqlet-bench-${process.pid}.mjs`);

// Standard output is the report's.
console.log = console.error;

await runMain(async () => {
  const args = process.argv.slice(2);
  const asksForHelp = args.includes('--help');
  if (!asksForHelp && process.getuid?.() !== 0) throw new ScriptFailure('The benchmark runs containers, which needs root: sudo npm run bench');
  await setUp({ system: asksForHelp ? 'no' : 'required' });
  if (!asksForHelp) await buildIfStale();
  mkdirSync(path.dirname(bundle), { recursive: true });
  const esbuild = await import('esbuild');
  await esbuild.build({
    entryPoints: [path.join(home, 'bench', 'main.ts')], outfile: bundle, absWorkingDir: home,
    bundle: true, platform: 'node', format: 'esm', target: 'node20', packages: 'external', sourcemap: 'inline', logLevel: 'warning',
  });
  try {
    return await bench(args);
  } finally {
    rmSync(bundle, { force: true });
  }
});

/** It tears itself down on SIGINT and SIGTERM: a terminal's Ctrl-C reaches it by itself, a SIGTERM to us is passed on. */
function bench(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--enable-source-maps', bundle, ...args], { stdio: 'inherit', env: { ...process.env, MQLET_BENCH_HOME: home } });
    process.on('SIGINT', () => undefined);
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.on('exit', (code) => resolve(code ?? 1));
    child.on('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
  });
}

// `npm run mqlet -- ARGS`: the built command from the checkout, built first when the sources are newer.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { buildIfStale } from './build.mjs';
import { runMain } from './progress.mjs';
import { home, setUp } from './setup.mjs';

await runMain(async () => {
  await setUp({ system: 'no' });
  await buildIfStale();
  return runMqlet(process.argv.slice(2));
});

function runMqlet(args) {
  // Ctrl-C reaches the whole process group: the command ends itself, and we wait for it.
  process.on('SIGINT', () => undefined);
  const { status } = spawnSync(path.join(home, 'bin', 'mqlet'), args, { stdio: 'inherit' });
  return status ?? 1;
}

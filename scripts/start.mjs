// `npm start`: from a fresh clone to a running node. Set-up, build, then `mqlet demo` with the arguments given.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { buildIfStale } from './build.mjs';
import { runMain, ScriptFailure } from './progress.mjs';
import { home, setUp } from './setup.mjs';

await runMain(async () => {
  if (process.getuid?.() !== 0) {
    throw new ScriptFailure('The demo runs containers, which needs root: sudo npm start');
  }
  await setUp({ system: 'required' });
  await buildIfStale();
  return demo(process.argv.slice(2));
});

/** The demo tears itself down on SIGINT and SIGTERM: a terminal's Ctrl-C reaches it by itself, a SIGTERM to us is passed on. */
function demo(args) {
  return new Promise((resolve) => {
    const child = spawn(path.join(home, 'bin', 'mqlet'), ['demo', ...args], { stdio: 'inherit' });
    process.on('SIGINT', () => undefined);
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.on('exit', (code) => resolve(code ?? 1));
    child.on('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
  });
}

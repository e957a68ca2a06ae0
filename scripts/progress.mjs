// What the scripts tell a person while they work: one line per step, with its time; a spinner only on a terminal.
import { spawn } from 'node:child_process';

const frames = ['|', '/', '-', '\\'];
const onTerminal = process.stdout.isTTY === true && process.env.CI === undefined;

/** Seconds with one digit, as all our lines show durations. */
export function seconds(sinceMs) {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}

/**
 * Runs one step and says so: `title … result (1.2 s)`.
 * @param {() => Promise<string>} work its text is the result shown; a throw is shown as `failed` and passed on
 */
export async function step(title, work) {
  const startedMs = performance.now();
  const stopSpinner = startSpinner(title);
  try {
    const result = await work();
    stopSpinner();
    console.log(`${title}: ${result} (${seconds(startedMs)})`);
  } catch (error) {
    stopSpinner();
    console.log(`${title}: failed (${seconds(startedMs)})`);
    throw error;
  }
}

function startSpinner(title) {
  if (!onTerminal) {
    console.log(`${title} …`);
    return () => undefined;
  }
  let turn = 0;
  const startedMs = performance.now();
  const draw = () => process.stdout.write(`\r\x1b[K${frames[turn++ % frames.length]} ${title} … ${seconds(startedMs)}`);
  draw();
  const timer = setInterval(draw, 120);
  return () => {
    clearInterval(timer);
    process.stdout.write('\r\x1b[K');
  };
}

/** A failure whose message is all a person needs; scripts print it without a stack and exit 1. */
export class ScriptFailure extends Error {}

/**
 * Runs a program. With `quiet` its output is kept and given back (and shown when it fails), else it goes to the terminal.
 * @returns {Promise<{code: number, output: string}>} code 127 where the program does not exist, 128 where a signal ended it
 */
export function run(program, args, { quiet = false, environment = {}, directory } = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
      env: { ...process.env, ...environment },
      cwd: directory,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', (error) => resolve({ code: 127, output: `${program}: ${error.message}` }));
    child.on('close', (code) => resolve({ code: code ?? 128, output }));
  });
}

/** Runs a script's main function; ends the process with its exit code. */
export async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    console.error(error instanceof ScriptFailure ? error.message : error);
    process.exitCode = 1;
  }
}

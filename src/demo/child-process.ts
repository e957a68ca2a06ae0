// Child processes of the demo: short commands with their output, and long-running parts with a log file and an owner.
// Knows nothing of what it runs.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Time a short command may take before it is killed. */
const commandMsMax = 60_000;
/** Output kept of a short command, per stream; more is cut off. */
const outputBytesMax = 4 * 1024 * 1024;

export interface CommandOutcome {
  /** Exit code; 127 where the program does not exist, 124 where it ran out of time, 128 where a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Never rejects: a program that cannot be started has exit code 127. */
export function runCommand(
  program: string,
  args: readonly string[],
  options: { readonly timeoutMs?: number; readonly input?: string } = {},
): Promise<CommandOutcome> {
  return new Promise((resolve) => {
    const output = { stdout: '', stderr: '' };
    const child = spawn(program, [...args], { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: environment() });
    // A program may end without reading its input.
    child.stdin.on('error', () => undefined).end(options.input ?? '');
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      endGroup(child.pid);
    }, options.timeoutMs ?? commandMsMax);
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        if (output[stream].length < outputBytesMax) output[stream] += text;
      });
    }
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ code: 127, stdout: '', stderr: `${program}: ${error.message}` });
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: expired ? 124 : (code ?? 128), ...output });
    });
  });
}

/** With everything it started: else that would hold its output open. */
function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself meanwhile.
  }
}

/** Ours, with the directories of administration programs, which an ordinary user's PATH lacks. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/local/sbin:/usr/sbin:/sbin` };
}

export interface LongRunning {
  readonly pid: number;
  readonly logPath: string;
  /** Resolves with one line on how it ended, whoever ended it. */
  readonly exited: Promise<string>;
  running(): boolean;
  /** SIGTERM, and SIGKILL when it still runs after `graceMs`. Resolves when it is gone. Idempotent. */
  end(options: { readonly graceMs: number }): Promise<void>;
}

export interface LongRunningOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** Standard output and standard error are appended here. */
  readonly logPath: string;
  /** Added to our own environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Starts a program that runs until it is ended. It gets a process group of its own, so that Ctrl-C on our terminal
 * reaches us alone and the parts are ended in order.
 * A program that cannot be started has `pid` 0 and says why in `exited`.
 */
export function startLongRunning(options: LongRunningOptions): LongRunning {
  const log = openSync(options.logPath, 'a');
  const child = spawn(options.program, [...options.args], {
    stdio: ['ignore', log, log],
    detached: true,
    env: { ...environment(), ...options.environment },
  });
  closeSync(log);
  let alive = child.pid !== undefined;
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      alive = false;
      resolve(`cannot start ${options.program}: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      alive = false;
      resolve(signal === null ? `exit code ${code ?? 'unknown'}` : `ended by ${signal}`);
    });
  });
  return {
    pid: child.pid ?? 0,
    logPath: options.logPath,
    exited,
    running: () => alive,
    end: async ({ graceMs }) => {
      if (!alive) return;
      child.kill('SIGTERM');
      await Promise.race([exited, delay(graceMs, undefined, { ref: false })]);
      if (alive) child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Asks again and again until the answer is not undefined, the part has exited, or the time is over. */
export async function waitUntil<T>(options: {
  readonly ask: () => Promise<T | undefined>;
  readonly timeoutMs: number;
  readonly everyMs: number;
  /** Ends the wait early, such as the death of the process that is asked. */
  readonly stillPossible?: () => boolean;
}): Promise<T | undefined> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    const answer = await options.ask();
    if (answer !== undefined) return answer;
    if (performance.now() >= deadline || options.stillPossible?.() === false) return undefined;
    await delay(options.everyMs);
  }
}

/** The last lines of a log file, for a message about the part that wrote it; empty when there is none. */
export function logTail(path: string, linesMax: number): readonly string[] {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-linesMax).filter((line) => line !== '');
  } catch {
    return [];
  }
}

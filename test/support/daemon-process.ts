// mqlet as a user has it: the built program as a process of its own. `mqlet run` with its log lines, and the commands with what they print.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type CommandOutcome, runCommand } from '../../src/demo/child-process.ts';

const home = path.resolve(import.meta.dirname, '../..');
const launcher = path.join(home, 'bin', 'mqlet');
const waitMsMax = 15_000;
const lookEveryMs = 20;

/** One line of the daemon's log. */
export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface Ended {
  readonly code: number | null;
  /** From the signal to the end, in milliseconds. */
  readonly tookMs: number;
}

export interface DaemonProcess {
  readonly pid: number;
  /** Lines so far, in order; `event` names those of one kind. */
  log(event?: string): readonly LogLine[];
  /** What stands on standard error beside log lines: nothing, when all is well. */
  stray(): readonly string[];
  running(): boolean;
  /** Resident memory of the process in bytes. */
  residentBytes(): number;
  /** Resolves with the first line of this kind that fits, also an earlier one. @throws with the log when none comes in 15 s */
  logged(event: string, fits?: (line: LogLine) => boolean): Promise<LogLine>;
  /** Sends the signal and waits for the end. */
  end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<Ended>;
  /** Exit code, whoever ends it. */
  readonly exited: Promise<number | null>;
}

/** Builds where the bundles are older than the sources. Call in `beforeAll`: what runs is what was built. */
export async function buildMqlet(): Promise<void> {
  const built = await runCommand(process.execPath, [path.join(home, 'scripts', 'mqlet.mjs'), '--version']);
  if (built.code !== 0) throw new Error(`mqlet cannot be built: ${built.stdout}${built.stderr}`);
}

/** `mqlet WORDS…` to its end. */
export function mqlet(words: readonly string[], options: { readonly input?: string } = {}): Promise<CommandOutcome> {
  return runCommand(launcher, words, options);
}

/** `mqlet WORDS…` that runs until it is ended, such as `get pods -w`. */
export function mqletRunning(words: readonly string[]): { readonly output: () => string; readonly end: (signal?: 'SIGINT' | 'SIGKILL') => Promise<void> } {
  const child = spawn(launcher, [...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return { output: () => output, end: (signal = 'SIGINT') => (child.kill(signal), gone) };
}

/** `mqlet run FLAGS…`. Whoever starts it ends it. */
export function startDaemon(flags: readonly string[]): DaemonProcess {
  return new RunningDaemon(spawn(launcher, ['run', ...flags], { stdio: ['ignore', 'ignore', 'pipe'] }));
}

class RunningDaemon implements DaemonProcess {
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #lines: LogLine[] = [];
  readonly #stray: string[] = [];
  #rest = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    this.exited = new Promise((resolve) => child.once('close', (code) => resolve(code)));
  }

  get pid(): number {
    // The launcher replaces itself by Node.js, so that this is the daemon's own.
    return this.#child.pid ?? 0;
  }

  log(event?: string): readonly LogLine[] {
    return event === undefined ? this.#lines : this.#lines.filter((line) => line.event === event);
  }

  stray(): readonly string[] {
    return this.#stray;
  }

  running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  residentBytes(): number {
    const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) * 1024;
  }

  logged(event: string, fits: (line: LogLine) => boolean = () => true): Promise<LogLine> {
    const wanted = () => `the log line ${event} in\n${this.#lines.map((line) => JSON.stringify(line)).join('\n')}`;
    return until(wanted, () => this.log(event).find(fits));
  }

  async end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<Ended> {
    const fromMs = performance.now();
    this.#child.kill(signal);
    const code = await this.exited;
    return { code, tookMs: performance.now() - fromMs };
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      // Every line of the daemon has a level and an event; what is no JSON is not from its log.
      if (line.startsWith('{')) this.#lines.push(JSON.parse(line) as LogLine);
      else this.#stray.push(line);
    }
  }
}

/** Looks until there is something to see. @param what named in the error, read when it is thrown */
export async function until<T>(what: string | (() => string), look: () => T | undefined | false | Promise<T | undefined | false>, limitMs: number = waitMsMax): Promise<T> {
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > deadlineMs) throw new Error(`not within ${limitMs} ms: ${typeof what === 'string' ? what : what()}`);
    await delay(lookEveryMs);
  }
}

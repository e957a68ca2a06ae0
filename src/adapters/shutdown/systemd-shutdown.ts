// ShutdownPort over systemd's own commands: systemd-inhibit holds the lock, busctl hears logind's signal and reads its properties.
// Each runs as a child only while it is needed; all of them end when this process does, however it ends.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { access, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fail, ok, type Result, type Stoppable } from '../../ports/result.ts';
import type { ShutdownFault, ShutdownListener, ShutdownPort } from '../../ports/shutdown-port.ts';

const manager = ['org.freedesktop.login1', '/org/freedesktop/login1', 'org.freedesktop.login1.Manager'] as const;
// By the sender's name too: anybody on the bus may send a signal that looks like it.
const match = 'type=\'signal\',sender=\'org.freedesktop.login1\',interface=\'org.freedesktop.login1.Manager\',member=\'PrepareForShutdown\'';
/** A command that does not answer within this time is taken for one that never will. */
const commandMsMax = 5_000;
/** logind takes its settings in again some time after it was told to. */
const reloadMsMax = 2_000;
const reloadLookMs = 100;
/** Of one signal; what is longer is none of ours. */
const lineCharsMax = 65_536;
/** logind reads all of them in this order; later names win. */
const dropIn = '99-mqlet.conf';

/**
 * Runs a command that ends with our end of its input, so that it does not outlive a process that was killed. The part behind reads the
 * input, which a background job of a shell would have taken away from it.
 */
const boundToUs = 'exec 3<&0; { cat <&3 >/dev/null; kill $$; } >/dev/null 2>&1 & exec "$@" <&-';

export interface SystemdShutdownOptions {
  /** Beginning of all paths; empty for this machine. */
  readonly systemRoot?: string;
  /** Where commands are looked for, in place of the environment's own PATH. */
  readonly commandPath?: string;
}

type Answer<T> = Promise<Result<T, ShutdownFault>>;

class SystemdShutdown implements ShutdownPort {
  readonly #systemRoot: string;
  readonly #environment: NodeJS.ProcessEnv;

  constructor({ systemRoot = '', commandPath }: SystemdShutdownOptions) {
    this.#systemRoot = systemRoot;
    this.#environment = commandPath === undefined ? process.env : { ...process.env, PATH: commandPath };
  }

  async watch(listener: ShutdownListener): Answer<Stoppable> {
    const absent = await this.#absence();
    if (absent !== undefined) return absent;
    const child = this.#spawn(['sh', '-c', boundToUs, 'sh', 'busctl', '--system', '--json=short', 'monitor', `--match=${match}`]);
    const heard = await firstOutput(child, 'stderr', 'busctl monitor');
    if (!heard.ok) return heard;
    let stopped = false;
    eachLine(child, (line) => {
      const goesDown = preparation(line);
      if (goesDown !== undefined && !stopped) listener.preparing(goesDown);
    });
    child.once('exit', (code) => {
      child.stdin?.end();
      if (!stopped) listener.lost({ kind: 'failed', message: `busctl monitor ended with ${code ?? 'a signal'}` });
    });
    return ok({
      stop: async () => {
        stopped = true;
        await endOf(child);
      },
    });
  }

  async delay(): Answer<Stoppable> {
    const absent = await this.#absence();
    if (absent !== undefined) return absent;
    const child = this.#spawn(['systemd-inhibit', '--what=shutdown', '--mode=delay', '--who=mqlet', '--why=Pods end in order', 'sh', '-c', 'echo held; exec cat']);
    const held = await firstOutput(child, 'stdout', 'systemd-inhibit');
    return held.ok ? ok({ stop: () => endOf(child) }) : held;
  }

  async delayMsMax({ wantedMs }: { readonly wantedMs: number }): Answer<number> {
    const absent = await this.#absence();
    if (absent !== undefined) return absent;
    const granted = await this.#readDelay();
    if (!granted.ok || granted.value >= wantedMs) return granted;
    const asked = await this.#askForDelay(wantedMs);
    return asked.ok ? this.#delayOnceReloaded(wantedMs) : asked;
  }

  async isGoingDown(): Promise<boolean> {
    if (await this.#absence() !== undefined) return false;
    // Either may not answer any more while everything is being stopped.
    const [preparing, running] = await Promise.all([this.#property('PreparingForShutdown'), this.#run(['systemctl', 'is-system-running'])]);
    return (preparing.ok && preparing.value === 'b true') || (running.ok && running.value === 'stopping');
  }

  /** As sd_booted(3) has it. */
  async #absence(): Promise<Result<never, ShutdownFault> | undefined> {
    const directory = `${this.#systemRoot}/run/systemd/system`;
    return access(directory).then(() => undefined, () => fail({ kind: 'absent', message: `systemd does not run here: there is no ${directory}` }));
  }

  async #readDelay(): Answer<number> {
    const answer = await this.#property('InhibitDelayMaxUSec');
    if (!answer.ok) return answer;
    const microseconds = /^t (\d+)$/.exec(answer.value)?.[1];
    return microseconds === undefined ? fail({ kind: 'failed', message: `logind gives an unreadable InhibitDelayMaxUSec: ${answer.value}` }) : ok(Number(microseconds) / 1_000);
  }

  async #askForDelay(wantedMs: number): Answer<void> {
    const directory = `${this.#systemRoot}/etc/systemd/logind.conf.d`;
    try {
      await mkdir(directory, { recursive: true });
      await writeFile(path.join(directory, dropIn), `# Pods have this long to end when the machine goes down.\n[Login]\nInhibitDelayMaxSec=${Math.ceil(wantedMs / 1_000)}\n`);
    } catch (error) {
      return fail({ kind: 'failed', message: `logind cannot be asked to wait longer: ${String(error)}` });
    }
    const reloaded = await this.#run(['systemctl', 'kill', '--signal=HUP', 'systemd-logind.service']);
    return reloaded.ok ? ok() : reloaded;
  }

  async #delayOnceReloaded(wantedMs: number): Answer<number> {
    for (let waitedMs = 0; ; waitedMs += reloadLookMs) {
      const granted = await this.#readDelay();
      if (!granted.ok || granted.value >= wantedMs || waitedMs >= reloadMsMax) return granted;
      await new Promise((resolve) => setTimeout(resolve, reloadLookMs));
    }
  }

  #property(name: string): Answer<string> {
    return this.#run(['busctl', '--system', 'get-property', ...manager, name]);
  }

  /** @returns what it printed, trimmed, however it ended; a fault when it could not be run */
  #run([command = '', ...rest]: readonly string[]): Answer<string> {
    return new Promise((resolve) => {
      execFile(command, rest, { env: this.#environment, timeout: commandMsMax }, (error, stdout, stderr) => {
        const printed = stdout.trim();
        // is-system-running answers with its exit code too.
        if (error === null || printed !== '') resolve(ok(printed));
        else resolve(fail({ kind: 'failed', message: `${command}: ${stderr.trim() || error.message}` }));
      });
    });
  }

  #spawn([command = '', ...rest]: readonly string[]): ChildProcess {
    return spawn(command, rest, { env: this.#environment, stdio: ['pipe', 'pipe', 'pipe'] });
  }
}

export function systemdShutdown(options: SystemdShutdownOptions = {}): ShutdownPort {
  return new SystemdShutdown(options);
}

/** Resolves when the child says its first word there: then it does what it is for. */
function firstOutput(child: ChildProcess, stream: 'stdout' | 'stderr', name: string): Answer<void> {
  return new Promise((resolve) => {
    let told = '';
    const settle = (result: Result<void, ShutdownFault>) => {
      clearTimeout(timer);
      child.removeAllListeners('exit');
      resolve(result);
    };
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      settle(fail({ kind: 'failed', message: `${name}: no answer within ${commandMsMax} ms` }));
    }, commandMsMax);
    child.stderr?.on('data', (chunk: Buffer) => { told = `${told}${chunk.toString()}`.slice(-lineCharsMax); });
    child[stream]?.once('data', () => settle(ok()));
    child.once('error', (error) => settle(fail({ kind: 'failed', message: `${name}: ${error.message}` })));
    child.once('exit', (code) => settle(fail({ kind: 'failed', message: `${name} ended with ${code ?? 'a signal'}${told === '' ? '' : `: ${told.trim()}`}` })));
    // Writing to a child that has ended is no mistake of ours.
    child.stdin?.on('error', () => undefined);
  });
}

function eachLine(child: ChildProcess, take: (line: string) => void): void {
  let rest = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const lines = `${rest}${chunk.toString()}`.split('\n');
    rest = (lines.pop() ?? '').slice(-lineCharsMax);
    for (const line of lines) take(line);
  });
}

/** @returns what the signal says; undefined for any other line */
function preparation(line: string): boolean | undefined {
  if (!line.includes('"PrepareForShutdown"')) return undefined;
  const said = /"payload":\{"type":"b","data":\[(true|false)\]\}/.exec(line)?.[1];
  return said === undefined ? undefined : said === 'true';
}

/** The child ends with its input; one that does not is killed. */
function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const timer = setTimeout(() => child.kill('SIGKILL'), commandMsMax);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.stdin?.end();
  });
}

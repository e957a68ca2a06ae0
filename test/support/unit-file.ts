// The service as systemd would start it, without systemd: its ExecStart line under its own limits of privilege.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { until } from './daemon-process.ts';

export interface UnitProcess {
  readonly pid: number;
  /** What it wrote on standard error so far. */
  output(): string;
  /** SIGTERM, and the exit code. */
  end(): Promise<number | null>;
}

/** Every value of a setting, in order. */
export function unitValues(unit: string, name: string): readonly string[] {
  return unit.split('\n').filter((line) => line.startsWith(`${name}=`)).map((line) => line.slice(name.length + 1));
}

/** prctl(2), PR_SET_MDWE of Linux 6.3, by its numbers on x86-64: memory that was written is never run. Elsewhere it does nothing. */
const denyWriteExecute = ['perl', '-e', 'syscall(157, 65, 1, 0, 0, 0); exec @ARGV or die $!', '--'];

/** Starts the unit's command with the capabilities, the promise of no new privileges and the memory that it names. */
export function startUnit(unitFile: string, environment: Readonly<Record<string, string>>): UnitProcess {
  const unit = readFileSync(unitFile, 'utf8');
  const [command = ''] = unitValues(unit, 'ExecStart');
  const capabilities = (unitValues(unit, 'CapabilityBoundingSet')[0] ?? '').split(' ').map((name) => `+${name.replace('CAP_', '').toLowerCase()}`);
  const words = command.replace('$MQLET_FLAGS', '').trim().split(/\s+/);
  const denied = unitValues(unit, 'MemoryDenyWriteExecute')[0] === 'yes' && process.arch === 'x64' ? denyWriteExecute : [];
  const [program = '', ...args] = [...denied, 'setpriv', `--bounding-set=-all,${capabilities.join(',')}`, '--no-new-privs', '--', ...words];
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...environment },
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    pid: child.pid ?? 0,
    output: () => output,
    end: async () => {
      child.kill('SIGTERM');
      await until(() => `the daemon ends: ${output.slice(-2_000)}`, () => hasEnded(child));
      return exited;
    },
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

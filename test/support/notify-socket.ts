// A service manager's socket, as sd_notify(3) has it: read by perl, since Node.js has no sockets of that kind.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from './daemon-process.ts';

const receiver = `
  use Socket; $| = 1;
  socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die $!;
  bind($socket, sockaddr_un($ARGV[0])) or die $!;
  print "listening\\n";
  while (defined(recv($socket, my $words, 4096, 0))) { $words =~ s/\\n/\\t/g; print "$words\\n"; }
`;

export interface NotifySocket {
  /** For NOTIFY_SOCKET. */
  readonly path: string;
  /** What has come, one record for each message: `{READY: '1', STATUS: '…'}`. */
  told(): readonly Readonly<Record<string, string>>[];
  /** Nobody listens any more. */
  close(): Promise<void>;
  stop(): Promise<void>;
}

/** Why none can be had here; undefined when one can. */
export function notifyProblem(): string | undefined {
  const missing = ['systemd-notify', 'perl'].find((program) => !isThere(program));
  return missing === undefined ? undefined : `${missing} is not installed`;
}

export async function listenForNotify(): Promise<NotifySocket> {
  const directory = await mkdtemp(path.join(tmpdir(), 'mqlet-notify-'));
  const socket = path.join(directory, 'notify');
  const child = spawn('perl', ['-e', receiver, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => lines.push(...text.split('\n').filter((line) => line !== '')));
  await until('the socket is there', () => lines[0] === 'listening');
  const close = () => gone(child);
  return {
    path: socket,
    // The tool waits until it is read: that is no word.
    told: () => lines.slice(1).filter((line) => !line.startsWith('BARRIER=')).map(recordOf),
    close,
    stop: async () => {
      await close();
      await rm(directory, { recursive: true });
    },
  };
}

function isThere(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function gone(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill();
  });
}

function recordOf(line: string): Readonly<Record<string, string>> {
  return Object.fromEntries(line.split('\t').filter((one) => one !== '').map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]));
}

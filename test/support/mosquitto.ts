// A mosquitto of one test file: a child process on loopback with its own folder, ended and removed by `stop`.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface TestBroker {
  readonly port: number;
  readonly directory: string;
  /** It reads its configuration and lists again. */
  reload(): void;
  stop(): Promise<void>;
}

/** True when a mosquitto can be started here. */
export function hasMosquitto(): boolean {
  try {
    execFileSync('mosquitto', ['-h'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    // It prints its help and exits with a status of its own.
    return error instanceof Error && 'status' in error && typeof error.status === 'number';
  }
}

/**
 * @param lines configuration beside the listener; `directory` is the broker's folder
 * @param prepare puts files into the broker's folder before it starts
 * @param wantedPort for a broker that comes back where another one was
 */
export async function startMosquitto(
  lines: (directory: string) => readonly string[],
  prepare?: (directory: string) => void,
  wantedPort?: number,
): Promise<TestBroker> {
  const directory = mkdtempSync(path.join(tmpdir(), 'mqlet-mosquitto-'));
  prepare?.(directory);
  const port = wantedPort ?? (await freePort());
  const config = path.join(directory, 'mosquitto.conf');
  // As root it would otherwise change to a user who cannot read the folder.
  writeFileSync(config, ['user root', `listener ${port} 127.0.0.1`, 'set_tcp_nodelay true', ...lines(directory), ''].join('\n'));
  const child = spawn('mosquitto', ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await untilListening(port, child, () => output);
  return {
    port,
    directory,
    reload: () => void child.kill('SIGHUP'),
    stop: async () => {
      if (child.exitCode === null) {
        const exited = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        await exited;
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

async function untilListening(port: number, child: ChildProcess, output: () => string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`mosquitto ended: ${output()}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = net.connect({ host: '127.0.0.1', port }, () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`mosquitto does not listen: ${output()}`);
}

/** A CA, a server certificate for `localhost` and 127.0.0.1, and a client certificate, as PEM files in `directory`. */
export function makeCertificates(directory: string): void {
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', [...args], { cwd: directory, stdio: 'ignore' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=test CA', '-keyout', 'ca.key', '-out', 'ca.pem');
  openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=another CA', '-keyout', 'other.key', '-out', 'other.pem');
  writeFileSync(path.join(directory, 'server.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  writeFileSync(path.join(directory, 'client.ext'), 'extendedKeyUsage=clientAuth\n');
  for (const name of ['server', 'client']) {
    openssl('req', ...key, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.pem`);
  }
}

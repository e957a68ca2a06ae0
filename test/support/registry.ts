// A real image registry on loopback that lets nobody in without a password: Debian's docker-registry, in plain HTTP.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import type { ContainerdFixture } from './containerd.ts';

const program = '/usr/bin/docker-registry';
export const registryUser = 'puller';
export const registryPassword = 'pull-word';
/** bcrypt of the password, of the lowest cost. */
const passwordHash = '$2b$04$9bdhQvpy4v1kXHWfzIdXeuYAp.Q1VRhXUujThBRHg0pf8a0V5NM1u';

export interface Registry {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** Puts an image that the fixture's containerd has into the registry, under that path, and takes the new name from containerd again. */
  push(image: string, repository: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Why there can be none; undefined when there can.
 * @throws in CI, where nothing that matters may skip
 */
export function registryProblem(): string | undefined {
  if (existsSync(program)) return undefined;
  if (process.env['CI'] !== undefined) throw new Error('docker-registry is needed in CI');
  return 'docker-registry is not installed';
}

export async function startRegistry({ containerd, directory }: ContainerdFixture): Promise<Registry> {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const home = path.join(directory, 'registry');
  await mkdir(home, { recursive: true });
  await writeFile(path.join(home, 'users'), `${registryUser}:${passwordHash}\n`, { mode: 0o600 });
  const configuration = { version: 0.1, log: { level: 'error' }, storage: { filesystem: { rootdirectory: path.join(home, 'data') } }, http: { addr: address }, auth: { htpasswd: { realm: 'test', path: path.join(home, 'users') } } };
  // JSON is YAML.
  await writeFile(path.join(home, 'config.yml'), JSON.stringify(configuration));
  const child = spawn(program, ['serve', path.join(home, 'config.yml')], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await listening(port);
  const ctr = (...words: string[]) => promisify(execFile)('ctr', ['-a', containerd.endpoint.replace('unix://', ''), '-n', 'k8s.io', 'images', ...words]);
  return {
    address,
    push: async (image, repository) => {
      const name = `${address}/${repository}`;
      await ctr('tag', '--force', image, name);
      await ctr('push', '--plain-http', '--user', `${registryUser}:${registryPassword}`, name);
      await ctr('rm', '--sync', name);
    },
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

async function listening(port: number): Promise<void> {
  for (let round = 0; round < 200; round += 1) {
    const answered = await new Promise<boolean>((resolve) => {
      const socket = net.connect({ host: '127.0.0.1', port }, () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the registry does not listen');
}

// An MQTT broker of our own on loopback: mosquitto as a child process, or aedes inside this process where there is no mosquitto.
// For the demo, the benchmarks and the tests; nobody but this machine can reach it.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import type { LogPort } from '../ports/log-port.ts';
import { fail, ok, type Result, type Stoppable } from '../ports/result.ts';
import { logTail, startLongRunning, waitUntil, type LongRunning } from './child-process.ts';
import type { PartFault } from './part-fault.ts';

export interface Broker extends Stoppable {
  readonly program: 'mosquitto' | 'aedes';
  readonly host: string;
  readonly port: number;
  /** `mqtt://127.0.0.1:<port>` */
  readonly url: string;
  /** The newest protocol it speaks. */
  readonly protocol: 'MQTT 5' | 'MQTT 3.1.1';
  /** Only mosquitto has one. */
  readonly logPath?: string;
  /** Pid of the child; only mosquitto has one. */
  readonly pid?: number;
}

const host = '127.0.0.1';
const readyMsMax = 10_000;
const endGraceMs = 3_000;
/** Another program may take the free port between our look and mosquitto's start. */
const portsTriedMax = 5;
const tailLines = 10;

/**
 * Starts a broker that anybody on this machine may use, on a free port.
 * @param options.directory for mosquitto's configuration and log; made when missing
 */
export async function startBroker(options: { readonly directory: string; readonly log: LogPort }): Promise<Result<Broker, PartFault>> {
  const mosquitto = await startMosquitto(options);
  if (mosquitto.ok) return mosquitto;
  if (mosquitto.fault !== 'not installed') return fail(mosquitto.fault);
  options.log.warn('broker.without-mosquitto', { instead: 'aedes', protocol: 'MQTT 3.1.1' });
  return startAedes(options.log);
}

async function startMosquitto(options: {
  readonly directory: string;
  readonly log: LogPort;
}): Promise<Result<Broker, PartFault | 'not installed'>> {
  await mkdir(options.directory, { recursive: true });
  const configFile = path.join(options.directory, 'mosquitto.conf');
  const logPath = path.join(options.directory, 'mosquitto.log');
  let ended = '';
  for (let tried = 0; tried < portsTriedMax; tried += 1) {
    const port = await freePort();
    await writeFile(configFile, mosquittoConfig(port));
    const child = startLongRunning({ program: 'mosquitto', args: ['-c', configFile], logPath });
    if (child.pid === 0) return fail('not installed');
    const ready = await waitUntil({
      timeoutMs: readyMsMax, everyMs: 10, stillPossible: child.running,
      ask: async () => (await accepts(port) ? true : undefined),
    });
    if (ready === true && child.running()) {
      options.log.info('broker.started', { program: 'mosquitto', port, pid: child.pid });
      return ok(mosquittoHandle({ child, port, configFile, log: options.log }));
    }
    ended = child.running() ? `no connection after ${readyMsMax / 1000} s` : await child.exited;
    await child.end({ graceMs: endGraceMs });
  }
  return fail({ part: 'broker', message: `mosquitto does not start: ${ended}`, tail: logTail(logPath, tailLines) });
}

function mosquittoConfig(port: number): string {
  return [
    `listener ${port} ${host}`,
    'allow_anonymous true',
    'persistence false',
    // Without it Nagle's algorithm may hold small packets back for 40 ms.
    'set_tcp_nodelay true',
    // A burst of pods must not lose packets at the default of 1,000 queued ones.
    'max_queued_messages 100000',
    'log_dest stderr',
    'log_timestamp_format %Y-%m-%dT%H:%M:%S',
    'connection_messages true',
    '',
  ].join('\n');
}

function mosquittoHandle(parts: {
  readonly child: LongRunning;
  readonly port: number;
  readonly configFile: string;
  readonly log: LogPort;
}): Broker {
  const { child, port, configFile, log } = parts;
  return {
    program: 'mosquitto', host, port, url: `mqtt://${host}:${port}`, protocol: 'MQTT 5', logPath: child.logPath, pid: child.pid,
    stop: async () => {
      await child.end({ graceMs: endGraceMs });
      await rm(configFile, { force: true });
      log.info('broker.stopped', { program: 'mosquitto' });
    },
  };
}

async function startAedes(log: LogPort): Promise<Result<Broker, PartFault>> {
  const { Aedes } = await import('aedes');
  const aedes = await Aedes.createBroker();
  const server = net.createServer({ noDelay: true }, aedes.handle);
  const port = await new Promise<number>((resolve) => server.listen(0, host, () => resolve(portOf(server))));
  log.info('broker.started', { program: 'aedes', port });
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    await new Promise<void>((resolve) => server.close(() => resolve()));
    log.info('broker.stopped', { program: 'aedes' });
  };
  return ok({
    program: 'aedes', host, port, url: `mqtt://${host}:${port}`, protocol: 'MQTT 3.1.1', stop: () => (stopping ??= stop()),
  });
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, host, () => {
      const port = portOf(server);
      server.close(() => resolve(port));
    });
  });
}

function portOf(server: net.Server): number {
  // A listening TCP server's address is always this record, never a path or null.
  return (server.address() as net.AddressInfo).port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

// systemd-notify against the contract, and what of the environment counts.
import { describe, expect, it } from 'vitest';
import { SimService } from '../../src/adapters/sim/sim-service.ts';
import { systemdService } from '../../src/adapters/systemd-service.ts';
import type { ServicePort, ServiceWords } from '../../src/ports/service-port.ts';
import { serviceContract } from '../ports/service-contract.ts';
import { listenForNotify, notifyProblem } from '../support/notify-socket.ts';

const microsPerMs = 1_000;

serviceContract('the twin', async () => {
  const port = new SimService({ watchdogMs: 90_000 });
  return {
    port, unwatched: new SimService(),
    heard: async () => port.told,
    leave: async () => { port.hears = false; },
    stop: async () => undefined,
  };
});

const problem = notifyProblem();
if (problem === undefined) serviceContract('systemd', systemdWorld);

describe('systemd and this process', () => {
  it.skipIf(problem !== undefined)(`given the tool, when the contract is asked for, then it was run${problem === undefined ? '' : ` (${problem})`}`, () => undefined);

  it.each([
    ['no socket', {}, undefined],
    ['an empty one', { NOTIFY_SOCKET: '' }, undefined],
    ['a watchdog of another process', { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '1000000', WATCHDOG_PID: '1' }, { watchdogMs: undefined }],
    ['a watchdog of this one', { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '1000000', WATCHDOG_PID: String(process.pid) }, { watchdogMs: 1_000 }],
    ['a watchdog without a time', { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: 'soon' }, { watchdogMs: undefined }],
  ])('given %s, when the environment is read, then that is what is known', (_what, environment, expected) => {
    const service: ServicePort | undefined = systemdService(environment);
    expect(service && { watchdogMs: service.watchdogMs }).toEqual(expected);
  });
});

async function systemdWorld() {
  const socket = await listenForNotify();
  const environment = { PATH: process.env['PATH'], NOTIFY_SOCKET: socket.path };
  const heard = () => socket.told().map(wordsOf);
  return {
    port: serviceOf({ ...environment, WATCHDOG_USEC: '90000000' }),
    unwatched: serviceOf(environment),
    heard: async (count: number) => {
      await expect.poll(() => heard().length, { timeout: 5_000 }).toBe(count);
      return heard();
    },
    leave: () => socket.close(),
    stop: () => socket.stop(),
  };
}

function serviceOf(environment: NodeJS.ProcessEnv): ServicePort {
  const service = systemdService(environment);
  if (service === undefined) throw new Error('a socket is named');
  return service;
}

function wordsOf({ READY, STOPPING, WATCHDOG, EXTEND_TIMEOUT_USEC: extend, STATUS: status }: Readonly<Record<string, string>>): ServiceWords {
  return {
    ...(READY === '1' ? { ready: true } : {}),
    ...(STOPPING === '1' ? { stopping: true } : {}),
    ...(WATCHDOG === '1' ? { alive: true } : {}),
    ...(extend === undefined ? {} : { extendMs: Number(extend) / microsPerMs }),
    ...(status === undefined ? {} : { status }),
  };
}

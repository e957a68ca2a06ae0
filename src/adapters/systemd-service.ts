// ServicePort over systemd-notify(1): Node.js has no datagram sockets of the local kind, and where systemd runs its tool is there.
// One short-lived child for each word; nothing runs in between.
import { execFile } from 'node:child_process';
import { fail, ok, type Result } from '../ports/result.ts';
import type { ServiceFault, ServicePort, ServiceWords } from '../ports/service-port.ts';

/** A tool that does not answer within this time is taken for one that never will. */
const tellMsMax = 10_000;
const microsPerMs = 1_000;
/** Of the line for people. */
const statusCharsMax = 500;

type Environment = Readonly<Record<string, string | undefined>>;

class SystemdService implements ServicePort {
  readonly watchdogMs: number | undefined;
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.watchdogMs = watchdogOf(environment);
  }

  tell(words: ServiceWords): Promise<Result<void, ServiceFault>> {
    return new Promise((resolve) => {
      execFile('systemd-notify', variables(words), { env: { ...this.#environment }, timeout: tellMsMax }, (error, _stdout, stderr) => {
        resolve(error === null ? ok() : fail({ kind: 'failed', message: `systemd-notify: ${stderr.trim() || error.message}` }));
      });
    });
  }
}

/** @returns undefined where no service manager wants to be told: sd_notify(3) */
export function systemdService(environment: Environment = process.env): ServicePort | undefined {
  return environment['NOTIFY_SOCKET'] === undefined || environment['NOTIFY_SOCKET'] === '' ? undefined : new SystemdService(environment);
}

/** sd_watchdog_enabled(3): set for another process, it is none of ours. */
function watchdogOf({ WATCHDOG_USEC: period, WATCHDOG_PID: pid }: Environment): number | undefined {
  if (period === undefined || !/^[1-9]\d{0,15}$/.test(period)) return undefined;
  return pid === undefined || pid === String(process.pid) ? Number(period) / microsPerMs : undefined;
}

function variables({ ready, stopping, alive, extendMs, status }: ServiceWords): string[] {
  return [
    ...(ready === undefined ? [] : ['READY=1']),
    ...(stopping === undefined ? [] : ['STOPPING=1']),
    ...(alive === undefined ? [] : ['WATCHDOG=1']),
    ...(extendMs === undefined ? [] : [`EXTEND_TIMEOUT_USEC=${Math.round(extendMs * microsPerMs)}`]),
    // One variable is one line.
    ...(status === undefined ? [] : [`STATUS=${status.replace(/\s+/g, ' ').slice(0, statusCharsMax)}`]),
  ];
}

// Watches the certificate that the node shows the broker: tells how long it is good, and asks for a new connection when the files
// were renewed. It reads no key and opens no connection.
import type { BusPort, Listening } from '../bus/bus.ts';
import { type CertificateHealth, certificateHealth } from '../machines/decide/certificate-health.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { CertificateFacts, CredentialsPort, CredentialsState } from '../ports/credentials-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { RandomPort } from '../ports/random-port.ts';
import type { Stoppable } from '../ports/result.ts';

export interface CertificateDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  readonly credentials: CredentialsPort;
}

/** Several files are one renewal: they are read when nothing has changed for so long. */
export const settleMs = 1_000;
/** A fleet that is renewed at once does not reconnect at once. */
export const renewJitterMsMax = 5_000;
/** The clock may be set at any time, and a watch may miss a change: the files are looked at at least so often. */
export const lookAgainMs = 6 * 3_600_000;

/** Publishes `mqtt.certificate` when anything about it changed, and `mqtt.renew` when the connection is of older files. */
export function startCertificateActor(deps: CertificateDeps): Stoppable {
  return new CertificateActor(deps);
}

class CertificateActor implements Stoppable {
  readonly #deps: CertificateDeps;
  readonly #watch: Stoppable;
  readonly #listening: Listening;
  #settleTimer: unknown;
  #lookTimer: unknown;
  #renewTimer: unknown;
  #stopped = false;
  #newest: CredentialsState | undefined;
  #toldCertificate: CertificateFacts | undefined;
  #toldReason = '';
  #toldFault = '';

  constructor(deps: CertificateDeps) {
    this.#deps = deps;
    const { bus, clock, credentials } = deps;
    this.#watch = credentials.watch(() => {
      clock.clearTimeout(this.#settleTimer);
      if (!this.#stopped) this.#settleTimer = clock.setTimeout(() => void this.#look(), settleMs);
    });
    this.#listening = bus.on('mqtt.link', ({ payload }) => {
      // The connection was made with the files as they were; they may be others by now.
      if (payload.state === 'up') void this.#look();
    });
    void this.#look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#listening.off();
    for (const timer of [this.#settleTimer, this.#lookTimer, this.#renewTimer]) this.#deps.clock.clearTimeout(timer);
    await this.#watch.stop();
  }

  async #look(): Promise<void> {
    const { clock, credentials, log } = this.#deps;
    const read = await credentials.reload();
    if (this.#stopped) return;
    if (read.ok) {
      if (this.#newest !== undefined && this.#newest.version !== read.value.version) log.info('mqtt.credentials.renewed', { subject: read.value.certificate?.subject });
      this.#newest = read.value;
      this.#toldFault = '';
    } else if (read.fault.message !== this.#toldFault) {
      this.#toldFault = read.fault.message;
      log.warn('mqtt.credentials.unusable', { message: read.fault.message });
      this.#note('Warning', 'MqttCredentialsUnusable', `${read.fault.message}; those read before stay in use`);
    }
    const changesAtMs = this.#tellHealth();
    this.#renewIfOlder();
    clock.clearTimeout(this.#lookTimer);
    this.#lookTimer = clock.setTimeout(() => void this.#look(), Math.min(lookAgainMs, Math.max(settleMs, changesAtMs - clock.nowMs())));
  }

  /** @returns when it changes by itself */
  #tellHealth(): number {
    const { bus, clock, log } = this.#deps;
    const certificate = this.#newest?.certificate;
    if (certificate === undefined) return Number.POSITIVE_INFINITY;
    const health = certificateHealth(certificate, clock.nowMs());
    if (health.reason === this.#toldReason && sameCertificate(certificate, this.#toldCertificate)) return health.changesAtMs;
    const wasWell = this.#toldReason === '' || this.#toldReason === 'CertificateValid';
    this.#toldReason = health.reason;
    this.#toldCertificate = certificate;
    const { status, reason, message } = health;
    bus.publish('mqtt.certificate', { certificate, status, reason, message });
    if (health.status === 'True') {
      log.warn('mqtt.certificate', { reason: health.reason, message: health.message });
      this.#note('Warning', eventReason(health), health.message);
    } else if (!wasWell) this.#note('Normal', eventReason(health), health.message);
    return health.changesAtMs;
  }

  #renewIfOlder(): void {
    const { bus, clock, random, credentials } = this.#deps;
    const inUse = credentials.inUse();
    const older = inUse !== undefined && this.#newest !== undefined && inUse.version !== this.#newest.version;
    if (!older || this.#renewTimer !== undefined) return;
    this.#renewTimer = clock.setTimeout(() => {
      this.#renewTimer = undefined;
      // Another connect may have taken them up meanwhile.
      if (credentials.inUse()?.version !== this.#newest?.version) bus.publish('mqtt.renew', { reason: 'the files of the certificate were renewed' });
    }, random.fraction() * renewJitterMsMax);
  }

  #note(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#deps.bus.publish('event.noted', { subject: { kind: 'Node' }, type, reason, message });
  }
}

function eventReason({ reason }: CertificateHealth): string {
  return `Mqtt${reason}`;
}

function sameCertificate(a: CertificateFacts, b: CertificateFacts | undefined): boolean {
  return a.subject === b?.subject && a.notBeforeMs === b.notBeforeMs && a.notAfterMs === b.notAfterMs;
}

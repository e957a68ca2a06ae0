// Gets the node's next certificate before the one it shows runs out. It holds no key and writes no file: its port does, and whoever watches
// the files takes up what changed.
import type { BusPort, Listening } from '../bus/bus.ts';
import { renewalTimeMs } from '../machines/decide/renewal-time.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { CredentialsPort } from '../ports/credentials-port.ts';
import type { IdentityPort } from '../ports/identity-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Stoppable } from '../ports/result.ts';
import { rfc3339Seconds } from '../ports/rfc3339.ts';

export interface IdentityRenewerDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly log: LogPort;
  readonly credentials: CredentialsPort;
  readonly identity: IdentityPort;
}

/** The clock may be set at any time: it is asked at least so often. */
export const lookAgainMs = 6 * 3_600_000;
/** After a failure: between a half and the whole of it. A third of any certificate's life is many of them. */
export const tryAgainMs = 3_600_000;

export function startIdentityRenewer(deps: IdentityRenewerDeps): Stoppable {
  return new IdentityRenewer(deps);
}

class IdentityRenewer implements Stoppable {
  readonly #deps: IdentityRenewerDeps;
  readonly #listening: Listening;
  #timer: unknown;
  /** Where the agent's own connection is not let in, another is not either. */
  #linkIsUp = false;
  #busy = false;
  #stopped = false;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #toldFault = '';

  constructor(deps: IdentityRenewerDeps) {
    this.#deps = deps;
    this.#listening = deps.bus.on('mqtt.link', ({ payload }) => {
      this.#linkIsUp = payload.state === 'up';
      if (this.#linkIsUp) void this.#look();
    });
    void this.#look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#listening.off();
    this.#deps.clock.clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#busy || this.#stopped) return;
    this.#busy = true;
    const waitMs = await this.#renewIfDue();
    this.#busy = false;
    const { clock } = this.#deps;
    clock.clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = clock.setTimeout(() => void this.#look(), waitMs);
  }

  /** @returns when to look again */
  async #renewIfDue(): Promise<number> {
    const { clock, credentials, identity } = this.#deps;
    const read = await credentials.reload();
    // Files that cannot be used are told by who watches them.
    const certificate = read.ok ? read.value.certificate : undefined;
    if (certificate === undefined || this.#stopped) return lookAgainMs;
    const dueInMs = renewalTimeMs(certificate, identity.spread) - clock.nowMs();
    if (dueInMs > 0) return Math.min(lookAgainMs, dueInMs);
    if (!this.#linkIsUp) return lookAgainMs;
    const pauseMs = this.#notBeforeMs - clock.monotonicMs();
    if (pauseMs > 0) return pauseMs;
    const renewed = await identity.renew();
    if (this.#stopped) return lookAgainMs;
    if (!renewed.ok) {
      const againMs = tryAgainMs * (1 + identity.spread) / 2;
      this.#notBeforeMs = clock.monotonicMs() + againMs;
      this.#tellFault(renewed.fault.message, rfc3339Seconds(certificate.notAfterMs));
      return againMs;
    }
    this.#toldFault = '';
    this.#tell('Normal', 'MqttCertificateRenewed', `the node's certificate for the broker was renewed and is good until ${rfc3339Seconds(renewed.value.notAfterMs)}`);
    return lookAgainMs;
  }

  #tellFault(message: string, until: string): void {
    // The same again is no news.
    if (message === this.#toldFault) return;
    this.#toldFault = message;
    this.#tell('Warning', 'MqttCertificateRenewalFailed', `the node's certificate for the broker, good until ${until}, cannot be renewed: ${message}; tried again within an hour`);
  }

  #tell(type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { bus, log } = this.#deps;
    log[type === 'Normal' ? 'info' : 'warn']('mqtt.renewal', { reason, message });
    bus.publish('event.noted', { subject: { kind: 'Node' }, type, reason, message });
  }
}

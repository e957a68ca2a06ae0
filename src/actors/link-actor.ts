// Keeps the MQTT link up for as long as it runs and tells the bus what it is and what comes in. It decodes nothing and keeps no
// packets: who publishes waits for the result and decides himself.
import { createActor, fromPromise, type SnapshotFrom } from 'xstate';
import type { BusPort } from '../bus/bus.ts';
import { linkMachine, type LinkOpening } from '../machines/link-machine.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { MqttFault } from '../ports/faults.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { MachineWatch } from '../ports/machine-watch.ts';
import type { MqttOpening, MqttPacket, MqttPort, MqttSession } from '../ports/mqtt-port.ts';
import type { RandomPort } from '../ports/random-port.ts';
import type { Result, Stoppable } from '../ports/result.ts';
import { stepsOf } from './watch-machine.ts';

export interface MqttLink extends Stoppable {
  /** As MqttPort.publish: with QoS 1 resolves at PUBACK; `not-connected` at once while the link is not up. */
  publish(packet: MqttPacket): Promise<Result<void, MqttFault>>;
}

export interface LinkDeps {
  readonly bus: BusPort;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly log: LogPort;
  readonly mqtt: MqttPort;
  /** Topic filters, QoS 1, subscribed to after every connect. The link is up when all are granted. */
  readonly subscriptions: readonly string[];
  /** Will and session, asked for before every attempt; absent: neither. */
  readonly opening?: () => MqttOpening;
  /** Absent: nobody watches the machine. */
  readonly watch?: MachineWatch | undefined;
}

/** Begins to connect at once; publishes `mqtt.link`, `mqtt.received` and, when the broker says no, `mqtt.refused`. */
export function startLinkActor(deps: LinkDeps): MqttLink {
  const { bus, clock, random, log, mqtt, watch } = deps;
  /** As published; none since the link was up. */
  let session: MqttSession | undefined;
  let lastRefusal: Refusal | undefined;
  /** The message of the newest refusal, published or a repetition. */
  let refusedWith = '';

  const refused = (fault: MqttFault, what: string): void => {
    if (fault.kind !== 'refused' && fault.kind !== 'untrusted') return;
    refusedWith = fault.message;
    if (lastRefusal !== undefined && isRepetition({ fault, what }, lastRefusal)) return;
    lastRefusal = { fault, what };
    bus.publish('mqtt.refused', lastRefusal);
  };

  const open = async (): Promise<LinkOpening> => {
    // A renewal leaves the old connection with a goodbye: its will must not be published.
    if (session !== undefined) await mqtt.disconnect();
    session = undefined;
    const connected = await mqtt.connect({
      message: ({ topic, payload, properties }) => void bus.publish('mqtt.received', { topic, payload, ...(properties === undefined ? {} : { properties }) }),
      closed: (fault) => {
        refused(fault, 'connection');
        actor.send({ type: 'link.closed', reason: fault.message, jitter: random.fraction() });
      },
    }, deps.opening?.());
    if (!connected.ok) {
      refused(connected.fault, 'connect');
      return { opened: false, reason: connected.fault.message, jitter: random.fraction() };
    }
    for (const filter of deps.subscriptions) {
      const granted = await mqtt.subscribe(filter, 1);
      if (granted.ok) continue;
      refused(granted.fault, `subscribe ${filter}`);
      await mqtt.disconnect();
      return { opened: false, reason: granted.fault.message, jitter: random.fraction() };
    }
    lastRefusal = undefined;
    session = connected.value;
    return { opened: true };
  };

  const actor = createActor(linkMachine.provide({ actors: { openLink: fromPromise<LinkOpening, undefined>(open) } }), {
    ...(watch === undefined ? {} : { inspect: stepsOf({ watch, machine: 'link', actor: 'link', clock, cause: () => bus.cause() }) }),
    clock: {
      setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs),
      // XState's clock hands back what setTimeout gave, which is opaque to both.
      clearTimeout: (handle) => clock.clearTimeout(handle as unknown),
    },
  });
  const tell = linkTeller({ bus, clock, log, session: () => session, isTold: (reason) => reason === refusedWith });
  actor.subscribe({ next: tell, error: (error) => log.error('mqtt.link.broken', { error: String(error) }) });
  actor.start();
  actor.send({ type: 'link.start' });
  const renewals = bus.on('mqtt.renew', ({ payload }) => {
    log.info('mqtt.renewing', { reason: payload.reason });
    actor.send({ type: 'link.renew', reason: payload.reason });
  });

  return {
    publish: (packet) => mqtt.publish(packet),
    stop: async () => {
      renewals.off();
      actor.send({ type: 'link.stop' });
      actor.stop();
      await mqtt.disconnect();
    },
  };
}

interface Refusal {
  readonly fault: MqttFault;
  readonly what: string;
}

function isRepetition({ fault, what }: Refusal, last: Refusal): boolean {
  if (what !== last.what || fault.kind !== last.fault.kind) return false;
  // A message that tells the time is another one each time.
  const cause = (each: MqttFault): string => (each.kind === 'untrusted' ? each.cause : undefined) ?? each.message;
  return cause(fault) === cause(last.fault);
}

interface LinkTellerDeps extends Pick<LinkDeps, 'bus' | 'clock' | 'log'> {
  readonly session: () => MqttSession | undefined;
  /** A refusal has a line of its own. */
  readonly isTold: (reason: string) => boolean;
}

/** Publishes and logs each state once, whatever else happens in it. */
function linkTeller({ bus, clock, log, session, isTold }: LinkTellerDeps): (snapshot: SnapshotFrom<typeof linkMachine>) => void {
  let told: unknown = 'down';
  let loggedReason = '';
  return (snapshot) => {
    const state = snapshot.value;
    if (state === told) return;
    const event = told === 'up' ? 'mqtt.lost' : 'mqtt.not-connected';
    told = state;
    const { reason, delayMs, failures } = snapshot.context;
    const granted = state === 'up' ? session() : undefined;
    if (state === 'up') log.info('mqtt.up', { protocol: granted?.protocol, sessionPresent: granted?.sessionPresent });
    if (state === 'backingOff') {
      // In a long outage each attempt fails for the same reason; once is enough for the log.
      log[reason === loggedReason || isTold(reason) ? 'debug' : 'warn'](event, { reason, failures, nextAttemptInMs: delayMs });
    }
    if (state !== 'connecting') loggedReason = reason;
    bus.publish('mqtt.link', {
      state,
      reason,
      ...(state === 'backingOff' ? { nextAttemptAtMs: clock.nowMs() + delayMs } : {}),
      ...(granted === undefined ? {} : { session: granted }),
    });
  };
}

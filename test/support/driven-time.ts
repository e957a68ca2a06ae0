// Calls on a port under virtual time: while something is awaited, time moves; otherwise it stands still.
import type { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';

/** Virtual time a call may take before the test fails with the names of the timers that wait. */
const callMsMax = 600_000;

export interface DrivenTime {
  /** The port, of which every method that returns a promise moves the clock until that promise has settled. */
  drive<Port extends object>(port: Port): Port;
  wait(delayMs: number): Promise<void>;
}

export function drivenTime(clock: VirtualClock): DrivenTime {
  let inFlight = 0;
  let pump: Promise<void> | undefined;
  const settle = async <T>(answer: Promise<T>): Promise<T> => {
    inFlight++;
    let settled = false;
    const counted = answer.finally(() => {
      inFlight--;
      settled = true;
    });
    while (!settled) {
      // One pump for all calls: two of them would move the same clock in turns.
      pump ??= clock.runUntil(() => inFlight === 0, { limitMs: callMsMax }).finally(() => { pump = undefined; });
      await Promise.race([counted, pump]);
    }
    return counted;
  };
  return {
    drive: (port) => new Proxy(port, {
      get(target, name) {
        // The proxy forwards whatever the port has; what it has, its type says.
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          const answer: unknown = member.apply(target, args);
          return answer instanceof Promise ? settle(answer) : answer;
        };
      },
    }),
    wait: (delayMs) => settle(new Promise((resolve) => { clock.setTimeout(resolve, delayMs); })),
  };
}

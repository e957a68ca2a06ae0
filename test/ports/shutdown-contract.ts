// What every ShutdownPort must do, whatever tells that the machine goes down. Run on the twin and on systemd's commands.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ShutdownFault, ShutdownPort } from '../../src/ports/shutdown-port.ts';
import type { Result, Stoppable } from '../../src/ports/result.ts';

/** A machine with a service manager. */
export interface ShutdownWorld {
  readonly port: ShutdownPort;
  /** The same machine without one. */
  readonly without: ShutdownPort;
  prepare(goesDown: boolean): Promise<void>;
  /** Who tells goes away. */
  lose(): Promise<void>;
  /** How many make the machine wait now. */
  delays(): Promise<number>;
  until(condition: () => boolean | Promise<boolean>): Promise<void>;
  stop(): Promise<void>;
}

export function shutdownContract(name: string, startWorld: () => Promise<ShutdownWorld>): void {
  describe(`a ShutdownPort: ${name}`, () => {
    let world: ShutdownWorld;
    const told: (boolean | ShutdownFault)[] = [];
    const listener = { preparing: (goesDown: boolean) => { told.push(goesDown); }, lost: (fault: ShutdownFault) => { told.push(fault); } };
    beforeEach(async () => {
      told.length = 0;
      world = await startWorld();
    });
    afterEach(() => world.stop());

    const stoppable = (answer: Result<Stoppable, ShutdownFault>): Stoppable => {
      expect(answer).toMatchObject({ ok: true });
      return answer.ok ? answer.value : { stop: async () => undefined };
    };

    it('given a watch, when the machine prepares and changes its mind, then both are told, until it is stopped', async () => {
      const watching = stoppable(await world.port.watch(listener));
      expect(await world.port.isGoingDown()).toBe(false);
      await world.prepare(true);
      await world.until(() => told.length === 1);
      expect(await world.port.isGoingDown()).toBe(true);
      await world.prepare(false);
      await world.until(() => told.length === 2);
      await watching.stop();
      await world.prepare(true);
      expect(told).toEqual([true, false]);
    });

    it('given a watch, when who tells goes away, then it is lost, once', async () => {
      stoppable(await world.port.watch(listener));
      await world.lose();
      await world.until(() => told.length > 0);
      expect(told).toEqual([expect.objectContaining({ kind: 'failed' })]);
    });

    it('given a delay, when it is held and stopped, then the machine waits and waits no more', async () => {
      const delay = stoppable(await world.port.delay());
      await world.until(async () => (await world.delays()) === 1);
      await delay.stop();
      await world.until(async () => (await world.delays()) === 0);
    });

    it('given a machine that waits five seconds, when more is wanted, then it waits as long', async () => {
      expect(await world.port.delayMsMax({ wantedMs: 3_000 })).toEqual({ ok: true, value: 5_000 });
      expect(await world.port.delayMsMax({ wantedMs: 31_000 })).toEqual({ ok: true, value: 31_000 });
    });

    it('given no service manager, when asked, then it is absent', async () => {
      for (const answer of [await world.without.watch(listener), await world.without.delay(), await world.without.delayMsMax({ wantedMs: 1 })]) {
        expect(answer).toMatchObject({ ok: false, fault: { kind: 'absent' } });
      }
      expect(await world.without.isGoingDown()).toBe(false);
    });
  });
}

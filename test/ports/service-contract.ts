// What every ServicePort must do, whoever manages the service. Run on the twin and on systemd's own tool.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServicePort, ServiceWords } from '../../src/ports/service-port.ts';

/** A service manager that listens. */
export interface ServiceWorld {
  /** Of a process that is watched with 90 seconds. */
  readonly port: ServicePort;
  /** Of one that is not. */
  readonly unwatched: ServicePort;
  /** Everything heard so far, in order, once there are so many. */
  heard(count: number): Promise<readonly ServiceWords[]>;
  /** It goes away. */
  leave(): Promise<void>;
  stop(): Promise<void>;
}

export function serviceContract(name: string, startWorld: () => Promise<ServiceWorld>): void {
  describe(`a ServicePort: ${name}`, () => {
    let world: ServiceWorld;
    beforeEach(async () => {
      world = await startWorld();
    });
    afterEach(() => world.stop());

    it('given a process that is watched, and one that is not, when they look, then each knows', () => {
      expect([world.port.watchdogMs, world.unwatched.watchdogMs]).toEqual([90_000, undefined]);
    });

    it('given words, when they are told, then they are heard as they are and in order', async () => {
      const words: readonly ServiceWords[] = [{ ready: true, status: 'Node edge-07 runs, 100 %' }, { alive: true }, { stopping: true, extendMs: 40_000 }];
      for (const one of words) expect(await world.port.tell(one)).toEqual({ ok: true, value: undefined });
      expect(await world.heard(words.length)).toEqual(words);
    });

    it('given nobody who listens, when words are told, then that is a fault', async () => {
      await world.leave();
      expect(await world.port.tell({ alive: true })).toEqual({ ok: false, fault: { kind: 'failed', message: expect.any(String) } });
    });
  });
}

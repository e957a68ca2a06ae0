import { beforeEach, describe, expect, it } from 'vitest';
import { type ServiceReporter, startServiceReporter } from '../../src/actors/service-reporter.ts';
import { SimService } from '../../src/adapters/sim/sim-service.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import type { LogPort } from '../../src/ports/log-port.ts';

describe('service reporter', () => {
  let clock: VirtualClock;
  let fault: string | undefined;
  let lines: string[];
  beforeEach(() => {
    clock = new VirtualClock();
    fault = undefined;
    lines = [];
  });

  const note = (event: string): void => { lines.push(event); };
  const log: LogPort = { debug: note, info: note, warn: note, error: note };
  const started = (service: SimService): ServiceReporter => startServiceReporter({ service, clock, log, nodeName: 'edge-07', fault: () => fault });
  const alive = { alive: true };

  it('given a watchdog, when time passes, then it is told that the agent is up, and of life three times in each of its periods', async () => {
    const service = new SimService({ watchdogMs: 90_000 });
    const reporter = started(service);
    await clock.advance(90_000);
    expect(service.told).toEqual([{ ready: true, status: 'Node edge-07 runs' }, alive, alive, alive]);
    await reporter.stop();
    expect(clock.pendingTimers()).toEqual([]);
  });

  it('given no watchdog, when it is started, then no timer runs', () => {
    const service = new SimService();
    started(service);
    expect(service.told).toEqual([{ ready: true, status: 'Node edge-07 runs' }]);
    expect(clock.pendingTimers()).toEqual([]);
  });

  it('given an agent that is unwell, when it should give a sign of life, then it gives none, says why once, and gives one when it is well again', async () => {
    const service = new SimService({ watchdogMs: 90_000 });
    started(service);
    fault = 'sync loop took longer than expected';
    await clock.advance(90_000);
    expect({ told: service.told.slice(1), lines }).toEqual({ told: [], lines: ['service.unwell'] });
    fault = undefined;
    await clock.advance(30_000);
    expect(service.told.slice(1)).toEqual([alive]);
  });

  it('given a service manager that cannot be told, when words fail, then that is said once until one is heard', async () => {
    const service = new SimService({ watchdogMs: 90_000 });
    service.hears = false;
    started(service);
    await clock.advance(90_000);
    expect(lines).toEqual(['service.unheard']);
    service.hears = true;
    await clock.advance(30_000);
    service.hears = false;
    await clock.advance(30_000);
    expect(lines).toEqual(['service.unheard', 'service.unheard']);
  });

  it('given the end, when it may take its time, then the service manager is told how long', async () => {
    const service = new SimService();
    started(service).stopping({ withinMs: 40_000 });
    expect(service.told.at(-1)).toEqual({ stopping: true, extendMs: 40_000, status: 'Node edge-07 stops' });
  });
});

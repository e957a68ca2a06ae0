// A small fleet from nothing to its report: real broker, real bridge, whole agents.
import { beforeAll, describe, expect, it } from 'vitest';
import type { FleetReport } from '../../src/fleet/fleet-report.ts';
import { buildMqlet, mqlet } from '../support/daemon-process.ts';
import { hasMosquitto } from '../support/mosquitto.ts';

describe.skipIf(!hasMosquitto())(`mqlet fleet-sim${hasMosquitto() ? '' : ': skipped, mosquitto is not installed'}`, () => {
  beforeAll(buildMqlet, 60_000);

  it('given ten nodes with links that break, when pods come and go, then all run in the end, and what it took is told', async () => {
    const ran = await mqlet(['fleet-sim', '--nodes', '10', '--churn', '4', '--seconds', '3', '--cuts', '1', '--rest', '1', '--workers', '1', '-o', 'json']);
    expect(ran).toMatchObject({ code: 0 });
    // Its own report.
    const report = JSON.parse(ran.stdout) as FleetReport;
    expect(report).toMatchObject({ nodes: 10, podsPerNode: 2, refused: 0 });
    expect(report.secondsToCalm).toBeDefined();
    expect(report.perNodeAndMinute.upBytes).toBeGreaterThan(0);
    expect(report.churning.bridge.residentMib).toBeGreaterThan(10);
  }, 120_000);
});

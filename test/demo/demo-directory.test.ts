import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { layOut, makeDemoDirectory, removeDemoDirectory, removeEarlierDemos } from '../../src/demo/demo-directory.ts';
import type { LogPort } from '../../src/ports/log-port.ts';

const log: LogPort = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const deps = { clock: new SystemClock(), log };

describe('demo directory', () => {
  const outer = tmpdir();
  beforeEach(() => {
    process.env['TMPDIR'] = mkdtempSync(path.join(outer, 'mqlet-dir-'));
  });
  afterEach(() => {
    rmSync(process.env['TMPDIR'] ?? '', { recursive: true, force: true });
    process.env['TMPDIR'] = outer;
  });

  it('given a demo that still runs, when earlier demos are removed, then it stays', async () => {
    const places = await makeDemoDirectory();
    expect(await removeEarlierDemos(deps)).toEqual([]);
    expect(existsSync(places.node)).toBe(true);
  });

  it.each([
    ['its process is gone', { pid: 4_194_305, startedTicks: '5' }],
    ['its number belongs to another process now', { pid: process.pid, startedTicks: '5' }],
  ])('given a demo that was killed and %s, when earlier demos are removed, then its directory goes and a line says so', async (_, owner) => {
    const places = await makeDemoDirectory();
    writeFileSync(places.ownerFile, JSON.stringify(owner));
    expect(await removeEarlierDemos(deps)).toEqual([`removed the remains of an earlier demo in ${places.base}`]);
    expect(existsSync(places.base)).toBe(false);
  });

  it('given a demo that failed, when its directory is removed but for the logs, then a later demo leaves them alone', async () => {
    const places = await makeDemoDirectory();
    writeFileSync(places.agentLog, 'last words\n');
    expect(await removeDemoDirectory(places, { keepLogs: true })).toEqual([]);
    expect(await removeEarlierDemos(deps)).toEqual([]);
    expect(existsSync(places.agentLog)).toBe(true);
    expect(existsSync(places.node)).toBe(false);
  });

  it('given an owner file that is damaged, when earlier demos are removed, then nothing is touched', async () => {
    const places = await makeDemoDirectory();
    writeFileSync(places.ownerFile, '{"pid":');
    expect(await removeEarlierDemos(deps)).toEqual([]);
    expect(existsSync(places.base)).toBe(true);
  });

  it('given the longest base allowed, when laid out, then the sockets in it stay within a unix socket path', () => {
    const longest = `/${'t'.repeat(39)}/mqlet-demo-XXXXXX`;
    expect(path.join(layOut(longest).containerd, 'run', 'c.sock').length).toBeLessThanOrEqual(107);
    expect(path.join(layOut(longest).node, 'mqlet.sock').length).toBeLessThanOrEqual(107);
  });
});

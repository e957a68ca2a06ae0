// The command that serves the twin: its refusals, its life, and that a client can talk to it.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectCri } from '../../src/adapters/cri/cri-client.ts';
import { SystemClock } from '../../src/adapters/system-clock.ts';
import { runSimRuntime } from '../../src/cli/sim-runtime.ts';
import { silentLog } from '../support/silent-log.ts';

function fakeTerminal() {
  const lines: string[] = [];
  let interrupt = (): void => undefined;
  const interrupted = new Promise<void>((resolve) => { interrupt = resolve; });
  return {
    lines, interrupt, interrupted,
    print: (line: string) => lines.push(`out: ${line}`),
    complain: (line: string) => lines.push(`err: ${line}`),
  };
}

describe('mqlet sim-runtime', () => {
  let directory = '';
  beforeEach(() => { directory = mkdtempSync(path.join(tmpdir(), 'mqlet-cli-')); });
  afterEach(() => rmSync(directory, { recursive: true }));

  it.each([
    [[], 2, '--listen unix:///PATH is missing'],
    [['--listen', 'unix:///tmp/x', '--faults', '2'], 2, '--faults is not a number from 0 to 1: 2'],
    [['--listen', 'unix:///tmp/x', '--event-loss', ''], 2, '--event-loss is not a number from 0 to 1'],
    [['--lisen', 'x'], 2, "Unknown option '--lisen'"],
    [['--listen', 'tcp://127.0.0.1:1'], 1, 'not an endpoint of the form unix:///path'],
    [['--listen', `unix://${import.meta.filename}`], 1, 'exists and is not a socket'],
    [['--listen', 'unix:///no/such/folder/cri.sock'], 1, 'cannot serve unix:///no/such/folder/cri.sock'],
  ])('given the arguments %j, when run, then it exits with %i and one line that says why', async (argv, code, text) => {
    const terminal = fakeTerminal();
    expect(await runSimRuntime(argv, terminal)).toBe(code);
    expect(terminal.lines).toHaveLength(1);
    expect(terminal.lines[0]).toMatch(/^err: mqlet sim-runtime: /);
    expect(terminal.lines[0]).toContain(text);
  });

  it('given a socket path, when run, then a client is answered until the interrupt, and the socket is gone', async () => {
    const terminal = fakeTerminal();
    const endpoint = `unix://${directory}/cri.sock`;
    const exitCode = runSimRuntime(['--listen', endpoint, '--image', 'sim/run', '--seed', 'x'], terminal);
    const connection = connectCri({ endpoint, clock: new SystemClock(), log: silentLog, callTimeoutMs: 5_000 });
    await expect.poll(() => terminal.lines).toEqual([`out: simulated runtime on ${endpoint}`]);
    expect(await connection.runtime.version()).toMatchObject({ ok: true, value: { runtimeName: 'mqlet-sim' } });
    expect(await connection.images.status('sim/run')).toMatchObject({ ok: true, value: { repoTags: ['docker.io/sim/run:latest'] } });
    await connection.close();
    terminal.interrupt();
    expect(await exitCode).toBe(0);
    expect(existsSync(`${directory}/cri.sock`)).toBe(false);
  });
});

// bin/mqlet with stand-ins for Node.js: which flags each of them is given.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const launcher = path.join(import.meta.dirname, '..', '..', 'bin', 'mqlet');

describe('the launcher', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'mqlet-launcher-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** A Node.js that prints its arguments, one a line, and refuses a flag as the real one does. */
  function standIn(refusedFlag: string): string {
    const file = path.join(directory, 'node');
    writeFileSync(file, `#!/bin/sh\nfor a; do if [ "$a" = '${refusedFlag}' ]; then echo "bad option: $a" >&2; exit 9; fi; done\nprintf '%s\\n' "$@"\n`);
    chmodSync(file, 0o755);
    return file;
  }

  const launched = (node: string, ...args: string[]): readonly string[] =>
    execFileSync(launcher, args, { env: { ...process.env, MQLET_NODE: node }, encoding: 'utf8' }).trim().split('\n').map((line) => line.replace(/^\/.*\//, ''));

  it('given a Node.js that knows the flag, when the daemon starts, then WebAssembly is turned off by name', () => {
    expect(launched(standIn('none'), 'run', '--v', '2')).toEqual(['--no-expose-wasm', '--max-semi-space-size=1', '--expose-gc', '--lite-mode', 'agent.cjs', 'run', '--v', '2']);
  });

  it('given a Node.js without the flag, when the daemon starts, then it is left out', () => {
    expect(launched(standIn('--no-expose-wasm'), 'run')).toEqual(['--max-semi-space-size=1', '--expose-gc', '--lite-mode', 'agent.cjs', 'run']);
  });

  it('given another command, when it starts, then Node.js is plain', () => {
    expect(launched(standIn('none'), 'get', 'pods')).toEqual(['cli.cjs', 'get', 'pods']);
  });
});

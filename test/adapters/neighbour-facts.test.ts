// What is told of another agent's command line: it goes into reports, which are given away.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readAgents } from '../../src/adapters/doctor/neighbour-facts.ts';
import { SystemTree } from '../../src/adapters/doctor/system-tree.ts';

test('given an agent with a secret among its flags, when it is told of, then only the names of flags are', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'neighbours-'));
  try {
    mkdirSync(`${root}/proc/4711`, { recursive: true });
    writeFileSync(`${root}/proc/4711/cmdline`, ['node', '/usr/lib/mqlet/dist/agent.cjs', 'run', '--mqtt-secret-key=abc', '--mqtt-password', 'def', '-v', '2', ''].join('\0'));
    const agents = readAgents(new SystemTree(root), { endpoint: 'unix:///run/containerd/containerd.sock', rootDir: '/elsewhere' });
    expect(agents).toEqual([{ processId: 4711, program: 'mqlet', command: 'node /usr/lib/mqlet/dist/agent.cjs --mqtt-secret-key --mqtt-password -v' }]);
  } finally {
    rmSync(root, { recursive: true });
  }
});

// The demo as a person runs it: the built command as a process, from nothing to nothing. Looks at its screen and at what stays on the host.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { runCommand } from '../../src/demo/child-process.ts';
import type { ServerMessage } from '../../src/inspector/protocol.ts';
import { containerdProblem } from '../support/containerd.ts';

const home = path.resolve(import.meta.dirname, '../..');
const problem = await containerdProblem();
const waitMsMax = 40_000;

interface RunningDemo {
  readonly process: ChildProcess;
  readonly exitCode: Promise<number | null>;
  screen(): string;
  /** The demo's own directory, as it says in its first line. */
  directory(): string;
}

function startDemo(...args: readonly string[]): RunningDemo {
  const child = spawn(path.join(home, 'bin', 'mqlet'), ['demo', '--private-containerd', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part: string) => (text += part));
  return {
    process: child,
    exitCode: new Promise((resolve) => child.once('close', (code) => resolve(code))),
    screen: () => text,
    directory: () => /^mqlet demo in (\S+)/m.exec(text)?.[1] ?? '',
  };
}

async function shows(demo: RunningDemo, pattern: RegExp): Promise<void> {
  const deadline = performance.now() + waitMsMax;
  while (!pattern.test(demo.screen())) {
    if (performance.now() > deadline || demo.process.exitCode !== null) throw new Error(`the demo did not show ${pattern}:\n${demo.screen()}`);
    await delay(50);
  }
}

/** Pods and their outermost states as the inspector's first snapshot has them, at the address the demo tells; its page is there too. */
async function inspected(demo: RunningDemo): Promise<readonly string[]> {
  await shows(demo, /http:\/\/127\.0\.0\.1:\d+\/#token=\S+/);
  const url = new URL(/http:\/\/127\.0\.0\.1:\d+\/#token=\S+/.exec(demo.screen())?.[0] ?? '');
  expect(await (await fetch(`${url.origin}/`)).text()).toContain('<script type="module" src="page.js">');
  const socket = new WebSocket(`ws://${url.host}/feed?${url.hash.slice(1)}`, { origin: url.origin });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data: Buffer) => {
      // The server's own messages.
      const message = JSON.parse(data.toString('utf8')) as ServerMessage;
      if (message.t !== 'snapshot') return;
      socket.close();
      resolve(message.pods.map(({ name, state }) => `${name} ${state.split('.')[0]}`).sort());
    });
  });
}

/** Processes that name the demo's directory, mounts below it, and the directory itself. */
function traces(directory: string): readonly string[] {
  const processes = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).flatMap((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return words.includes(directory) ? [words.replaceAll('\0', ' ')] : [];
    } catch {
      return [];
    }
  });
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => line.includes(directory));
  return [...processes, ...mounts, ...[directory].filter(existsSync)];
}

describe.skipIf(problem !== undefined)(`mqlet demo${problem === undefined ? '' : ` (${problem})`}`, () => {
  beforeAll(async () => {
    const built = await runCommand(process.execPath, [path.join(home, 'scripts', 'mqlet.mjs'), '--version']);
    expect(built).toMatchObject({ code: 0 });
  });

  it('given --once, when both pods are ready, then it shows them, removes everything and exits 0', async () => {
    const demo = startDemo('--once');
    expect(await demo.exitCode, demo.screen()).toBe(0);
    expect(demo.screen()).toMatch(/^default +clock +mqtt +Running +1\/1 +0 +10\.[\d.]+ +\d+s$/m);
    expect(demo.screen()).toMatch(/^default +web-demo-node +file +Running +1\/1 +0 +10\.[\d.]+ +\d+s$/m);
    expect(traces(demo.directory())).toEqual([]);
  });

  it('given a demo that shows its pods, when it is interrupted, then its inspector has shown them and it removes everything and exits 0', async () => {
    const demo = startDemo();
    await shows(demo, /web-demo-node +file +Running/);
    await shows(demo, /clock +mqtt +Running/);
    expect(await inspected(demo)).toEqual(['clock running', 'web-demo-node running']);
    demo.process.kill('SIGINT');
    expect(await demo.exitCode, demo.screen()).toBe(0);
    expect(traces(demo.directory())).toEqual([]);
  });

  it('given a demo whose agent dies, when it shows its pods, then it says so with the agent\'s last words and exits 1', async () => {
    const demo = startDemo();
    await shows(demo, /web-demo-node +file +Running/);
    process.kill(Number(/node demo-node, process (\d+)/.exec(demo.screen())?.[1]), 'SIGKILL');
    expect(await demo.exitCode).toBe(1);
    expect(demo.screen()).toMatch(/^agent: it ended by itself: ended by SIGKILL\n {4}\{/m);
    expect(demo.screen()).toContain(`the logs are in ${demo.directory()}`);
    expect(readdirSync(demo.directory()).sort()).toEqual(['agent.log', 'broker', 'c', 'containers', 'demo.log', 'pods']);
    await runCommand('rm', ['-rf', demo.directory()]);
    expect(traces(demo.directory())).toEqual([]);
  });

  it('given a demo that was killed, when the next one starts, then it removes what the first one left', async () => {
    const first = startDemo();
    await shows(first, /web-demo-node +file +Running/);
    first.process.kill('SIGKILL');
    await first.exitCode;
    expect(traces(first.directory())).not.toEqual([]);
    const second = startDemo('--once');
    expect(await second.exitCode, second.screen()).toBe(0);
    expect(second.screen()).toContain(`removed the remains of an earlier demo in ${first.directory()}`);
    expect(traces(first.directory())).toEqual([]);
  });
});

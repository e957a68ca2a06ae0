// Runs kubectl as a user would, with a kubeconfig and a home of its own, so that nothing of this machine's is read or left behind.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface KubectlRan {
  readonly code: number;
  /** Both outputs, in the order in which they came. */
  readonly output: string;
}

export interface KubectlSession {
  run(line: string | readonly string[], options?: { readonly input?: string; readonly editor?: string }): Promise<KubectlRan>;
  /** For what does not end of itself: what it has said so far, and its end. */
  start(line: string): { said(): string; end(): void };
  stop(): Promise<void>;
}

/** @param kubeconfig path */
export async function kubectlSession(kubeconfig: string): Promise<KubectlSession> {
  const home = await mkdtemp(path.join(tmpdir(), 'mqlet-kubectl-'));
  const program = process.env['MQLET_KUBECTL'] ?? 'kubectl';
  const begin = (line: string | readonly string[], editor = 'true') => {
    const args = typeof line === 'string' ? line.split(' ') : line;
    return spawn(program, args, { cwd: home, env: { PATH: process.env['PATH'], HOME: home, KUBECONFIG: kubeconfig, KUBE_EDITOR: editor, TZ: 'UTC' } });
  };
  return {
    run: (line, { input = '', editor } = {}) => new Promise((resolve, reject) => {
      const child = begin(line, editor);
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text; });
      child.on('error', reject);
      child.on('close', (code) => resolve({ code: code ?? -1, output }));
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
    }),
    start: (line) => {
      const child = begin(line);
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text; });
      return { said: () => output, end: () => void child.kill() };
    },
    stop: () => rm(home, { recursive: true, force: true }),
  };
}

// Whose the pods of a runtime are, before they are ended; and what the service's environment file says.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mayEndPods, removeState } from '../../../src/cli/deploy/reset.ts';
import { defaultsOf } from '../../../src/cli/deploy/uninstall.ts';

describe('the pods of a runtime', () => {
  let directory = '';
  let said = '';
  const procDirectory = (): string => path.join(directory, 'proc');
  const terminal = { print: (text: string) => { said += text; } };
  const processNamed = (pid: number, name: string): void => {
    mkdirSync(path.join(procDirectory(), String(pid)), { recursive: true });
    writeFileSync(path.join(procDirectory(), String(pid), 'comm'), `${name}\n`);
  };
  const asked = (rootDir: string, force = false) => mayEndPods({ rootDir }, { force, terminal, procDirectory: procDirectory() });
  beforeEach(() => {
    said = '';
    directory = mkdtempSync(path.join(tmpdir(), 'mqlet-reset-'));
    processNamed(1, 'init');
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('given a machine where mqlet never ran, when they are to be ended, then none is its own, whoever else runs', () => {
    processNamed(77, 'kubelet');
    expect(asked(path.join(directory, 'none'))).toBe(false);
    expect(said).toBe(`mqlet never ran here: there is no ${directory}/none; no pods are ended\n`);
  });

  it('given another agent, when they are to be ended, then it is refused with its name and process, unless it is forced', () => {
    expect(asked(directory)).toBe(true);
    processNamed(77, 'k3s-agent');
    expect(() => asked(directory)).toThrow(/^k3s-agent runs here \(process 77\), .*none was ended.*--force/);
    expect(asked(directory, true)).toBe(true);
  });

  it('given what mqlet keeps, when it is removed, then nothing of it stays', () => {
    const root = path.join(directory, 'root');
    mkdirSync(path.join(root, 'pods', 'a'), { recursive: true });
    removeState(root);
    expect(() => rmSync(root)).toThrow(/ENOENT/);
  });
});

describe('the environment of the service', () => {
  it.each([
    ['MQLET_FLAGS="--root-dir /data --v 2"', { MQLET_FLAGS: '--root-dir /data --v 2' }],
    ["# A=1\n  MQLET_ROOT_DIR='/data'  \nB=x y\nPODS_ON_REMOVE=leave", { MQLET_ROOT_DIR: '/data', B: 'x y', PODS_ON_REMOVE: 'leave' }],
    ['A=1\nA=2\nEMPTY=\nnot one', { A: '2', EMPTY: '' }],
  ])('given %j, when it is read, then it is the assignments', (text, expected) => {
    expect(defaultsOf(text)).toEqual(expected);
  });
});

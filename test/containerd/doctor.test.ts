// The doctor on this very machine with a real containerd: no false alarm where pods run, and what only a real kernel and runtime can show.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { runDoctor } from '../../src/cli/doctor/doctor.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { type ContainerdFixture, containerdProblem, withContainerd } from '../support/containerd.ts';

const problem = await containerdProblem();
if (problem !== undefined) console.warn(`skipped: ${problem}`);

describe.skipIf(problem)('mqlet doctor on a real containerd', () => {
  let fixture: ContainerdFixture;
  let mended: (() => void)[] = [];
  beforeAll(async () => {
    fixture = await withContainerd();
  });
  afterEach(() => {
    for (const mend of mended.reverse()) mend();
    mended = [];
  });
  afterAll(() => fixture.stop());

  const ask = async (flags: readonly string[] = []): Promise<{ readonly code: number; readonly findings: readonly Finding[] }> => {
    let printed = '';
    const never = (): never => {
      throw new Error('the doctor asks for nothing');
    };
    const node = ['--container-runtime-endpoint', fixture.endpoint, '--root-dir', `${fixture.directory}/node`, '--pod-logs-dir', `${fixture.directory}/logs`, '--cgroup-root', fixture.containerd.cgroupRoot, '--healthz-port', '0'];
    const code = await runDoctor(['--json', ...node, ...flags], {
      print: (text) => void (printed += text), complain: never, environment: process.env, readFile: never, readStandardInput: never, readLines: never, nowMs: () => Date.now(),
    });
    // It is what runDoctor printed: report.ts has its shape.
    return { code, findings: (JSON.parse(printed) as { findings: Finding[] }).findings };
  };
  const faults = (findings: readonly Finding[]): readonly string[] => findings.filter(({ outcome }) => outcome === 'fault').map(({ check, found, mend }) => `${check}: ${found} → ${mend ?? ''}`);
  const cniDirectory = (): string => path.join(fixture.directory, 'c', 'cni', 'conf');

  test('given a machine on which pods run, when it is asked, then there is no fault, and it knows the runtime\'s own configuration', async () => {
    const { code, findings } = await ask();
    expect({ code, faults: faults(findings) }).toEqual({ code: 0, faults: [] });
    const found = Object.fromEntries(findings.map((finding) => [finding.check, finding]));
    expect(found['runtime.sandbox-image']).toMatchObject({ outcome: 'good', found: expect.stringContaining('pause') });
    expect(found['runtime.cgroup-driver']).toMatchObject({ outcome: 'good' });
    expect(found['cni.configuration']).toMatchObject({ outcome: 'good', found: expect.stringContaining('10-mqlet.conflist') });
    expect(found['cni.plugins']).toMatchObject({ outcome: 'good' });
    expect(found['network.iptables']).toMatchObject({ outcome: 'good' });
  });

  test('given a CNI file that is broken, when it is asked, then the runtime\'s complaint and the file are named', async () => {
    const [name = ''] = readdirSync(cniDirectory());
    const file = path.join(cniDirectory(), name);
    const content = readFileSync(file);
    mended.push(() => writeFileSync(file, content));
    writeFileSync(file, '{"cniVersion": "0.4.0", "name": "x", "plugins": [');
    await expect.poll(async () => faults((await ask()).findings), { timeout: 10_000, interval: 200 }).toEqual([
      expect.stringMatching(/^runtime\.network: .* → mend the CNI configuration/), expect.stringMatching(/^cni\.configuration: .*10-mqlet\.conflist: is no JSON/),
    ]);
  });

  test('given another cgroup driver and a CNI directory that is gone, when it is asked, then both are named', async () => {
    const [name = ''] = readdirSync(cniDirectory());
    const file = path.join(cniDirectory(), name);
    const content = readFileSync(file);
    rmSync(file);
    mended.push(() => writeFileSync(file, content));
    await expect.poll(async () => faults((await ask(['--cgroup-driver', 'systemd'])).findings), { timeout: 10_000, interval: 200 }).toEqual([
      expect.stringMatching(/^runtime\.network: /), expect.stringMatching(/^runtime\.cgroup-driver: the runtime has cgroupfs, mqlet has systemd → --cgroup-driver cgroupfs/),
      expect.stringMatching(/^cni\.configuration: .*has no \.conflist/),
    ]);
  });

  test.each([
    ['is nearly full', 'size=1m', (place: string) => writeFileSync(path.join(place, 'filler'), Buffer.alloc(1_000_000)), /^places\.space: .*free \([0-9] %\) at .* → remove what is not needed/],
    ['has no inodes left', 'size=8m,nr_inodes=60', (place: string) => { for (let at = 0; at < 58; at += 1) writeFileSync(path.join(place, `f${at}`), ''); }, /^places\.inodes: .*inodes free/],
    ['is read-only', 'size=1m', (place: string) => execFileSync('mount', ['-o', 'remount,ro', place]), /^places\.access: .*read-only file system → .*remount,rw/],
  ] as const)('given a root directory whose disk %s, when it is asked, then that is named', async (_what, mountOptions, spoil, line) => {
    const place = path.join(fixture.directory, 'small');
    mkdirSync(place);
    execFileSync('mount', ['-t', 'tmpfs', '-o', mountOptions, 'mqlet-test', place]);
    mended.push(() => {
      execFileSync('umount', [place]);
      rmSync(place, { recursive: true });
    });
    spoil(place);
    // The runtime may still be taking the network that was mended a moment ago.
    await expect.poll(async () => faults((await ask(['--root-dir', place])).findings), { timeout: 10_000, interval: 200 }).toEqual([expect.stringMatching(line)]);
  });
});

// Every field of the security contexts, as a process inside the container finds it.
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Container, PodSpec } from '../../src/ports/pod-types.ts';
import { containerdProblem } from '../support/containerd.ts';
import { inside } from '../support/inside.ts';
import { eventually, type RealNode, shellPod, startRealNode } from '../support/real-node.ts';

const problem = await containerdProblem();

const noMkdir = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }] };
const own = (securityContext: Container['securityContext']): { container: Partial<Container> } => ({ container: { securityContext } as Partial<Container> }); // Absent is as good as undefined.
const pod = (spec: Partial<PodSpec>) => ({ spec });
const capabilities = 'grep CapEff /proc/self/status | tr -d "\\t"';
/** Root's, here; a machine may have taken some from everybody. */
const ownCapabilities = /CapEff:\s+([0-9a-f]+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
const noNewPrivs = 'grep NoNewPrivs /proc/self/status | tr -d "\\t"';
const seccomp = 'grep "Seccomp:" /proc/self/status | tr -d "\\t"';
const kindOf = (file: string) => `stat -c %F ${file}`;
const readOnlyProcSys = 'grep " /proc/sys " /proc/mounts | cut -d" " -f4 | cut -d, -f1';

describe.skipIf(problem)(`security on containerd${problem === undefined ? '' : ` (${problem})`}`, () => {
  let node: RealNode;
  beforeAll(async () => {
    node = await startRealNode();
    const profiles = path.join(node.fixture.directory, 'root', 'seccomp', 'strict');
    await mkdir(profiles, { recursive: true });
    await writeFile(path.join(profiles, 'no-mkdir.json'), JSON.stringify(noMkdir));
    await eventually('the node registers', () => node.cloud.nodes()[0]);
  });
  afterAll(() => node?.stop());

  it.each<[name: string, script: string, part: { spec?: Partial<PodSpec>; container?: Partial<Container> }, expected: readonly (string | RegExp)[]]>([
    ['plain', `id -u; ${noNewPrivs}; ${seccomp}; ${kindOf('/proc/timer_list')}; ${readOnlyProcSys}; touch /written && echo written`, {}, ['0', 'NoNewPrivs:0', 'Seccomp:0', 'character special file', 'ro', 'written']],
    ['user-of-pod', 'id -u; id -g; id -G', pod({ securityContext: { runAsUser: 1_000, runAsGroup: 2_000, supplementalGroups: [3_000, 4_000] } }), ['1000', '2000', '2000 3000 4000']],
    ['user-of-container', 'id -u; id -g', { ...pod({ securityContext: { runAsUser: 1_000, runAsGroup: 2_000 } }), ...own({ runAsUser: 1_001 }) }, ['1001', '2000']],
    ['non-root', 'id -u', pod({ securityContext: { runAsNonRoot: true, runAsUser: 7 } }), ['7']],
    ['capabilities', capabilities, own({ capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } }), ['CapEff:0000000000000400']],
    ['privileged', `${capabilities}; ${kindOf('/proc/timer_list')}; ${readOnlyProcSys}; ls -d /dev/mem /dev/fuse /dev/kmsg 2>/dev/null | head -1`, own({ privileged: true }), [`CapEff:${ownCapabilities}`, 'regular empty file', /^\/dev\//]],
    ['read-only', 'touch /written 2>&1 || true', own({ readOnlyRootFilesystem: true }), [/Read-only file system$/]],
    ['no-escalation', noNewPrivs, own({ allowPrivilegeEscalation: false }), ['NoNewPrivs:1']],
    ['seccomp-default', seccomp, pod({ securityContext: { seccompProfile: { type: 'RuntimeDefault' } } }), ['Seccomp:2']],
    ['seccomp-own', `${seccomp}; mkdir /made 2>&1 || true`, own({ seccompProfile: { type: 'Localhost', localhostProfile: 'strict/no-mkdir.json' } }), ['Seccomp:2', /Operation not permitted$/]],
    ['seccomp-none', seccomp, { ...pod({ securityContext: { seccompProfile: { type: 'RuntimeDefault' } } }), ...own({ seccompProfile: { type: 'Unconfined' } }) }, ['Seccomp:0']],
    ['unmasked', `${kindOf('/proc/timer_list')}; ${readOnlyProcSys}; echo end`, own({ procMount: 'Unmasked' }), ['regular empty file', 'end']],
    ['sysctls', 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax', pod({ securityContext: { sysctls: [{ name: 'net/ipv4/ip_unprivileged_port_start', value: '81' }, { name: 'kernel.msgmax', value: '4096' }] } }), ['81', '4096']],
    ['selinux', 'echo runs', own({ seLinuxOptions: { level: 's0:c1,c2' } }), ['runs']],
    ['runtime-class', 'echo runs', pod({ runtimeClassName: 'runc', overhead: { cpu: '10m', memory: '8Mi' } }), ['runs']],
  ])('given %s, when it runs, then the process inside finds it so', async (name, script, part, expected) => {
    const lines = await inside(node, name, script, part);
    expect(lines).toEqual(expected.map((each) => (typeof each === 'string' ? each : (expect.stringMatching(each) as unknown))));
  });

  it.each<[name: string, spec: Partial<PodSpec>, message: RegExp]>([
    ['root-image', { securityContext: { runAsNonRoot: true } }, /^container has runAsNonRoot and image will run as root \(pod: "root-image_default\(.*\)", container: app\)$/],
    ['root-user', { securityContext: { runAsNonRoot: true, runAsUser: 0 } }, /^container's runAsUser breaks non-root policy \(pod: /],
  ])('given %s, when it may not be root, then it waits and says why', async (name, spec, message) => {
    node.cloud.applyPod(shellPod(name, 'id -u', spec));
    const waiting = await eventually(`${name} waits`, () => node.pod(name)?.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError' && node.pod(name)?.status?.containerStatuses?.[0]?.state?.waiting);
    expect(waiting.message).toMatch(message);
    node.cloud.deletePod('default', name);
  });

  it('given a runtime class nobody knows, when applied, then an event says what the runtime said', async () => {
    node.cloud.applyPod(shellPod('unknown-class', 'true', { runtimeClassName: 'nonesuch' }));
    const event = await eventually('the event comes', () => node.cloud.events().find(({ reason, involvedObject }) => reason === 'FailedCreatePodSandBox' && involvedObject.name === 'unknown-class'));
    expect(event.message).toMatch(/^Failed to create pod sandbox: .*no runtime for "nonesuch" is configured/);
  });

  it('given an AppArmor profile on a host without AppArmor, when applied, then the pod is refused', async () => {
    node.cloud.applyPod(shellPod('armoured', 'true', { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } }));
    const refused = await eventually('it is refused', () => node.pod('armoured')?.status?.phase === 'Failed' && node.pod('armoured')?.status);
    expect(refused).toMatchObject({ reason: 'AppArmor', message: 'Pod was rejected: Cannot enforce AppArmor: AppArmor is not enabled on the host' });
  });
});

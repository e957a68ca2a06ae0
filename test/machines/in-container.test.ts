import { describe, expect, it } from 'vitest';
import { containerFaults, type ContainerWishes } from '../../src/machines/decide/in-container.ts';
import type { ContainerFacts } from '../../src/ports/container-facts.ts';

const root = { path: '/var/lib/mqlet', isHosts: true, isShared: true };
const podLogs = { path: '/var/log/pods', isHosts: true, isShared: false };
const well: ContainerFacts = { hostRoot: '/host', seesHost: true, hasHostProcesses: true, hasHostNetwork: true, hasHostCgroups: true, mayMount: true, root, podLogs };
const plain: ContainerWishes = { makesCgroups: true, cgroupDriver: 'cgroupfs', holdsShutdown: false };

describe('an agent in a container', () => {
  it.each<readonly [string, Partial<ContainerFacts>, Partial<ContainerWishes>, readonly RegExp[]]>([
    ['everything that it needs', {}, {}, []],
    ['no host', { seesHost: false, hasHostProcesses: false, hasHostNetwork: false }, {}, [/^--host-root: .* not mounted at \/host: .*dst=\/host/]],
    ['no right to mount', { mayMount: false }, {}, [/--privileged/]],
    ['its own processes', { hasHostProcesses: false }, {}, [/--with-ns pid:\/proc\/self\/ns\/pid .*--pid=host/]],
    ['its own network', { hasHostNetwork: false }, {}, [/--net-host .*--network=host/]],
    ['a root directory of its own', { root: { ...root, isHosts: false, isShared: false } }, {}, [/^--root-dir: \/var\/lib\/mqlet is not the host's: .*options=rbind:rshared/]],
    ['a root directory whose mounts stay inside', { root: { ...root, isShared: false } }, {}, [/^--root-dir: volumes mounted below \/var\/lib\/mqlet would not reach the host.*make-rshared/]],
    ['logs of its own', { podLogs: { ...podLogs, isHosts: false } }, {}, [/^--pod-logs-dir: \/var\/log\/pods is not the host's/]],
    ['cgroups of its own', { hasHostCgroups: false }, {}, [/dst=\/sys\/fs\/cgroup.*--cgroups-per-qos=false/]],
    ['cgroups of its own that it does not need', { hasHostCgroups: false }, { makesCgroups: false }, []],
    ['the cgroup driver systemd', {}, { cgroupDriver: 'systemd' }, [/^--cgroup-driver systemd does not work in a container/]],
    ['a wish to hold up the machine', {}, { holdsShutdown: true }, [/^--shutdown-grace-period does not work in a container/]],
    ['two things amiss', { hasHostProcesses: false, hasHostNetwork: false }, {}, [/pid/, /net-host/]],
  ])('given %s, when it starts, then every reason against it is named with its mend', (_what, facts, wishes, expected) => {
    const faults = containerFaults({ ...well, ...facts }, { ...plain, ...wishes });
    expect(faults).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });
});

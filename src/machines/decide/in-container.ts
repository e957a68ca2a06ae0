// What an agent in a container must share with the host, and what cannot work there. Asked once, at the start.

import type { ContainerFacts, SharedDirectory } from '../../ports/container-facts.ts';

export interface ContainerWishes {
  /** False: pods get no cgroups of their own. */
  readonly makesCgroups: boolean;
  readonly cgroupDriver: 'cgroupfs' | 'systemd';
  /** The machine shall be held up until pods have ended. */
  readonly holdsShutdown: boolean;
}

/** @returns one line for each thing that would not work, with its mend; none when all is well */
export function containerFaults(facts: ContainerFacts, wishes: ContainerWishes): readonly string[] {
  const { hostRoot, seesHost, root, podLogs } = facts;
  if (!seesHost) return [`--host-root: the root of the host is not mounted at ${hostRoot}: add --mount type=bind,src=/,dst=${hostRoot},options=rbind:rslave (docker: -v /:${hostRoot}:rslave)`];
  return [
    ...(facts.mayMount ? [] : ['the container may not mount volumes: add --privileged']),
    ...(facts.hasHostProcesses ? [] : ['the container has processes of its own, so that paths inside volumes cannot be bound: add --with-ns pid:/proc/self/ns/pid (docker: --pid=host)']),
    ...(facts.hasHostNetwork ? [] : ['the container has a network of its own, so that probes would not reach pods: add --net-host (docker: --network=host)']),
    ...directoryFaults(root, '--root-dir', 'rshared'),
    ...(root.isHosts && !root.isShared ? [`--root-dir: volumes mounted below ${root.path} would not reach the host: mount it with options=rbind:rshared, and say --rootfs-propagation shared (docker: -v ${root.path}:${root.path}:rshared), and where the host's own mount is private, first: mount --make-rshared /`] : []),
    ...directoryFaults(podLogs, '--pod-logs-dir', 'rw'),
    ...(wishes.makesCgroups && !facts.hasHostCgroups ? ['the container has cgroups of its own, so that pods would not be where the runtime looks: add --mount type=bind,src=/sys/fs/cgroup,dst=/sys/fs/cgroup,options=rbind:rw (docker: --cgroupns=host -v /sys/fs/cgroup:/sys/fs/cgroup), or say --cgroups-per-qos=false'] : []),
    ...(wishes.makesCgroups && wishes.cgroupDriver === 'systemd' ? ['--cgroup-driver systemd does not work in a container, which cannot ask the host\'s systemd: take cgroupfs for mqlet and the runtime, or install mqlet on the host'] : []),
    ...(wishes.holdsShutdown ? ['--shutdown-grace-period does not work in a container, which cannot hold up the machine: leave it out, or install mqlet on the host'] : []),
  ];
}

function directoryFaults({ path, isHosts }: SharedDirectory, flag: string, option: string): readonly string[] {
  return isHosts ? [] : [`${flag}: ${path} is not the host's: the runtime would look for it in vain: add --mount type=bind,src=${path},dst=${path},options=rbind:${option} (docker: -v ${path}:${path}:${option}); it must be there on the host`];
}

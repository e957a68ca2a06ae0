// What an agent in a container shares with its host.

/** A directory that must be the host's own, under the same path. */
export interface SharedDirectory {
  readonly path: string;
  /** What is at the path here is what is there on the host. */
  readonly isHosts: boolean;
  /** Mounts made below reach the host. */
  readonly isShared: boolean;
}

export interface ContainerFacts {
  /** Where the root of the host is mounted here. */
  readonly hostRoot: string;
  readonly seesHost: boolean;
  readonly hasHostProcesses: boolean;
  readonly hasHostNetwork: boolean;
  readonly hasHostCgroups: boolean;
  /** It may mount, which only a privileged container may. */
  readonly mayMount: boolean;
  readonly root: SharedDirectory;
  readonly podLogs: SharedDirectory;
}

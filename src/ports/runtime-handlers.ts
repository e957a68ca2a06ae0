// What the handlers of a container runtime, one for each runtime class, say they can do.

/** What one handler (runtime class) of the runtime can do. Runtimes before CRI 1.30 tell of none. */
export interface RuntimeHandlerFacts {
  /** Empty for the default one. */
  readonly name: string;
  readonly recursiveReadOnlyMounts: boolean;
  readonly userNamespaces: boolean;
}

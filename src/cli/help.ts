// What the commands are, in the words of the command line.

export const generalHelp = `mqlet: a Kubernetes node agent for places that an MQTT broker reaches and the API server does not.

  mqlet run [flags]            the node daemon; mqlet run --help lists its settings
  mqlet demo [--once]          everything on this machine: broker, cloud side, containerd, agent, sample pods
  mqlet get pods|nodes|events  what the node has; -o wide|json|yaml, -n NAMESPACE, -A, -w
  mqlet describe pod NAME      all about one pod, and why it is where it is; mqlet describe node the same of the node
  mqlet apply -f FILE          runs the pods of a manifest and keeps them over restarts; --dry-run only prints
  mqlet delete pod NAME        stops and removes a pod that was applied; or -f FILE
  mqlet join mqtts://BROKER    makes this device a node of a fleet: a token once, then a certificate of its own
  mqlet bridge token create    lets a device join; list, revoke; mqlet bridge node revoke NAME shuts one out
  mqlet bridge                 the cloud side: between a broker and a Kubernetes API, of a cluster or of its own
  mqlet record FILE            writes down what passes on a broker
  mqlet replay FILE            runs a recorded agent again; --diff says where it differs
  mqlet inspect [FILE]         the inspector of the running node, or of a recording, in a browser
  mqlet doctor                 what stands between this machine and a node that works, and how to mend it
  mqlet support-bundle         packs what somebody far away needs to see of this node, without secrets
  mqlet migrate                makes a configuration from a kubelet's or lite-kubelet's, and takes over its pods
  mqlet install                puts mqlet into this machine as a service; mqlet uninstall takes it away again
  mqlet reset                  ends all pods of this node, while the daemon does not run
  mqlet fleet-sim              a fleet on this machine, with pods that come and go, and what that takes
  mqlet sim-runtime            a container runtime that only pretends, for tests and demonstrations
  mqlet version [-o json]      the version of this program, what it was built from and runs on
  mqlet help [COMMAND]         this text, or that of a command

The node's admin socket is found with --socket PATH, --root-dir DIRECTORY, MQLET_SOCKET, or in /var/lib/mqlet.
Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
`;

const place = `  --socket PATH                the node's admin socket
  --root-dir DIRECTORY         the node's root directory, which holds the socket
`;

export const verbHelp: Readonly<Record<string, string>> = {
  get: `Usage: mqlet get pods|nodes|events [NAME] [flags]

  -o, --output wide|json|yaml  more columns, or whole objects
  -n, --namespace NAMESPACE    default: default
  -A, --all-namespaces         pods or events of all namespaces
  -w, --watch                  keep printing what changes
${place}`,
  describe: `Usage: mqlet describe pod NAME [flags]
       mqlet describe node [flags]

  -n, --namespace NAMESPACE    default: default
${place}`,
  apply: `Usage: mqlet apply -f FILE [-f FILE] [flags]

  -f, --filename FILE          manifest in YAML or JSON, also with several pods; - is standard input
      --dry-run                print the pod with all defaults and what is wrong with it; needs no daemon, changes nothing
      --explain                with --dry-run, also what the container runtime would be asked for
  -o, --output yaml|json       of --dry-run; default: yaml
      --hostname-override NAME the node of --dry-run; default: MQLET_NODE_NAME, or this host's name
${place}`,
  delete: `Usage: mqlet delete pod NAME… [flags]
       mqlet delete -f FILE [flags]

  -f, --filename FILE          the pods this manifest names
  -n, --namespace NAMESPACE    default: default
      --grace-period SECONDS   time to stop; default: the pod's own
      --force                  no time to stop, and no waiting
      --no-wait                do not wait until the pod is gone
${place}`,
};

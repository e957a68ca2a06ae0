// The arguments of `mqlet demo`.
import { parseArgs } from 'node:util';
import { fail, ok, type Result } from '../ports/result.ts';

export interface DemoOptions {
  /** Bring up, wait until the sample pods run, show them, tear down. */
  readonly once: boolean;
  /** Never use the containerd that runs on this machine. */
  readonly privateContainerd: boolean;
  readonly nodeName: string;
  readonly help: boolean;
}

export const demoHelp = `mqlet demo: a whole node on this machine, with nothing outside it

  An MQTT broker, the cloud side, containerd, the agent and two sample pods: one from a manifest file, one over MQTT.
  Shows the pods until Ctrl-C, then removes everything again. Needs root.

  --once                 wait until both pods are ready, show them, remove everything, exit
  --private-containerd   start a containerd even where one is running
  --node-name NAME       name of the node (demo-node)
  --help                 this text
`;

/** @returns the fault as the one line to show, without the program's name */
export function parseDemoOptions(argv: readonly string[]): Result<DemoOptions, string> {
  try {
    const { values } = parseArgs({
      args: [...argv],
      strict: true,
      options: {
        once: { type: 'boolean', default: false },
        'private-containerd': { type: 'boolean', default: false },
        'node-name': { type: 'string', default: 'demo-node' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const nodeName = values['node-name'];
    if (!/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/.test(nodeName)) {
      return fail(`--node-name: '${nodeName}' is not a node name: lower-case letters, digits, '-' and '.', at most 63`);
    }
    return ok({ once: values.once, privateContainerd: values['private-containerd'], nodeName, help: values.help });
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

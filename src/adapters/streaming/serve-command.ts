// Joins a remote command's client with the node's stream until one of them ends.
import type { NodeStream, StreamEvent } from '../../ports/node-streams-port.ts';
import type { CommandPeer, CommandStatus } from './command-peers.ts';

export async function serveCommand(peer: CommandPeer, stream: NodeStream): Promise<void> {
  await Promise.all([fromClient(peer, stream), fromNode(peer, stream)]);
}

async function fromClient(peer: CommandPeer, stream: NodeStream): Promise<void> {
  for (;;) {
    const event = await peer.read();
    if (event.kind === 'gone') {
      stream.close();
      return;
    }
    if (event.kind === 'finished') stream.finish(event.lane);
    else if (event.lane === 'stdin' || event.lane === 'resize') await stream.write(event.lane, event.bytes);
  }
}

async function fromNode(peer: CommandPeer, stream: NodeStream): Promise<void> {
  for (;;) {
    const event = await stream.read();
    if (event.kind === 'ended') {
      await peer.end(statusOf(event));
      return;
    }
    if (event.kind !== 'data' || (event.lane !== 'stdout' && event.lane !== 'stderr')) continue;
    if (await peer.write(event.lane, event.bytes)) continue;
    stream.close();
    return;
  }
}

/** As kubelets word it: clients take the exit code from its causes. */
export function statusOf({ exitCode, fault }: Extract<StreamEvent, { readonly kind: 'ended' }>): CommandStatus {
  if (fault !== undefined) return { metadata: {}, status: 'Failure', message: fault.message, reason: fault.reason, code: fault.code };
  if (exitCode === undefined || exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {}, status: 'Failure', reason: 'NonZeroExitCode',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

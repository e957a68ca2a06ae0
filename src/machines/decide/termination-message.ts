// The last words of a container: where it writes them, where they are on the node, and how much of them is kept.
import type { Container } from '../../ports/pod-types.ts';
import type { Mount, ObservedContainer } from '../../ports/runtime-port.ts';
import type { NodeSettings } from './node-settings.ts';
import { restartCountOf, terminationMessagePathAnnotation, terminationMessagePolicyAnnotation } from './runtime-labels.ts';
import { podDirectory } from './volumes.ts';

/** Bytes of a message, from the end of its file. Kubelet's limits, as those of the log. */
export const messageFileBytesMax = 4_096;
export const messageLogBytesMax = 2_048;
export const messageLogLinesMax = 80;

/** One file for each instance: its restart count as eight hexadecimal digits, below a directory of the container's. */
export function terminationLog(
  { podUid, container, restartCount }: { readonly podUid: string; readonly container: string; readonly restartCount: number },
  settings: Pick<NodeSettings, 'rootDirectory'>,
): { readonly directory: string; readonly path: string } {
  const directory = `${podDirectory(podUid, settings)}/containers/${container}`;
  return { directory, path: `${directory}/${restartCount.toString(16).padStart(8, '0')}` };
}

/** A container without a path, and one that has a mount there already, gets none. */
export function terminationMount({ terminationMessagePath = '' }: Container, hostPath: string, mounts: readonly Mount[]): readonly Mount[] {
  if (terminationMessagePath === '' || mounts.some(({ containerPath }) => containerPath === terminationMessagePath)) return mounts;
  return [...mounts, { containerPath: terminationMessagePath, hostPath, readonly: false, selinuxRelabel: false, propagation: 'PROPAGATION_PRIVATE' }];
}

/** Where to look for the message of an instance that has ended; `undefined` while there can be none. */
export function messageSources(
  container: Pick<ObservedContainer, 'state' | 'annotations' | 'podUid' | 'name' | 'attempt' | 'exitCode' | 'logPath'>,
  settings: Pick<NodeSettings, 'rootDirectory'>,
): { readonly file: string; readonly log: string | undefined } | undefined {
  const { state, annotations, podUid, name, exitCode, logPath } = container;
  if (state !== 'exited' || !annotations[terminationMessagePathAnnotation]) return undefined;
  const { path } = terminationLog({ podUid, container: name, restartCount: restartCountOf(container) }, settings);
  const fallsBack = annotations[terminationMessagePolicyAnnotation] === 'FallbackToLogsOnError' && exitCode !== 0 && logPath !== '';
  return { file: path, log: fallsBack ? logPath : undefined };
}

/** The runtime's own words come first. */
export function joinedMessage(fromRuntime: string, fromContainer: string): string {
  return [fromRuntime, fromContainer].filter((part) => part !== '').join(': ');
}

/** The last lines of a log in CRI's format, without times, streams and tags; lines that runtimes have cut are joined again. */
export function lastLogLines(log: string): string {
  const lines: string[] = [];
  let open = '';
  // What was read may begin in the middle of a line.
  for (const line of log.split('\n')) {
    const parts = /^\S+ (?:stdout|stderr) ([FP])\S* ?(.*)$/.exec(line);
    if (parts === null) continue;
    open += parts[2] ?? '';
    if (parts[1] === 'P') continue;
    lines.push(open);
    open = '';
  }
  if (open !== '') lines.push(open);
  const text = lines.slice(-messageLogLinesMax).map((line) => `${line}\n`).join('');
  const bytes = new TextEncoder().encode(text);
  return bytes.length <= messageLogBytesMax ? text : new TextDecoder().decode(bytes.subarray(bytes.length - messageLogBytesMax));
}

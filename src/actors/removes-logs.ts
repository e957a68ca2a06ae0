// RuntimePort around another: the logs of a container go before it does, rotated ones too. Changes nothing else.
import { logFilesOf } from '../machines/decide/container-logs.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { RuntimePort } from '../ports/runtime-port.ts';

export interface LogRemoval {
  readonly files: Pick<FilesPort, 'list' | 'removeFile'>;
  readonly settings: Pick<NodeSettings, 'podLogsDirectory'>;
}

export function withLogRemoval(runtime: RuntimePort, { files, settings }: LogRemoval): RuntimePort {
  const removeLogs = async (path: string): Promise<void> => {
    // A path from the runtime: only below the directory of logs is anything ours to remove.
    if (!path.startsWith(`${settings.podLogsDirectory}/`) || path.includes('/../')) return;
    const slash = path.lastIndexOf('/');
    const beside = await files.list(path.slice(0, slash));
    const names = beside.ok ? beside.value.map(({ name }) => name) : [];
    for (const name of logFilesOf(path.slice(slash + 1), names)) await files.removeFile(`${path.slice(0, slash)}/${name}`);
  };
  const removeContainer: RuntimePort['removeContainer'] = async (id) => {
    const status = await runtime.containerStatus(id);
    // What the runtime cannot tell of may be left behind: its directory goes with the pod.
    if (status.ok && status.value.state !== 'running') await removeLogs(status.value.logPath);
    return runtime.removeContainer(id);
  };
  return new Proxy(runtime, {
    get: (target, name) => {
      if (name === 'removeContainer') return removeContainer;
      const member: unknown = Reflect.get(target, name, target);
      // Binding gives `any`; a proxy forwards whatever the port has.
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

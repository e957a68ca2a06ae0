// RuntimePort around another: the status of a container that has ended carries its termination message. Changes nothing else.
import { joinedMessage, lastLogLines, messageFileBytesMax, messageLogBytesMax, messageSources } from '../machines/decide/termination-message.ts';
import type { NodeSettings } from '../machines/decide/node-settings.ts';
import type { FilesPort } from '../ports/files-port.ts';
import type { ObservedContainer, RuntimePort } from '../ports/runtime-port.ts';

/** Times and tags take their part of each line of a log, and are not kept. */
const logBytesMax = 8 * messageLogBytesMax;

export function withTerminationMessages(
  runtime: RuntimePort,
  { files, settings }: { readonly files: FilesPort; readonly settings: Pick<NodeSettings, 'rootDirectory'> },
): RuntimePort {
  const tail = async (path: string, bytesMax: number): Promise<string> => {
    const read = await files.readEnd(path, { bytesMax });
    return read.ok ? new TextDecoder().decode(read.value) : '';
  };
  const messageOf = async (container: ObservedContainer): Promise<string> => {
    const sources = messageSources(container, settings);
    if (sources === undefined) return '';
    const written = await tail(sources.file, messageFileBytesMax);
    return written !== '' || sources.log === undefined ? written : lastLogLines(await tail(sources.log, logBytesMax));
  };
  return new Proxy(runtime, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      // Binding gives `any`; a proxy forwards whatever the port has.
      if (name !== 'containerStatus') return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      const containerStatus: RuntimePort['containerStatus'] = async (id) => {
        const status = await target.containerStatus(id);
        if (!status.ok || status.value.state !== 'exited') return status;
        const message = joinedMessage(status.value.message, await messageOf(status.value));
        return message === status.value.message ? status : { ok: true, value: { ...status.value, message } };
      };
      return containerStatus;
    },
  });
}

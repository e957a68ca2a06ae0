// The runtime of a node that took over another agent's containers: those go on running under their former hash.
import { adoptContainers } from '../adapters/adopting-runtime.ts';
import { readSettingsFile } from '../adapters/settings-file.ts';
import { hashAnnotation } from '../machines/decide/runtime-labels.ts';
import { adoptedFileName, readAdopted } from '../ports/adopted-containers.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { RuntimePort } from '../ports/runtime-port.ts';

/** The runtime itself where nothing was taken over. A file that cannot be read costs one restart of those containers, which is said. */
export function adoptingRuntime(runtime: RuntimePort, rootDirectory: string, log: LogPort): RuntimePort {
  const file = `${rootDirectory}/${adoptedFileName}`;
  const text = readSettingsFile(file);
  if (!text.ok && text.fault.kind === 'not-found') return runtime;
  const adopted = text.ok ? readAdopted(text.value) : undefined;
  if (adopted === undefined) {
    log.warn('adopted.unreadable', { file, fault: text.ok ? 'is no list of containers' : text.fault.message, effect: 'containers of the former agent are restarted' });
    return runtime;
  }
  return adopted.length === 0 ? runtime : adoptContainers(runtime, adopted, hashAnnotation);
}

// What all that is served over streams needs of the node.
import type { NodeSettings } from '../../machines/decide/node-settings.ts';
import type { ClockPort } from '../../ports/clock-port.ts';
import type { FilesPort } from '../../ports/files-port.ts';
import type { LogPort } from '../../ports/log-port.ts';
import type { LogReaderPort } from '../../ports/log-reader-port.ts';
import type { NodeUsagePort } from '../../ports/node-usage-port.ts';
import type { RuntimePort } from '../../ports/runtime-port.ts';
import type { StreamRuntimePort } from '../../ports/stream-runtime-port.ts';
import type { NodeView } from '../node-view.ts';

export interface ServeDeps {
  readonly view: NodeView;
  readonly settings: NodeSettings;
  readonly runtime: RuntimePort;
  readonly pipes: StreamRuntimePort;
  readonly files: FilesPort;
  readonly logs: LogReaderPort;
  readonly usage: NodeUsagePort;
  readonly clock: ClockPort;
  readonly log: LogPort;
}

// Serves one request for a container's log: finds it, reads it, shows it line by line, as fast as it is taken and no faster.
import type { MuxStream } from '../../bus/streams/mux-stream.ts';
import { CriLogLines, type LogView } from '../../machines/decide/cri-log.ts';
import type { LogRequest } from '../../ports/node-streams-port.ts';
import { findLog, isRunning } from './find-container.ts';
import { readLogFiles } from './log-files.ts';
import type { ServeDeps } from './serve-deps.ts';

export async function serveLogs(deps: ServeDeps, stream: MuxStream, request: LogRequest): Promise<void> {
  const log = findLog(deps.view, request, deps.settings);
  if (!log.ok) return stream.end({ fault: log.fault });
  stream.accept();
  const { id, path } = log.value;
  const lines = new CriLogLines(viewOf(request, deps.clock.nowMs()));
  const closed = untilClosed(stream);
  let left = request.limitBytes ?? Number.POSITIVE_INFINITY;
  const files = readLogFiles(deps, {
    path, follow: request.follow === true && request.previous !== true, closed, isWritten: () => isRunning(deps.view, request, id),
    ...(request.tailLines === undefined ? {} : { tailLines: request.tailLines }),
  });
  for await (const bytes of files) {
    if (bytes === 'cut') {
      lines.cut();
      continue;
    }
    for (const part of lines.push(bytes)) {
      const shown = part.bytes.subarray(0, left);
      left -= shown.length;
      // kubelet's answer is one stream of bytes: what belongs to which output is not told.
      if (!(await stream.write('stdout', shown))) return;
    }
    if (left <= 0) break;
  }
  stream.end({});
}

function viewOf({ timestamps = false, sinceSeconds, sinceTime, stream }: LogRequest, nowMs: number): LogView {
  const sinceMs = sinceTime === undefined ? (sinceSeconds === undefined ? undefined : nowMs - sinceSeconds * 1_000) : Date.parse(sinceTime);
  return {
    timestamps,
    ...(sinceMs === undefined || Number.isNaN(sinceMs) ? {} : { sinceMs }),
    ...(stream === 'Stdout' ? { stream: 'stdout' as const } : stream === 'Stderr' ? { stream: 'stderr' as const } : {}),
  };
}

/** Nothing is expected from whoever reads a log but his going. */
async function untilClosed(stream: MuxStream): Promise<void> {
  while ((await stream.read()).kind !== 'ended');
}

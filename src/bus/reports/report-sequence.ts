// The number that grows with each start of the agent, kept on disk: a cloud side drops reports of a smaller one as old.
import type { ClockPort } from '../../ports/clock-port.ts';
import type { FilesPort } from '../../ports/files-port.ts';
import type { LogPort } from '../../ports/log-port.ts';

export interface ReportSequenceDeps {
  readonly clock: ClockPort;
  readonly files: FilesPort;
  readonly log: LogPort;
  readonly nodeName: string;
  /** Holds the file `sequence.json`; made when missing. */
  readonly directory: string;
}

const fileBytesMax = 4_096;

/**
 * The number of this start, written down before it is used. A missing file begins with 1. One that cannot be read begins with the time
 * in seconds, which is greater than any number of starts, as everything before it may have been seen already.
 */
export async function nextSequence(deps: ReportSequenceDeps): Promise<number> {
  const { files, clock } = deps;
  const read = await files.read(fileOf(deps), { bytesMax: fileBytesMax });
  const last = read.ok ? numberIn(read.value) : read.fault.kind === 'not-found' ? 0 : undefined;
  const sequence = last === undefined ? Math.floor(clock.nowMs() / 1_000) : last + 1;
  await writeSequence(deps, sequence);
  return sequence;
}

/** Where it cannot be written the node goes on with it: a number used twice costs less than a node that says nothing. */
export async function writeSequence(deps: ReportSequenceDeps, sequence: number): Promise<void> {
  const { files, log, directory, nodeName } = deps;
  const made = await files.makeDirectory(directory, { mode: 0o700 });
  const text = JSON.stringify({ host_name_override: nodeName, seq_num: sequence });
  const written = made.ok ? await files.writeAtomic(fileOf(deps), text, { mode: 0o600 }) : made;
  if (!written.ok) log.warn('reports.sequence-unwritten', { fault: written.fault.message });
}

function fileOf({ directory }: ReportSequenceDeps): string {
  return `${directory}/sequence.json`;
}

function numberIn(content: Uint8Array): number | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(content));
    const number = typeof value === 'object' && value !== null && 'seq_num' in value ? value.seq_num : undefined;
    return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
  } catch {
    return undefined;
  }
}

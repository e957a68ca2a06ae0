// `mqlet inspect`: tells where the running node's inspector is, or serves the same page on a recording until it is interrupted.
import { parseArgs } from 'node:util';
import { serveInspection } from '../daemon/inspector.ts';
import { adminClient, socketPath } from './admin-client.ts';
import { inspectRecording } from './inspect-recording.ts';
import { Refusal, wrongUsage } from './refusal.ts';
import type { Terminal } from './terminal.ts';

const usage = `Usage: mqlet inspect [flags]
       mqlet inspect FILE [flags]

Without FILE it prints the URL of the running node's inspector; the node must run with --inspector. The URL holds a token: whoever has it
can look. With FILE it serves the same page on a recording, until Ctrl-C: of everything (mqlet run --record-all), of packets (mqlet run
--record, mqlet record), or a window that was exported from the page.

      --port PORT              with FILE, the port of the page on this machine. Default: any free one
      --socket PATH            the node's admin socket
      --root-dir DIRECTORY     the node's root directory, which holds the socket
  -h, --help                   this text
`;

/** @param interrupted resolves when the user has seen enough @returns the exit code */
export async function runInspect(argv: readonly string[], terminal: Terminal, interrupted: Promise<void>): Promise<number> {
  const { file, port, help, socket, rootDir } = readWords(argv);
  if (help) {
    terminal.print(usage);
    return 0;
  }
  if (file === undefined) {
    const { url } = await adminClient(socketPath({ socket, rootDir }, terminal.environment)).inspector();
    terminal.print(`${url}\n`);
    return 0;
  }
  const { inspection, remark } = await inspectRecording(file, terminal);
  if (remark !== '') terminal.complain(`mqlet inspect: ${remark}`);
  const served = await serveInspection(inspection, { host: '127.0.0.1', port });
  if (!served.ok) throw new Refusal(served.fault);
  terminal.print(`${served.value.url}\n`);
  terminal.complain('Open it in a browser of this machine. Ctrl-C ends it.');
  await interrupted;
  await served.value.stop();
  return 0;
}

function readWords(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv], allowPositionals: true,
      options: { port: { type: 'string' }, socket: { type: 'string' }, 'root-dir': { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    const [file, ...others] = positionals;
    if (others.length > 0) throw new Error('only one recording can be inspected at once');
    const port = Number(values.port ?? 0);
    if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`--port: must be a whole number from 0 to 65535, not "${values.port}"`);
    return { file, port, help: values.help === true, socket: values.socket, rootDir: values['root-dir'] };
  } catch (error) {
    throw wrongUsage(`${(error instanceof Error ? error.message : String(error)).replace(/\.$/, '')} (see mqlet inspect --help)`);
  }
}

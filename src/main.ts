// Entry of the node daemon, `mqlet run`: arguments, signals, exit code. Nothing else.
import { forgetPart } from './adapters/forget-part.ts';
import { createJsonLog } from './adapters/json-log.ts';
import { readSettingsFile } from './adapters/settings-file.ts';
import type { ParsedConfig } from './config.ts';
import { startDaemon } from './daemon.ts';

/** A stop that takes longer is cut short; containers run on in any case. */
const stopMsMax = 4_500;

const exitUsage = 2;
const exitFailure = 1;

/** The table of settings and what reads it are needed once; a daemon that runs for months does without. */
async function readSettings(argv: readonly string[]): Promise<ParsedConfig> {
  const { parseConfig } = await import('./config.ts');
  const parsed = parseConfig(argv, process.env, readSettingsFile);
  forgetPart('config');
  return parsed;
}

async function main(): Promise<void> {
  // `mqlet run FLAGS`: the launcher hands over its own arguments.
  const argv = process.argv.slice(process.argv[2] === 'run' ? 3 : 2);
  const parsed = await readSettings(argv);
  if (parsed.kind === 'help') {
    const { runHelp } = await import('./config/describe-settings.ts');
    process.stdout.write(runHelp());
    return;
  }
  if (parsed.kind === 'faults') {
    for (const fault of parsed.faults) process.stderr.write(`mqlet run: ${fault}\n`);
    process.exitCode = exitUsage;
    return;
  }
  const log = createJsonLog({ level: parsed.config.logLevel });
  for (const warning of parsed.warnings) log.warn('settings.warning', { message: warning });

  const end = (code: number) => process.exit(code);
  const started = await startDaemon({
    config: parsed.config,
    log,
    escalate: (message) => {
      log.error('daemon.gave-up', { message });
      end(exitFailure);
    },
  });
  if (!started.ok) {
    log.error('daemon.not-started', { message: started.fault });
    return end(exitFailure);
  }
  const daemon = started.value;
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    log.info('daemon.stopping', { signal });
    void daemon.endPods().then(() => {
      setTimeout(() => end(0), stopMsMax).unref();
      return daemon.stop();
    }).then(() => end(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('uncaughtException', (error) => {
    log.error('daemon.broken-invariant', { error: error.stack ?? error.message });
    end(exitFailure);
  });
}

void main();

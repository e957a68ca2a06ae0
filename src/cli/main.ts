// Entry of every command but the daemon: process things only.
import { runCommand } from './run-command.ts';
import { processTerminal } from './terminal.ts';

// A reader that has seen enough (`| head`) closes the pipe: that is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

void runCommand(process.argv.slice(2), processTerminal()).then((code) => {
  process.exitCode = code;
});

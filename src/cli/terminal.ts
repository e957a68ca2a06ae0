// What a command needs of the process it runs in: so that tests run commands without one.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

export interface Terminal {
  /** Standard output, as it is. */
  print(text: string): void;
  /** One line on standard error. */
  complain(line: string): void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** @throws when the file cannot be read; Node's message names it */
  readFile(path: string): Uint8Array;
  readStandardInput(): Promise<string>;
  /** What is typed, line by line; `return` ends the listening. */
  readLines(): AsyncIterator<string>;
  nowMs(): number;
}

export function processTerminal(): Terminal {
  return {
    print: (output) => { process.stdout.write(output); },
    complain: (line) => { process.stderr.write(`${line}\n`); },
    environment: process.env,
    readFile: (path) => readFileSync(path),
    readStandardInput: () => text(process.stdin),
    readLines: () => createInterface({ input: process.stdin })[Symbol.asyncIterator](),
    nowMs: () => Date.now(),
  };
}

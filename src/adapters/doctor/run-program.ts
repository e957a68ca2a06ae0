// Runs a program of the machine to its end, for what it says. Never rejects, never waits long.
import { execFile } from 'node:child_process';

const timeoutMs = 10_000;
const outputBytesMax = 1_048_576;

export interface ProgramOutput {
  /** 0 is success; 127 where it does not exist. */
  readonly code: number;
  readonly output: string;
  /** First line of what it complained of. */
  readonly complaint: string;
}

export function runProgram(program: string, args: readonly string[]): Promise<ProgramOutput> {
  return new Promise((resolve) => {
    execFile(program, [...args], { timeout: timeoutMs, maxBuffer: outputBytesMax, env: { ...process.env, LC_ALL: 'C' } }, (error, stdout, stderr) => {
      const complaint = stderr.trim().split('\n')[0] ?? '';
      if (error === null) resolve({ code: 0, output: stdout, complaint });
      else resolve({ code: typeof error.code === 'number' ? error.code : error.code === 'ENOENT' ? 127 : 1, output: stdout, complaint: complaint === '' ? error.message : complaint });
    });
  });
}

// What the demo shows: one line per step with its time, then a table that redraws itself in place.
// On a terminal with a spinner and cursor movements, elsewhere plain lines, printed only when they change.
import { age, podTable, type PodRow } from './table.ts';

export interface Screen {
  /** Shows that a step has begun; its result takes the line's place. */
  begin(step: string): void;
  done(result: string): void;
  failed(): void;
  line(text: string): void;
  /** The table as it is now, over the one shown before. */
  table(rows: readonly PodRow[], footer: readonly string[]): void;
  /** Leaves the table as it stands; the next line goes below. */
  endTable(): void;
}

export interface Terminal {
  readonly isTTY: boolean;
  readonly columns: number;
  write(text: string): void;
}

const frames = ['|', '/', '-', '\\'];
const frameMs = 120;
const stepWidth = 12;
const clearLine = '\r\x1b[K';

export function openScreen(terminal: Terminal): Screen {
  const print = (text: string): void => terminal.write(`${text}\n`);
  let step = '';
  let startedMs = 0;
  let spinner: NodeJS.Timeout | undefined;
  let shownLines = 0;
  let shownText = '';

  const endStep = (result: string): void => {
    clearInterval(spinner);
    spinner = undefined;
    if (terminal.isTTY) terminal.write(clearLine);
    print(`  ${step.padEnd(stepWidth)} ${result} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`);
  };

  return {
    begin: (name) => {
      step = name;
      startedMs = performance.now();
      if (!terminal.isTTY) return;
      let turn = 0;
      const draw = (): void => {
        const waited = performance.now() - startedMs;
        terminal.write(`${clearLine}${frames[turn % frames.length]} ${name}${waited > 2_000 ? ` ${age(waited)}` : ''}`);
        turn += 1;
      };
      draw();
      spinner = setInterval(draw, frameMs);
    },
    done: endStep,
    failed: () => endStep('failed'),
    line: print,
    table: (rows, footer) => {
      const lines = [...podTable(rows, Date.now()), ...footer];
      if (terminal.isTTY) {
        const up = shownLines > 0 ? `\x1b[${shownLines}A` : '';
        terminal.write(`${up}\r\x1b[J${lines.map((text) => text.slice(0, Math.max(20, terminal.columns - 1))).join('\n')}\n`);
        shownLines = lines.length;
        return;
      }
      // Ages change every second; a log wants a line only when something happened.
      const text = JSON.stringify([rows, footer]);
      if (text !== shownText) for (const line of lines) print(line);
      shownText = text;
    },
    endTable: () => {
      shownLines = 0;
      shownText = '';
    },
  };
}

// What a demo works with: screen, log, directory, the signal to leave, and the parts that run, in order of their start.
import { SystemClock } from '../adapters/system-clock.ts';
import type { ClockPort } from '../ports/clock-port.ts';
import type { LogPort } from '../ports/log-port.ts';
import type { Result, Stoppable } from '../ports/result.ts';
import { makeDemoDirectory, type DemoDirectory } from './demo-directory.ts';
import { fileLog } from './demo-log.ts';
import type { DemoOptions } from './demo-options.ts';
import type { DemoPart, PartFault } from './part-fault.ts';
import { openScreen, type Screen } from './screen.ts';

export interface Stage {
  readonly options: DemoOptions;
  readonly places: DemoDirectory;
  readonly screen: Screen;
  readonly clock: ClockPort;
  readonly log: LogPort;
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly leaving: AbortSignal;
  /** Aborted by the second Ctrl-C: no more waiting for pods. */
  readonly hurrying: AbortSignal;
  readonly parts: { readonly name: DemoPart; readonly part: Stoppable }[];
}

/** Opens the stage and takes the signals; `close` gives them back. */
export async function openStage(options: DemoOptions): Promise<Stage & { close(): void }> {
  const places = await makeDemoDirectory();
  const leaving = new AbortController();
  const hurrying = new AbortController();
  const onSignal = (): void => {
    if (leaving.signal.aborted) hurrying.abort();
    leaving.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  const { stdout } = process;
  // Other commands end at once when their reader closes the pipe; here that only tells us to leave in order.
  stdout.removeAllListeners('error');
  stdout.on('error', () => leaving.abort());
  return {
    options,
    places,
    screen: openScreen({
      isTTY: stdout.isTTY === true,
      get columns() {
        return stdout.columns ?? 120;
      },
      write: (text) => void stdout.write(text),
    }),
    clock: new SystemClock(),
    log: fileLog(places.demoLog),
    leaving: leaving.signal,
    hurrying: hurrying.signal,
    parts: [],
    close: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}

/** Starts one part, shows how it went, and keeps it for the teardown. */
export async function startPart<T extends Stoppable>(
  stage: Stage,
  name: DemoPart,
  start: () => Promise<Result<T, PartFault>>,
  describe: (part: T) => string,
): Promise<Result<T, PartFault>> {
  stage.screen.begin(name);
  const started = await start();
  if (started.ok) {
    stage.parts.push({ name, part: started.value });
    stage.screen.done(describe(started.value));
  } else {
    stage.screen.failed();
  }
  return started;
}

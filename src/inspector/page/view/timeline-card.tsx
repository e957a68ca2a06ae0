// How long the pod was in which state: a row for each state, a bar for each stay. A click on a stay shows the page as it was then.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { layOutTimeline, type Timeline } from '../../chart/timeline-layout.ts';
import type { PodDetails } from '../../protocol.ts';
import { counted, duration, timeOfDay } from '../model/words.ts';
import { useInspector, useNow, usePage } from './hooks.ts';

/** Newest stays in the table; the drawing has them all. */
const staysShown = 20;

export function TimelineCard({ details }: { readonly details: PodDetails }) {
  const [even, setEven] = useState(true);
  const [figure, width] = useWidth();
  const nowMs = useNow();
  const { visits } = details;
  const machine = usePage(({ hello }) => hello?.machines.find(({ id }) => id === 'pod'));
  const states = useMemo(() => machine?.states.map(({ path }) => path) ?? [], [machine]);
  const timeline = useMemo(
    () => layOutTimeline({ visits, toMs: Math.max(nowMs, details.atMs), width, scale: even ? 'even' : 'linear', states }),
    [visits, nowMs, details.atMs, width, even, states],
  );
  return (
    <section class="card" aria-labelledby="timeline">
      <header>
        <h2 id="timeline">Time in each state</h2>
        <div class="parts" role="group" aria-label="Scale">
          <button class="button" aria-pressed={even} title="Short stays have room beside long ones" onClick={() => setEven(true)}>Even</button>
          <button class="button" aria-pressed={!even} title="As long as it took" onClick={() => setEven(false)}>True</button>
        </div>
      </header>
      <div class="timeline-figure" ref={figure}>{visits.length === 0 ? <p class="empty">It has not moved yet.</p> : <Drawing timeline={timeline} current={details.row.state} />}</div>
      {visits.length > 0 && <Stays details={details} nowMs={nowMs} />}
    </section>
  );
}

function Drawing({ timeline, current }: { readonly timeline: Timeline; readonly current: string }) {
  const inspector = useInspector();
  const { width, height, rows, bars, moves, ticks } = timeline;
  return (
    <svg class="timeline" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`Stays in ${counted(rows.length, 'state')}; the same as a table below.`}>
      {ticks.map(({ x, atMs }) => (
        <g key={atMs}><path class="tick" d={`M${x} 0V${height - 20}`} /><text class="tick-text" x={x} y={height - 6} text-anchor={x > width - 40 ? 'end' : 'middle'}>{timeOfDay(atMs).slice(0, 8)}</text></g>
      ))}
      {rows.map(({ state, y }) => <text key={state} class={state === current ? 'row-name current' : 'row-name'} x={0} y={y}>{state}</text>)}
      {moves.map(({ n, x, fromY, toY, on }) => <path key={n} class="move" d={`M${x} ${fromY}V${toY}`}><title>{on}</title></path>)}
      {bars.map(({ n, state, x, y, width: barWidth, height: barHeight, enteredAtMs, leftAtMs, stays, goesOn }) => (
        <rect key={n} class={goesOn ? 'stay current' : 'stay'} data-visit={state} x={x} y={y} width={Math.max(2, barWidth)} height={barHeight} rx={Math.min(3, barWidth / 2)} onClick={() => inspector.travelTo(n)}>
          <title>{`${state} from ${timeOfDay(enteredAtMs)} for ${duration(leftAtMs - enteredAtMs)}${stays > 1 ? `, ${stays} stays` : ''}`}</title>
        </rect>
      ))}
    </svg>
  );
}

function Stays({ details: { visits }, nowMs }: { readonly details: PodDetails; readonly nowMs: number }) {
  const inspector = useInspector();
  return (
    <details class="stays">
      <summary>{counted(visits.length, 'stay')} as a table</summary>
      <table class="table num">
        <thead><tr><th scope="col">State</th><th scope="col">From</th><th scope="col">For</th><th scope="col">Came by</th><th scope="col"><span class="hidden-text">Way there</span></th></tr></thead>
        <tbody>
          {visits.slice(-staysShown).reverse().map(({ n, state, enteredAtMs, leftAtMs, on }) => (
            <tr key={n}>
              <th scope="row" class="mono">{state}</th><td>{timeOfDay(enteredAtMs)}</td><td>{duration((leftAtMs ?? nowMs) - enteredAtMs)}</td><td class="mono soft">{on}</td>
              <td><button class="button quiet" aria-label={`Go to ${timeOfDay(enteredAtMs)}`} onClick={() => inspector.travelTo(n)}>Go there</button></td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

const widthPxMin = 280;

function useWidth() {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(640);
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const watcher = new ResizeObserver(() => setWidth(Math.max(widthPxMin, Math.floor(element.clientWidth) - 32)));
    watcher.observe(element);
    return () => watcher.disconnect();
  }, []);
  return [box, width] as const;
}

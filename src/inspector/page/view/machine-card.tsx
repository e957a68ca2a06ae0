// The pod's machine as a statechart: where it is, where it has been, what it took just now. The drawing is laid out elsewhere.
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { type Chart, layOutChart } from '../../chart/chart-layout.ts';
import { type ChartMarks, chartMarks } from '../../chart/chart-marks.ts';
import type { MachineDescription, PodDetails, StepEntry } from '../../protocol.ts';
import { duration } from '../model/words.ts';
import { useNow, usePage } from './hooks.ts';

export function MachineCard({ details }: { readonly details: PodDetails }) {
  const machine = usePage(({ hello }) => hello?.machines.find(({ id }) => id === (details.lastStep?.machine ?? 'pod')));
  const nowMs = useNow();
  const { row: { state, sinceMs }, lastStep } = details;
  return (
    <section class="card machine" aria-labelledby="machine">
      <header>
        <h2 id="machine">Machine</h2>
        <span class="num">in <span class="mono">{state || 'no state yet'}</span>{sinceMs > 0 && <span class="soft"> for {duration(nowMs - sinceMs)}</span>}</span>
      </header>
      {machine === undefined ? <p class="empty">Its machine is not known here.</p> : <Statechart machine={machine} details={details} />}
      {lastStep !== undefined && <LastStep step={lastStep} machine={machine} />}
    </section>
  );
}

function LastStep({ step, machine }: { readonly step: StepEntry; readonly machine: MachineDescription | undefined }) {
  const guards = machine?.transitions.filter(({ id, guard }) => guard !== '' && step.transitions.includes(id)).map(({ guard }) => guard) ?? [];
  return (
    <p class="legend"><span>Last step: <span class="mono">{step.event}</span>{guards.length > 0 && <span class="mono"> [{guards.join(', ')}]</span>}
      {step.from === step.to ? ', which left it where it was' : <span class="mono"> {step.from || 'start'} → {step.to}</span>}</span></p>
  );
}

function Statechart({ machine, details }: { readonly machine: MachineDescription; readonly details: PodDetails }) {
  const chart = useMemo(() => layOutChart(machine), [machine]);
  const { row: { state }, visits, lastStep } = details;
  const marks = useMemo(() => chartMarks(chart, { state, visits, transitions: lastStep?.transitions ?? [] }), [chart, state, visits, lastStep]);
  const figure = useRef<HTMLElement>(null);
  useEffect(() => showState(figure.current, chart, state), [chart, state]);
  return (
    <figure class="figure chart-figure" ref={figure} tabIndex={0} aria-label="Statechart, scrolls">
      <svg class="chart" role="img" width={chart.width} height={chart.height} viewBox={`0 0 ${chart.width} ${chart.height}`} aria-label={spoken(details, marks)}>
        <defs>
          <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0 8 4 0 8z" /></marker>
          <marker id="head-taken" viewBox="0 0 8 8" refX="7" refY="4" markerUnits="userSpaceOnUse" markerWidth="10" markerHeight="10" orient="auto"><path class="head-taken" d="M0 0 8 4 0 8z" /></marker>
        </defs>
        <States chart={chart} marks={marks} />
        {chart.starts.map(({ into, dot, path }) => <g key={into}><circle class="start" cx={dot.x} cy={dot.y} r={4} /><path class="edge" d={path} marker-end="url(#head)" /></g>)}
        <Arrows chart={chart} marks={marks} step={lastStep} />
      </svg>
    </figure>
  );
}

function States({ chart, marks }: { readonly chart: Chart; readonly marks: ChartMarks }) {
  return (
    <>
      {chart.states.map(({ path, name, kind, box, title, does }) => {
        const active = marks.active.has(path);
        const classes = ['state', kind, active && kind === 'compound' ? 'inside' : '', active && kind !== 'compound' ? 'active' : '', marks.visited.has(path) ? 'visited' : ''];
        return (
          <g key={path} class={classes.filter((one) => one !== '').join(' ')} data-state={path}>
            {active && kind !== 'compound' && <rect class="halo" x={box.x - 3} y={box.y - 3} width={box.width + 6} height={box.height + 6} rx={9} />}
            <rect class="box" x={box.x} y={box.y} width={box.width} height={box.height} rx={7} />
            {kind === 'final' && <rect class="box" x={box.x + 3} y={box.y + 3} width={box.width - 6} height={box.height - 6} rx={5} />}
            <text class="state-name" x={title.x} y={title.y}>{name}</text>
            {does.text !== '' && <text class="state-note" x={does.at.x} y={does.at.y}>{does.text}</text>}
          </g>
        );
      })}
    </>
  );
}

/** The drawing may be higher than its place: the active state comes into view, and the page stays where it is. */
function showState(figure: HTMLElement | null, chart: Chart, state: string): void {
  const box = chart.states.find(({ path }) => path === state)?.box;
  if (figure === null || box === undefined) return;
  figure.scrollTop = box.y + box.height / 2 - figure.clientHeight / 2;
  figure.scrollLeft = box.x + box.width / 2 - figure.clientWidth / 2;
}

/** Those taken last lie on top. A new step makes them anew, so that they are animated again. */
function Arrows({ chart, marks, step }: { readonly chart: Chart; readonly marks: ChartMarks; readonly step: StepEntry | undefined }) {
  const places = chart.arrows.map((_, place) => place);
  const ordered = [...places.filter((place) => !marks.taken.includes(place)), ...marks.taken];
  return (
    <>
      {ordered.map((place) => {
        const arrow = chart.arrows[place];
        if (arrow === undefined) return null;
        const taken = marks.taken.includes(place);
        return (
          <g key={taken ? `${place}-${step?.n}` : place} class={taken ? 'arrow taken' : 'arrow'} {...(taken ? { 'data-taken': `${arrow.from} ${arrow.to}` } : {})}>
            <path class="edge" d={arrow.path} pathLength={1} marker-end={taken ? 'url(#head-taken)' : 'url(#head)'} />
            {arrow.lines.map(({ text, ids, at }) => <text key={text} class={ids.some((id) => step?.transitions.includes(id)) ? 'edge-label just' : 'edge-label'} x={at.x} y={at.y}>{text}</text>)}
          </g>
        );
      })}
    </>
  );
}

function spoken({ row, visits, lastStep }: PodDetails, { visited }: ChartMarks): string {
  const step = lastStep === undefined ? '' : ` The last step was ${lastStep.event}, from ${lastStep.from || 'the start'} to ${lastStep.to}.`;
  return `Statechart of the pod. It is in ${row.state || 'no state yet'}, after ${visits.length} moves through ${visited.size} states.${step}`;
}

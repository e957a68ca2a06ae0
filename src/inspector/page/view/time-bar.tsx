// The bar of time: how much happened when, a slider over all that is remembered, and step keys. It moves the whole page.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Timeline } from '../../protocol.ts';
import { dayAndTime, fromNow, timeOfDay } from '../model/words.ts';
import { useInspector, usePage } from './hooks.ts';
import { Icon } from './icons.tsx';

const spans = 160;
/** The bars are asked for anew after so long; they need not be exact. */
const refreshMs = 2_000;

export function TimeBar() {
  const inspector = useInspector();
  const range = usePage((state) => state.range);
  const travel = usePage((state) => state.travel);
  const mode = usePage((state) => state.hello?.mode);
  const pod = usePage(({ route }) => (route.view === 'pod' ? route.uid : ''));
  const timeline = useTimeline(pod);
  if (range === undefined) return null;
  const live = travel === undefined;
  const atMs = live ? range.lastAtMs : (travel.picture?.atMs ?? range.lastAtMs);
  const text = live ? (mode === 'recording' ? `End, ${dayAndTime(atMs)}` : 'Now') : `${dayAndTime(atMs)}, ${fromNow(atMs, range.lastAtMs)}`;
  return (
    <footer class="time" aria-label="Time">
      <div class="time-keys" role="group" aria-label="Steps">
        <button class="button quiet icon" aria-label="To the beginning" title="To the beginning" onClick={() => inspector.travelTo(range.first)}><Icon name="first" /></button>
        <button class="button quiet icon" aria-label="One step back" title="One step back ([)" onClick={() => void inspector.step(-1)}><Icon name="back" /></button>
        <button class="button quiet icon" aria-label="One step ahead" title="One step ahead (])" disabled={live} onClick={() => void inspector.step(1)}><Icon name="ahead" /></button>
        <button class={`button time-live${live ? ' quiet' : ' main'}`} disabled={live} title="Back to now (L)" onClick={() => inspector.goLive()}><Icon name="last" />{mode === 'recording' ? 'End' : 'Live'}</button>
      </div>
      <div class="time-track">
        <Bars timeline={timeline} />
        <Slider firstMs={range.firstAtMs} lastMs={range.lastAtMs} atMs={live ? range.lastAtMs : atMs} text={text} />
      </div>
      <output class="time-text num" aria-live="off" {...(live ? {} : { 'data-n': travel.n })}>
        <span>{live ? text : timeOfDay(atMs)}</span>
        <span class="soft">{live ? `entry ${range.last.toLocaleString('en')}` : `entry ${travel.n.toLocaleString('en')} of ${range.last.toLocaleString('en')}`}</span>
      </output>
    </footer>
  );
}

interface SliderProps {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly atMs: number;
  readonly text: string;
}

/** The pointer sets a time, the arrow keys step from entry to entry. */
function Slider({ firstMs, lastMs, atMs, text }: SliderProps) {
  const inspector = useInspector();
  const [held, setHeld] = useState<number | undefined>(undefined);
  const moved = (value: number): void => {
    setHeld(value);
    if (value >= lastMs) inspector.goLive();
    else inspector.travelToTime(value);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (step !== -1 && step !== 1) return;
    event.preventDefault();
    void inspector.step(step);
  };
  return (
    <input class="time-slider" type="range" min={firstMs} max={Math.max(lastMs, firstMs + 1)} step={1} value={held ?? atMs} aria-label="Moment" aria-valuetext={text}
      onInput={({ currentTarget }) => moved(Number(currentTarget.value))} onChange={() => setHeld(undefined)} onPointerUp={() => setHeld(undefined)} onKeyDown={onKeyDown} />
  );
}

function Bars({ timeline }: { readonly timeline: Timeline | undefined }) {
  if (timeline === undefined || timeline.counts.length === 0) return <div class="time-bars" />;
  const { counts, troubles } = timeline;
  const most = Math.max(1, ...counts);
  // A root scale: a single message shows beside a burst of thousands.
  const height = (count: number): number => (count === 0 ? 0 : 3 + 21 * Math.sqrt(count / most));
  return (
    <svg class="time-bars" viewBox={`0 0 ${counts.length} 24`} preserveAspectRatio="none" aria-hidden="true">
      {counts.map((count, index) => count > 0 && <rect key={index} x={index + 0.1} width={0.8} y={24 - height(count)} height={height(count)} class="bar-calm" />)}
      {troubles.map((count, index) => count > 0 && <rect key={index} x={index + 0.1} width={0.8} y={24 - height(count)} height={height(count)} class="bar-trouble" />)}
    </svg>
  );
}

function useTimeline(pod: string): Timeline | undefined {
  const inspector = useInspector();
  const [timeline, setTimeline] = useState<Timeline | undefined>(undefined);
  const last = usePage((state) => state.range?.last ?? 0);
  const asked = useRef({ atMs: 0, pod: '', last: -1 });
  useEffect(() => {
    const before = asked.current;
    if (before.pod === pod && before.last === last) return;
    if (before.pod === pod && Date.now() - before.atMs < refreshMs) return;
    asked.current = { atMs: Date.now(), pod, last };
    void inspector.timeline(spans, pod).then((answer) => { if (answer !== undefined && asked.current.pod === pod) setTimeline(answer); });
  }, [inspector, pod, last]);
  return timeline;
}

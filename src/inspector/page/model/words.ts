// Times and durations in the words a person reads. Pure: whoever asks says what time it is.

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** `850 ms`, `12 s`, `3m 20s`, `5h 02m`, `12d 4h`: two parts at most, as kubectl counts ages. */
export function duration(ms: number): string {
  const all = Math.max(0, ms);
  if (all < secondMs) return `${Math.round(all)} ms`;
  if (all < 10 * secondMs) return `${(Math.floor(all / 100) / 10).toFixed(1)} s`;
  if (all < 2 * minuteMs) return `${Math.floor(all / secondMs)} s`;
  if (all < hourMs) return `${Math.floor(all / minuteMs)}m ${two(Math.floor((all % minuteMs) / secondMs))}s`;
  if (all < 2 * dayMs) return `${Math.floor(all / hourMs)}h ${two(Math.floor((all % hourMs) / minuteMs))}m`;
  return `${Math.floor(all / dayMs)}d ${Math.floor((all % dayMs) / hourMs)}h`;
}

/** An age in a table: one part, no fractions. */
export function age(ms: number): string {
  const all = Math.max(0, ms);
  if (all < 2 * minuteMs) return `${Math.floor(all / secondMs)}s`;
  if (all < 2 * hourMs) return `${Math.floor(all / minuteMs)}m`;
  if (all < 2 * dayMs) return `${Math.floor(all / hourMs)}h`;
  return `${Math.floor(all / dayMs)}d`;
}

/** `in 12 s`, `now`, `3.0 s ago`. */
export function fromNow(atMs: number, nowMs: number): string {
  const ms = atMs - nowMs;
  if (Math.abs(ms) < 500) return 'now';
  return ms > 0 ? `in ${duration(ms)}` : `${duration(-ms)} ago`;
}

/** Time of day in the reader's zone with milliseconds: `14:03:22.417`. */
export function timeOfDay(atMs: number): string {
  const at = new Date(atMs);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

/** `2026-03-01 14:03:22`, in the reader's zone. */
export function dayAndTime(atMs: number): string {
  const at = new Date(atMs);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** `1 pod`, `3 pods`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

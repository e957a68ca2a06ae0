// When a part of each day begins and ends. Pure: the time comes from outside.
import type { TimeWindow } from '../../ports/time-window.ts';

const dayMs = 86_400_000;
const minuteMs = 60_000;

/** Milliseconds until it opens; 0 while it is open. */
export function untilOpenMs(window: TimeWindow, nowMs: number): number {
  return untilCloseMs(window, nowMs) > 0 ? 0 : untilMinute(window.fromMinute, nowMs);
}

/** Milliseconds until it closes; 0 while it is closed, Infinity for the whole day. */
export function untilCloseMs({ fromMinute, toMinute }: TimeWindow, nowMs: number): number {
  if (fromMinute === toMinute) return Number.POSITIVE_INFINITY;
  const [toBegin, toEnd] = [untilMinute(fromMinute, nowMs), untilMinute(toMinute, nowMs)];
  // Inside, the end comes before the next beginning.
  return toEnd < toBegin ? toEnd : 0;
}

/** To the next such minute, more than 0 and at most a day. */
function untilMinute(minute: number, nowMs: number): number {
  const left = minute * minuteMs - (((nowMs % dayMs) + dayMs) % dayMs);
  return left > 0 ? left : left + dayMs;
}

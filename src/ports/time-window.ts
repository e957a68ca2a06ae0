// A part of each day, as settings write it.

/** Minutes of the day in UTC, from 0 to 1,439. The end may lie before the beginning: then it is on the next day. Both equal: the whole day. */
export interface TimeWindow {
  readonly fromMinute: number;
  readonly toMinute: number;
}

const form = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/;

/** @param text `22:00-05:30`; undefined for any other form */
export function readTimeWindow(text: string): TimeWindow | undefined {
  const [, fromHour, fromMinute, toHour, toMinute] = form.exec(text) ?? [];
  if (fromHour === undefined) return undefined;
  return { fromMinute: Number(fromHour) * 60 + Number(fromMinute), toMinute: Number(toHour) * 60 + Number(toMinute) };
}

export function timeWindowText({ fromMinute, toMinute }: TimeWindow): string {
  const text = (minute: number): string => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
  return `${text(fromMinute)}-${text(toMinute)}`;
}

// Wall milliseconds as the API writes times, always UTC. Pure arithmetic, so that it can be used where no clock may be.

/** Days from 0000-03-01 to 1970-01-01, in the Gregorian calendar. */
const epochDays = 719_468;
const daysPerEra = 146_097;

/** metav1.Time: `2026-01-31T12:00:00Z`. Fractions are cut off. */
export function rfc3339Seconds(wallMs: number): string {
  return `${dateTime(wallMs)}Z`;
}

/** metav1.MicroTime, as leases have it: `2026-01-31T12:00:00.123000Z`. */
export function rfc3339Micros(wallMs: number): string {
  const milliseconds = Math.floor(wallMs) - Math.floor(wallMs / 1_000) * 1_000;
  return `${dateTime(wallMs)}.${digits(milliseconds, 3)}000Z`;
}

function dateTime(wallMs: number): string {
  const seconds = Math.floor(wallMs / 1_000);
  const days = Math.floor(seconds / 86_400);
  const ofDay = seconds - days * 86_400;
  const time = [Math.floor(ofDay / 3_600), Math.floor(ofDay / 60) % 60, ofDay % 60].map((part) => digits(part, 2)).join(':');
  return `${date(days)}T${time}`;
}

/** Years are counted from March, so that the leap day is their last; 400 years make an era. */
function date(daysSince1970: number): string {
  const days = daysSince1970 + epochDays;
  const era = Math.floor(days / daysPerEra);
  const ofEra = days - era * daysPerEra;
  const yearOfEra = Math.floor((ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365);
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * ofYear + 2) / 153);
  const day = ofYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0');
}

const form = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/** @returns wall milliseconds; undefined when the text is no such time. The day of the month is not checked against its month. */
export function parseRfc3339(text: string): number | undefined {
  const parts = form.exec(text);
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map(Number);
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined;
  const offsetMinutes = parts[8] === undefined ? 0 : (parts[8] === '-' ? -1 : 1) * (Number(parts[9]) * 60 + Number(parts[10]));
  const fractionMs = Math.floor(Number(`0.${parts[7] ?? '0'}`) * 1_000);
  return ((daysOf(year, month, day) * 24 + hour) * 60 + minute - offsetMinutes) * 60_000 + second * 1_000 + fractionMs;
}

/** The way back of `date`. */
function daysOf(year: number, month: number, day: number): number {
  const yearFromMarch = month <= 2 ? year - 1 : year;
  const era = Math.floor(yearFromMarch / 400);
  const yearOfEra = yearFromMarch - era * 400;
  const ofYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * daysPerEra + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + ofYear - epochDays;
}

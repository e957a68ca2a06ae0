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

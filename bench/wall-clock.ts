// Wall time with fractions of a millisecond, comparable with the stamps containerd puts on its events.

/** Steps of the system clock are followed only here; between two calls the monotonic clock counts. */
let offsetMs = calibrate();

/** Milliseconds since 1970. */
export function wallMs(): number {
  return offsetMs + performance.now();
}

/** Takes up a step of the system clock. Call between measurements, never within one. */
export function recalibrate(): void {
  offsetMs = calibrate();
}

/** Date.now() has whole milliseconds: wait for the moment it turns, which takes one at most. */
function calibrate(): number {
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  return now - performance.now();
}

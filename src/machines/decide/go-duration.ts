// Durations as Go prints them, and with it everything that users of Kubernetes read.

/** `0s`, `350ms`, `1.5s`, `1m0s`, `1h2m3.004s`. Whole milliseconds; less is cut. */
export function goDuration(durationMs: number): string {
  const wholeMs = Math.trunc(durationMs);
  if (wholeMs === 0) return '0s';
  if (wholeMs < 1_000) return `${wholeMs}ms`;
  const seconds = Math.floor(wholeMs / 1_000);
  const fraction = wholeMs % 1_000 === 0 ? '' : `.${String(wholeMs % 1_000).padStart(3, '0').replace(/0+$/, '')}`;
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor(seconds / 60) % 60;
  return `${hours > 0 ? `${hours}h` : ''}${seconds >= 60 ? `${minutes}m` : ''}${seconds % 60}${fraction}s`;
}

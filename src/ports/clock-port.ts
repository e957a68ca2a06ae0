// Time. The shape of setTimeout and clearTimeout is XState's, so that one clock serves machines and actors.

export interface ClockPort {
  /** Wall time in milliseconds since 1970. May jump. */
  nowMs(): number;
  /** Milliseconds that never go back. For durations. */
  monotonicMs(): number;
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(handle: unknown): void;
}

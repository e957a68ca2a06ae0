// Randomness: jitter and identifiers from one source that can be seeded.

export interface RandomPort {
  /** Uniform in [0, 1). */
  fraction(): number;
  /** UUID version 4, lower case. */
  uuid(): string;
}

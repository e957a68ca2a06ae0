// What one part of the benchmark hands to the report.
import type { Figure } from './statistics.ts';

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A figure that a target stands for. Reported, never enforced. */
export interface Bar {
  readonly what: string;
  /** Undefined: not measured in this run. */
  readonly measured: number | undefined;
  readonly limit: number;
  /** `ms`, `MiB`, `s/min`, `×` */
  readonly unit: string;
}

/** Names carry their units: `runningMs`, `rssMib`. */
export type Figures = { readonly [name: string]: number | string | Figure | Figures | undefined };

export interface Section {
  readonly name: string;
  readonly title: string;
  readonly tables: readonly Table[];
  readonly figures: Figures;
  readonly bars: readonly Bar[];
  readonly notes: readonly string[];
}

/** `[label, min, median, p95, max]` with so many digits; dashes where nothing was measured. */
export function figureRow(label: string, figure: Figure | undefined, digits = 1): readonly string[] {
  if (figure === undefined) return [label, '–', '–', '–', '–', '0'];
  const { min, median, p95, max, samples } = figure;
  return [label, ...[min, median, p95, max].map((value) => value.toFixed(digits)), String(samples)];
}

export const figureColumns = ['min', 'median', 'p95', 'max', 'n'] as const;

// Counters, gauges and histograms, and their Prometheus text. Small on purpose: nothing is computed before somebody asks.

/** Label sets of one metric. Beyond it, further ones are counted under `other`: labels must not grow with the world. */
export const seriesMax = 200;

export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(labels?: Labels, amount?: number): void;
}

export interface Histogram {
  /** @param seconds of the thing observed */
  observe(seconds: number, labels?: Labels): void;
}

/** One value of a gauge at the time of the scrape. */
export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  lines(): Iterable<string>;
}

export class MetricsRegistry {
  readonly #metrics = new Map<string, Metric>();

  counter(name: string, help: string): Counter {
    const series = new SeriesMap(() => ({ value: 0 }));
    this.#add({ name, help, type: 'counter', lines: () => series.all().map(([labels, { value }]) => line(name, labels, value)) });
    return { add: (labels = {}, amount = 1) => { series.of(labels).value += amount; } };
  }

  /** @param read called at each scrape */
  gauge(name: string, help: string, read: () => readonly Sample[] | number | undefined): void {
    this.#sampled(name, help, 'gauge', read);
  }

  /** A counter that somebody else keeps. */
  readCounter(name: string, help: string, read: () => readonly Sample[] | number | undefined): void {
    this.#sampled(name, help, 'counter', read);
  }

  /** @param bounds upper bounds in seconds, ascending; one more bucket holds the rest */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    const series = new SeriesMap(() => ({ counts: new Array<number>(bounds.length + 1).fill(0), sum: 0 }));
    this.#add({ name, help, type: 'histogram', lines: () => series.all().flatMap(([labels, { counts, sum }]) => histogramLines(name, labels, { bounds, counts, sum })) });
    return {
      observe: (seconds, labels = {}) => {
        const one = series.of(labels);
        const index = bounds.findIndex((bound) => seconds <= bound);
        const bucket = index < 0 ? bounds.length : index;
        one.counts[bucket] = (one.counts[bucket] ?? 0) + 1;
        one.sum += seconds;
      },
    };
  }

  /** The page, in Prometheus text format 0.0.4, metrics in order of name. */
  text(): string {
    const parts: string[] = [];
    for (const { name, help, type, lines } of [...this.#metrics.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const rows = [...lines()];
      if (rows.length > 0) parts.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...rows);
    }
    return `${parts.join('\n')}\n`;
  }

  #sampled(name: string, help: string, type: 'gauge' | 'counter', read: () => readonly Sample[] | number | undefined): void {
    this.#add({ name, help, type, lines: () => {
      const samples = read();
      if (samples === undefined) return [];
      return (typeof samples === 'number' ? [{ value: samples }] : samples).map(({ labels, value }: Sample) => line(name, labels ?? {}, value));
    } });
  }

  #add(metric: Metric): void {
    if (this.#metrics.has(metric.name)) throw new Error(`metric ${metric.name} stands twice`);
    this.#metrics.set(metric.name, metric);
  }
}

class SeriesMap<T> {
  readonly #create: () => T;
  readonly #series = new Map<string, readonly [Labels, T]>();

  constructor(create: () => T) {
    this.#create = create;
  }

  of(labels: Labels): T {
    const key = keyOf(labels);
    const known = this.#series.get(key);
    if (known !== undefined) return known[1];
    if (this.#series.size >= seriesMax && !('overflow' in labels)) return this.of({ overflow: 'other' });
    const made = this.#create();
    this.#series.set(key, [labels, made]);
    return made;
  }

  all(): (readonly [Labels, T])[] {
    return [...this.#series.values()];
  }
}

function keyOf(labels: Labels): string {
  let key = '';
  for (const name in labels) key += `${name}\0${labels[name]}\0`;
  return key;
}

function histogramLines(name: string, labels: Labels, { bounds, counts, sum }: { bounds: readonly number[]; counts: readonly number[]; sum: number }): string[] {
  let total = 0;
  const buckets = counts.map((count, index) => {
    total += count;
    return line(`${name}_bucket`, { ...labels, le: bounds[index] === undefined ? '+Inf' : String(bounds[index]) }, total);
  });
  return [...buckets, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, total)];
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

// What is wrong with one object, in the API server's wording, with the path of each field. Knows no schema and no file.
import type { InputFault } from '../../ports/faults.ts';

/** A field's place, from the leaf up. `key` marks an entry of a map: it is shown in brackets, as list indexes are. */
export interface Path {
  readonly parent: Path | undefined;
  readonly segment: string | number;
  readonly key: boolean;
}

/** Problems kept of each severity; later ones are only counted. Enough to say the first and how many more. */
const problemsMax = 10;
/** Characters of an offending value shown, and of one path segment. Both can come from an attacker. */
const shownCharactersMax = 80;
/** InputFault promises no more. */
const messageCharactersMax = 1_000;

/** The field `name` of an object. */
export function field(parent: Path | undefined, name: string): Path {
  return { parent, segment: name, key: false };
}

/** The entry `key` of a map such as labels. */
export function entry(parent: Path | undefined, key: string): Path {
  return { parent, segment: key, key: true };
}

/** The element `index` of a list. */
export function element(parent: Path | undefined, index: number): Path {
  return { parent, segment: index, key: false };
}

/** Segments from the root down. */
export function segmentsOf(path: Path | undefined): readonly (string | number)[] {
  const segments: (string | number)[] = [];
  for (let at = path; at !== undefined; at = at.parent) segments.push(at.segment);
  return segments.reverse();
}

/** `spec.containers[0].image`; empty for the root. */
export function pathText(path: Path | undefined): string {
  if (path === undefined) return '';
  const before = pathText(path.parent);
  if (typeof path.segment === 'number') return `${before}[${path.segment}]`;
  const plain = /^[\w-]+$/.test(path.segment);
  if (path.key || !plain) return `${before}[${plain ? path.segment : shown(path.segment).slice(1, -1)}]`;
  return before === '' ? path.segment : `${before}.${path.segment}`;
}

/** A value as JSON on one line, cut where it is long. */
export function shown(value: unknown): string {
  const text = (typeof value === 'object' && value !== null ? (Array.isArray(value) ? '[…]' : '{…}') : JSON.stringify(value)) ?? 'null';
  return text.length <= shownCharactersMax ? text : `${text.slice(0, shownCharactersMax)}…"`;
}

interface Problem {
  readonly path: Path | undefined;
  readonly message: string;
}

/** Collects what is wrong with one object. Errors refuse it; warnings name what it runs without. */
export class Problems {
  readonly errors: Problem[] = [];
  readonly warnings: Problem[] = [];
  #errorCount = 0;
  #warningCount = 0;

  get failed(): boolean {
    return this.#errorCount > 0;
  }

  error(path: Path | undefined, message: string): void {
    this.#errorCount += 1;
    if (this.errors.length < problemsMax) this.errors.push({ path, message });
  }

  warn(path: Path | undefined, message: string): void {
    this.#warningCount += 1;
    if (this.warnings.length < problemsMax) this.warnings.push({ path, message });
  }

  required(path: Path, detail = ''): void {
    this.error(path, detail === '' ? 'Required value' : `Required value: ${detail}`);
  }

  invalid(path: Path | undefined, value: unknown, detail: string): void {
    this.error(path, `Invalid value: ${shown(value)}: ${detail}`);
  }

  unsupported(path: Path, value: unknown, supported: readonly string[]): void {
    this.error(path, `Unsupported value: ${shown(value)}: supported values: ${supported.map((one) => `"${one}"`).join(', ')}`);
  }

  duplicate(path: Path | undefined, value: unknown): void {
    this.error(path, `Duplicate value: ${shown(value)}`);
  }

  forbidden(path: Path, detail: string): void {
    this.error(path, `Forbidden: ${detail}`);
  }

  notFound(path: Path, value: unknown): void {
    this.error(path, `Not found: ${shown(value)}`);
  }

  tooMany(path: Path, sizes: { readonly count: number; readonly max: number }): void {
    this.error(path, `Too many: ${sizes.count}: must have at most ${sizes.max} items`);
  }

  tooLong(path: Path | undefined, bytesMax: number): void {
    this.error(path, `Too long: may not be more than ${bytesMax} bytes`);
  }

  /**
   * At most one error (the first, with the number of the others), or else at most `problemsMax` warnings. `everyFault`: all that were kept.
   * @param lineOf line of a path in the text the object was read from, where there is one
   */
  faults(origin: string, lineOf: (path: Path | undefined) => number | undefined, options: { readonly everyFault?: boolean } = {}): InputFault[] {
    const first = this.errors[0];
    if (options.everyFault !== true && first !== undefined) {
      return [this.#fault(origin, lineOf, { ...first, more: this.#errorCount - 1, severity: 'error' })];
    }
    const listed = (kept: readonly Problem[], count: number, severity: 'error' | 'warning') => kept.map((problem, index) =>
      this.#fault(origin, lineOf, { ...problem, more: index === kept.length - 1 ? count - kept.length : 0, severity }));
    return [...listed(this.errors, this.#errorCount, 'error'), ...listed(this.warnings, this.#warningCount, 'warning')];
  }

  #fault(
    origin: string,
    lineOf: (path: Path | undefined) => number | undefined,
    problem: Problem & { readonly more: number; readonly severity: 'error' | 'warning' },
  ): InputFault {
    const line = lineOf(problem.path);
    const fieldText = pathText(problem.path);
    const more = problem.more > 0 ? ` (and ${problem.more} more)` : '';
    return {
      origin,
      ...(line === undefined ? {} : { line }),
      ...(fieldText === '' ? {} : { field: fieldText }),
      message: `${oneLine(problem.message, messageCharactersMax - more.length)}${more}`,
      severity: problem.severity,
    };
  }
}

/** Control characters and line breaks become spaces; the end is cut at `charactersMax`. */
export function oneLine(text: string, charactersMax: number): string {
  const flat = text.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ').trim();
  return flat.length <= charactersMax ? flat : `${flat.slice(0, charactersMax - 1)}…`;
}

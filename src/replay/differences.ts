// What two runs told differently, object by object and field by field. Pure; what is to be left out has been taken out before.
import { isJsonObject, type JsonObject } from '../bus/dialects/json-value.ts';
import { normalised } from './normalise.ts';
import type { ToldObjects, ToldState } from './told-objects.ts';

export interface Difference {
  readonly object: string;
  /** Which of the object's states, and where the recording has it: `state 3, line 41`; empty where it is about the whole object. */
  readonly place: string;
  /** `status.containerStatuses[web].ready`; empty where it is about the whole. */
  readonly field: string;
  readonly recorded: string;
  readonly now: string;
}

export interface Comparison {
  readonly objects: number;
  readonly states: number;
  /** States that only one side had, and left within `passingMs`. */
  readonly passing: number;
  readonly differences: readonly Difference[];
}

/** What is coalesced into one write, and what is seen in between, follows the speed of the runtime: a state that was left sooner is no difference. */
export const passingMs = 2_000;
/** Of a value in a difference. */
const shownLengthMax = 200;
/** States of one object that are aligned; those beyond are compared in order. */
const alignedMax = 400;
const nothing = '(nothing)';
const gone = 'gone';

/** States that follow each other and do not differ after normalising are one. */
export function compareTold(recorded: ToldObjects, now: ToldObjects): Comparison {
  const names = [...new Set([...recorded.states.keys(), ...now.states.keys()])].sort();
  const differences: Difference[] = [];
  let [states, passing] = [0, 0];
  for (const object of names) {
    const [then, today] = [distinct(object, recorded.states.get(object)), distinct(object, now.states.get(object))];
    states += then.length;
    if (object.startsWith('Event ')) differences.push(...compareEvents(object, then, today));
    else if (then.length === 0 || today.length === 0) differences.push({ object, place: '', field: '', recorded: summary(then), now: summary(today) });
    else {
      const compared = compareStates(object, then, today);
      differences.push(...compared.differences);
      passing += compared.passing;
    }
  }
  return { objects: names.length, states, passing, differences };
}

interface State {
  readonly value: JsonObject | undefined;
  readonly text: string;
  readonly line: number;
  readonly sinceMs: number;
  /** It was left so soon that the other side may have missed it. */
  passes: boolean;
}

function distinct(object: string, states: readonly ToldState[] = []): readonly State[] {
  const found: State[] = [];
  for (const { value, line, sinceMs } of states) {
    const plain = value === undefined ? undefined : normalised(object, value);
    const text = plain === undefined ? gone : JSON.stringify(sorted(plain));
    const last = found.at(-1);
    if (last?.text === text) continue;
    if (last !== undefined) last.passes = sinceMs - last.sinceMs < passingMs && last.value !== undefined;
    found.push({ value: plain, text, line, sinceMs, passes: false });
  }
  return found;
}

/** Fields of a mapping have no order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, sorted(each)]));
}

function summary(states: readonly State[]): string {
  return states.length === 0 ? nothing : `${states.length} state${states.length === 1 ? '' : 's'}`;
}

/** What was told, not how often nor in which order: both follow the speed of the runtime. */
function compareEvents(object: string, then: readonly State[], today: readonly State[]): readonly Difference[] {
  const [recordedTexts, nowTexts] = [new Set(then.map(({ text }) => text)), new Set(today.map(({ text }) => text))];
  const only = (states: readonly State[], others: ReadonlySet<string>) => states.filter(({ text }) => !others.has(text));
  const [lost, added] = [only(then, nowTexts), only(today, recordedTexts)];
  const differences: Difference[] = [];
  for (let index = 0; index < Math.max(lost.length, added.length); index += 1) {
    const [one, other] = [lost[index], added[index]];
    differences.push(...fieldDifferences(one?.value, other?.value).map((field) => ({ object, place: one === undefined ? '' : `line ${one.line}`, ...field })));
  }
  return differences;
}

function compareStates(object: string, then: readonly State[], today: readonly State[]): Pick<Comparison, 'passing' | 'differences'> {
  const differences: Difference[] = [];
  let [at, other, passing] = [0, 0, 0];
  for (const [nextAt, nextOther] of [...pairs(then, today), [then.length, today.length] as const]) {
    // What lies between two states that are the same on both sides.
    for (; at < nextAt || other < nextOther;) {
      const passed = passingOne({ one: at < nextAt ? then[at] : undefined, two: other < nextOther ? today[other] : undefined }, nextAt - at - (nextOther - other));
      if (passed !== undefined) {
        passing += 1;
        if (passed === 'one') at += 1;
        else other += 1;
        continue;
      }
      const [one, two] = [at < nextAt ? then[at] : undefined, other < nextOther ? today[other] : undefined];
      const place = one === undefined ? `between states ${at} and ${at + 1}` : `state ${at + 1}, line ${one.line}`;
      differences.push(...stateDifferences({ one, two, oneBefore: then[at - 1], twoBefore: today[other - 1] }).map((field) => ({ object, place, ...field })));
      if (one !== undefined) at += 1;
      if (two !== undefined) other += 1;
    }
    [at, other] = [nextAt + 1, nextOther + 1];
  }
  return { differences, passing };
}

/** @param surplus states that the recording has more than this run, between two that are the same @returns on which side one was only passed */
function passingOne({ one, two }: Pick<Meeting, 'one' | 'two'>, surplus: number): 'one' | 'two' | undefined {
  if (one?.passes === true && surplus > 0) return 'one';
  return two?.passes === true && surplus < 0 ? 'two' : undefined;
}

interface Meeting {
  readonly one: State | undefined;
  readonly two: State | undefined;
  readonly oneBefore: State | undefined;
  readonly twoBefore: State | undefined;
}

/** A state that only one side had is told by what it changed. */
function stateDifferences({ one, two, oneBefore, twoBefore }: Meeting): readonly FieldDifference[] {
  if (one !== undefined && two !== undefined) return fieldDifferences(one.value, two.value);
  if (one !== undefined) return fieldDifferences(one.value, oneBefore?.value).map(({ field, recorded }) => ({ field, recorded, now: '(no such state)' }));
  return fieldDifferences(twoBefore?.value, two?.value).map(({ field, now }) => ({ field, recorded: '(no such state)', now }));
}

/** The longest common sequence, as pairs of indexes. */
function pairs(then: readonly State[], today: readonly State[]): readonly (readonly [number, number])[] {
  const [rows, columns] = [Math.min(then.length, alignedMax), Math.min(today.length, alignedMax)];
  const lengths = Array.from({ length: rows + 1 }, () => new Uint16Array(columns + 1));
  const length = (row: number, column: number): number => lengths[row]?.[column] ?? 0;
  for (let row = rows - 1; row >= 0; row -= 1) {
    for (let column = columns - 1; column >= 0; column -= 1) {
      const line = lengths[row];
      if (line === undefined) continue;
      line[column] = then[row]?.text === today[column]?.text ? length(row + 1, column + 1) + 1 : Math.max(length(row + 1, column), length(row, column + 1));
    }
  }
  const found: (readonly [number, number])[] = [];
  for (let row = 0, column = 0; row < rows && column < columns;) {
    if (then[row]?.text === today[column]?.text) found.push([row++, column++]);
    else if (length(row + 1, column) >= length(row, column + 1)) row += 1;
    else column += 1;
  }
  return found;
}

export type FieldDifference = Pick<Difference, 'field' | 'recorded' | 'now'>;

/** @returns nothing for equal values */
export function fieldDifferences(recorded: unknown, now: unknown, field = ''): readonly FieldDifference[] {
  if (isJsonObject(recorded) && isJsonObject(now)) {
    return namesOf(recorded, now).flatMap((name) => fieldDifferences(recorded[name], now[name], field === '' ? name : `${field}.${name}`));
  }
  if (Array.isArray(recorded) && Array.isArray(now)) {
    const [then, today] = [byName(recorded), byName(now)];
    return namesOf(then, today).flatMap((name) => fieldDifferences(then[name], today[name], `${field}[${name}]`));
  }
  return JSON.stringify(recorded) === JSON.stringify(now) ? [] : [{ field, recorded: shown(recorded), now: shown(now) }];
}

function namesOf(one: JsonObject, two: JsonObject): readonly string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(two)])];
}

/** Entries of a list by what the API tells them apart with, else by their place. */
function byName(list: readonly unknown[]): JsonObject {
  const names = list.map((each, index) => (isJsonObject(each) ? (each.name ?? each.type) : undefined) ?? String(index));
  const unique = new Set(names).size === names.length && names.every((name) => typeof name === 'string');
  return Object.fromEntries(list.map((each, index) => [unique ? String(names[index]) : String(index), each]));
}

function shown(value: unknown): string {
  const text = value === undefined ? nothing : JSON.stringify(value);
  return text.length > shownLengthMax ? `${text.slice(0, shownLengthMax)}…` : text;
}

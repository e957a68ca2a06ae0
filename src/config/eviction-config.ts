// The thresholds of eviction from the settings: signals that exist, amounts that make sense, a grace period for every soft one.
import { type EvictionSignal, evictionSignals, type EvictionThreshold, type ThresholdValue } from '../ports/eviction.ts';
import { parseQuantity } from '../ports/quantity.ts';
import { fail, ok, type Result } from '../ports/result.ts';
import { duration } from './kinds.ts';
import { defaultEvictionHard, type SettingValues } from './settings.ts';
import type { Findings } from './sources.ts';

type Pairs = Readonly<Record<string, string>>;
type EvictionValues = Pick<SettingValues, 'evictionHard' | 'evictionSoft' | 'evictionSoftGracePeriod' | 'evictionMinimumReclaim' | 'mergeDefaultEvictionSettings'>;

/** Text of both that switches a threshold off. */
const switchedOff = new Set(['0%', '100%']);
const grace = duration({ zero: 'allowed' });

/** Hard thresholds as they count: with the defaults of signals that are not named, where that is asked for. */
export function hardThresholds({ evictionHard, mergeDefaultEvictionSettings }: Pick<EvictionValues, 'evictionHard' | 'mergeDefaultEvictionSettings'>): Pairs {
  return mergeDefaultEvictionSettings ? { ...defaultEvictionHard, ...evictionHard } : evictionHard;
}

/** Hard ones first, each list in the order of the signals. */
export function evictionThresholds(values: EvictionValues, { faults }: Pick<Findings, 'faults'>): readonly EvictionThreshold[] {
  const reclaims = values.evictionMinimumReclaim;
  const graces = values.evictionSoftGracePeriod;
  for (const [flag, pairs] of [['--eviction-soft-grace-period', graces], ['--eviction-minimum-reclaim', reclaims]] as const) faults.push(...unknownSignals(flag, pairs));
  const minimumOf = (signal: EvictionSignal): Pick<EvictionThreshold, 'minimumReclaim'> => {
    const text = reclaims[signal];
    const read = text === undefined ? undefined : thresholdValue(text, { zero: 'allowed' });
    if (read?.ok === false) faults.push(`--eviction-minimum-reclaim: ${signal}: ${read.fault}`);
    return read?.ok === true ? { minimumReclaim: read.value } : {};
  };
  const ofList = (flag: string, pairs: Pairs, graceOf: (signal: EvictionSignal) => number): EvictionThreshold[] => {
    faults.push(...unknownSignals(flag, pairs));
    return evictionSignals.flatMap((signal) => {
      const text = pairs[signal];
      if (text === undefined || switchedOff.has(text)) return [];
      const value = thresholdValue(text, { zero: 'refused' });
      if (!value.ok) faults.push(`${flag}: ${signal}: ${value.fault}`);
      return value.ok ? [{ signal, value: value.value, graceMs: graceOf(signal), ...minimumOf(signal) }] : [];
    });
  };
  const hard = ofList('--eviction-hard', hardThresholds(values), () => 0);
  const soft = ofList('--eviction-soft', values.evictionSoft, (signal) => softGraceMs(signal, graces[signal], faults));
  return [...hard, ...soft];
}

function unknownSignals(flag: string, pairs: Pairs): readonly string[] {
  const known: readonly string[] = evictionSignals;
  return Object.keys(pairs).filter((name) => !known.includes(name)).map((name) => `${flag}: "${name}" is no signal; the signals are ${evictionSignals.join(', ')}`);
}

function softGraceMs(signal: EvictionSignal, text: string | undefined, faults: string[]): number {
  if (text === undefined) {
    faults.push(`--eviction-soft: ${signal} needs a grace period: --eviction-soft-grace-period=${signal}=1m30s`);
    return 0;
  }
  const read = grace.fromText(text);
  if (!read.ok) faults.push(`--eviction-soft-grace-period: ${signal} ${read.fault}`);
  return read.ok ? read.value : 0;
}

function thresholdValue(text: string, { zero }: { readonly zero: 'allowed' | 'refused' }): Result<ThresholdValue, string> {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text)?.[1];
  if (percent !== undefined) return Number(percent) <= 100 ? ok({ kind: 'percent', percent: Number(percent) }) : fail(`"${text}" is more than 100%`);
  const amount = parseQuantity(text);
  if (amount === undefined) return fail(`"${text}" is neither a quantity such as 100Mi nor per cent such as 10%`);
  return amount > 0 || (amount === 0 && zero === 'allowed') ? ok({ kind: 'amount', amount, text }) : fail(`"${text}" is not more than 0`);
}

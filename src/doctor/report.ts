// What `mqlet doctor` says: one line for each check and, where something is wrong, what is needed and the mend. Pure.
import type { Finding } from './finding.ts';

const marks = { good: '✓', warning: '!', fault: '✗' } as const;
const indent = '    ';

/** Lines for people. */
export function reportText(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ outcome, title, found, needed, mend }) => [
    `${marks[outcome]} ${title}: ${found}`,
    ...(needed === undefined ? [] : [`${indent}needed: ${needed}`]),
    ...(mend === undefined ? [] : [`${indent}mend:   ${mend}`]),
  ]);
  return `${[...lines, '', summary(findings)].join('\n')}\n`;
}

/** For programs: `good` is the exit code's word. */
export function reportJson(findings: readonly Finding[]): string {
  return `${JSON.stringify({ good: isGood(findings), findings }, null, 2)}\n`;
}

/** Warnings are limits one may live with. */
export function isGood(findings: readonly Finding[]): boolean {
  return findings.every(({ outcome }) => outcome !== 'fault');
}

function summary(findings: readonly Finding[]): string {
  const count = (outcome: Finding['outcome']): number => findings.filter((one) => one.outcome === outcome).length;
  const [faults, warnings] = [count('fault'), count('warning')];
  const said = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
  if (faults === 0) return `${said(findings.length, 'check')}, nothing stands in the way${warnings === 0 ? '' : `; ${said(warnings, 'limit')} marked with !`}`;
  return `${said(findings.length, 'check')}: ${said(faults, 'fault')} to mend${warnings === 0 ? '' : `, ${said(warnings, 'limit')} marked with !`}`;
}

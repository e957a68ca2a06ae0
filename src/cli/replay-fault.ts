// A fault of a recording as a command says it.
import type { RecordingFault } from '../replay/entries.ts';
import { Refusal } from './refusal.ts';

export function faultText(file: string, { line, message }: RecordingFault): string {
  return `${file}${line === 0 ? '' : `:${line}`}: ${message}`;
}

export function refusal(file: string, fault: RecordingFault): Refusal {
  return new Refusal(faultText(file, fault));
}

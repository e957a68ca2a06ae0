// The flags of a command with words of its own. Says what is wrong in one line.
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { wrongUsage } from '../refusal.ts';

type Flags = NonNullable<ParseArgsConfig['options']>;

/** @throws Refusal for words the command does not have */
export function flagsOf<const F extends Flags>(command: string, argv: readonly string[], options: F) {
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split(/\.\s/);
    throw wrongUsage(`${line.replace(/\.$/, '')} (see mqlet ${command} --help)`);
  }
}

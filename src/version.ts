// The version of this program, as package.json has it.
import { version as packageVersion } from '../package.json';

export const version = `v${packageVersion}`;

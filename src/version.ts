// The version of this program, as package.json has it, and what its bundles were made from.
import { version as packageVersion } from '../package.json';

export const version = `v${packageVersion}`;

export interface BuildFacts {
  /** Full hash; empty where the build did not know it. */
  readonly commit: string;
  /** The files were not those of the commit. */
  readonly modified: boolean;
  /** ISO 8601. */
  readonly committedAt: string;
  /** `esbuild 0.28.2`. */
  readonly bundler: string;
}

/** Put in by scripts/build.mjs. */
declare const mqletBuild: BuildFacts | undefined;

/** Undefined where the sources run without having been bundled. */
export const buildFacts: BuildFacts | undefined = typeof mqletBuild === 'undefined' ? undefined : mqletBuild;

// What a build is made from: version, commit and its time. The same checkout always gives the same facts.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { home } from './setup.mjs';

/**
 * Without git (a source archive), MQLET_COMMIT and SOURCE_DATE_EPOCH say it; without those it is unknown and of 1970.
 * @returns {{version: string, commit: string, modified: boolean, committedAt: string}} `commit` is empty where it is unknown;
 *   `modified`: the files are not those of the commit; `committedAt` is ISO 8601, the one date that may stand in what is built
 */
export function buildFacts() {
  const { version } = JSON.parse(readFileSync(path.join(home, 'package.json'), 'utf8'));
  const { MQLET_COMMIT: givenCommit, SOURCE_DATE_EPOCH: givenSeconds } = process.env;
  const commit = givenCommit ?? git('rev-parse', 'HEAD') ?? '';
  const seconds = Number(givenSeconds ?? git('log', '-1', '--format=%ct') ?? 0);
  const modified = givenCommit === undefined && (git('status', '--porcelain', '--untracked-files=no') ?? '') !== '';
  return { version, commit, modified, committedAt: new Date(seconds * 1000).toISOString() };
}

function git(...args) {
  try {
    return execFileSync('git', ['-C', home, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

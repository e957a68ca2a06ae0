// `npm test`: set-up, build, type check and all tests. The last line is `N passed, N failed`, with `, N skipped` when there are any.
// Arguments go to vitest: `npm test -- test/bus` runs those files.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildIfStale } from './build.mjs';
import { run, runMain, ScriptFailure, step } from './progress.mjs';
import { home, setUp } from './setup.mjs';

await runMain(async () => {
  await setUp({ system: process.env.CI === undefined ? 'wanted' : 'required', tests: true }).catch(endWithOneFailure);
  // The type check and the build count as one check each: they fail or pass like a test.
  const checks = [await passes(buildIfStale), await passes(typeCheck)];
  const counts = await runTests(process.argv.slice(2));
  const passed = counts.passed + checks.filter(Boolean).length;
  const failed = counts.failed + checks.filter((check) => !check).length;
  return summary({ passed, failed, skipped: counts.skipped });
});

/** Without set-up nothing can run; the last line is still the one that is promised. */
function endWithOneFailure(error) {
  console.error(error instanceof ScriptFailure ? error.message : error);
  console.log('0 passed, 1 failed');
  process.exit(1);
}

async function passes(check) {
  try {
    await check();
    return true;
  } catch (error) {
    console.error(error instanceof ScriptFailure ? error.message : error);
    return false;
  }
}

async function typeCheck() {
  await step('type check', async () => {
    // The page is checked with a browser's types, which the rest must not see.
    for (const project of ['.', path.join('src', 'inspector', 'page')]) {
      const tsc = [path.join(home, 'node_modules', 'typescript', 'bin', 'tsc'), '--noEmit', '--pretty', 'false', '-p', project];
      const { code, output } = await run(process.execPath, tsc, { quiet: true, directory: home });
      if (code !== 0) throw new ScriptFailure(output.trimEnd());
    }
    return 'no errors';
  });
}

async function runTests(args) {
  const directory = mkdtempSync(path.join(tmpdir(), 'mqlet-counts-'));
  const countsFile = path.join(directory, 'counts.json');
  const vitest = path.join(home, 'node_modules', 'vitest', 'vitest.mjs');
  const { code } = await run(
    process.execPath,
    [vitest, 'run', '--reporter=default', `--reporter=${path.join(home, 'scripts', 'test-reporter.mjs')}`, ...args],
    { directory: home, environment: { MQLET_TEST_COUNTS: countsFile } },
  );
  try {
    const counts = JSON.parse(readFileSync(countsFile, 'utf8'));
    if (counts.passed + counts.failed === 0) return failure(counts, 'no test ran');
    return code !== 0 && counts.failed === 0 ? failure(counts, `vitest ended with exit code ${code} although no test failed`) : counts;
  } catch {
    return failure({ passed: 0, failed: 0, skipped: [] }, `vitest ended with exit code ${code} and left no result`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function failure(counts, message) {
  console.error(message);
  return { ...counts, failed: counts.failed + 1 };
}

function summary({ passed, failed, skipped }) {
  for (const { test, reason } of skipped) console.log(`skipped: ${test}${reason === '' ? '' : ` (${reason})`}`);
  console.log(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
  return failed > 0 ? 1 : 0;
}

// Counts what vitest ran, for the last line of `npm test`. Output for people is the default reporter's work.
import { writeFileSync } from 'node:fs';

export default class CountingReporter {
  /** Counts at the end; a file that could not be loaded and a hook that failed are failures too, though no test is. */
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: [] };
    for (const module of modules) {
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
      for (const test of module.children.allTests()) countTest(counts, module, test);
    }
    writeFileSync(process.env.MQLET_TEST_COUNTS, JSON.stringify(counts));
  }
}

function countTest(counts, module, test) {
  const result = test.result();
  if (result.state === 'passed') counts.passed += 1;
  else if (result.state === 'failed') counts.failed += 1;
  else counts.skipped.push({ test: `${module.relativeModuleId}: ${test.fullName}`, reason: result.note ?? '' });
}

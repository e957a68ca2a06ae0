// The corpus of pods: every file of test/corpus on one real node, several at once, each looked at from inside or at the runtime.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { containerdProblem } from '../support/containerd.ts';
import { readCorpus } from '../support/corpus/corpus-case.ts';
import { type CorpusNode, startCorpusNode } from '../support/corpus/corpus-node.ts';
import { runCase } from '../support/corpus/corpus-run.ts';

const problem = await containerdProblem();
const corpus = readCorpus();

describe.skipIf(problem)(`the corpus on containerd${problem === undefined ? '' : ` (${problem})`}`, () => {
  let node: CorpusNode;
  beforeAll(async () => {
    node = await startCorpusNode();
  });
  afterAll(() => node?.stop());

  it('given the corpus, when it is counted, then it is whole, and every case has a sentence of its own', () => {
    expect(corpus.length).toBeGreaterThanOrEqual(60);
    expect(new Set(corpus.map(({ sentence }) => sentence)).size).toBe(corpus.length);
  });

  // As many at once as vitest's maxConcurrency says.
  it.concurrent.each(corpus.map((one) => [one.file, one.sentence, one] as const))('%s: %s', async (_file, _sentence, one) => {
    await runCase(node.node, one, node.values);
  });
});

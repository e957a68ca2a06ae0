// Pulls shared, limited and tried with several credentials.
import { describe, expect, test } from 'vitest';
import { PullQueue, type PullRights, pullsWaitingMax } from '../../src/actors/pull-queue.ts';
import { fail, ok } from '../../src/ports/result.ts';
import type { ImagesPort, PullAuth } from '../../src/ports/runtime-port.ts';

const anonymous: PullRights = { auths: [], origin: '' };
const auth = (username: string): PullAuth => ({ username, password: '', auth: '', serverAddress: '', identityToken: '', registryToken: '' });

/** A registry that answers when told to: only the user named may pull. */
function registry(welcome: string | undefined) {
  const asked: string[] = [];
  const waiting: (() => void)[] = [];
  const pull: ImagesPort['pull'] = async (image, given) => {
    asked.push(`${image} ${given?.username ?? '-'}`);
    await new Promise<void>((resolve) => waiting.push(resolve));
    return given?.username === welcome ? ok(`id of ${image}`) : fail({ kind: 'rejected', message: `${given?.username ?? 'nobody'} may not`, grpcCode: 2 });
  };
  const answerAll = async () => {
    for (let round = 0; round < 20; round += 1) {
      for (const answer of waiting.splice(0)) answer();
      await Promise.resolve();
    }
  };
  const images: Pick<ImagesPort, 'pull'> = { pull };
  return { asked, answerAll, images: images as ImagesPort }; // The queue only pulls.
}

describe('pull queue', () => {
  test('given one image wanted three times, when pulled, then once for each origin of rights', async () => {
    const { asked, answerAll, images } = registry(undefined);
    const queue = new PullQueue(images, 9, () => 0);
    const pulls = [queue.pull('a', anonymous), queue.pull('a', anonymous), queue.pull('a', { auths: [auth('u')], origin: 'Secret x' })];
    await answerAll();
    expect(asked).toEqual(['a -', 'a u']);
    expect((await Promise.all(pulls)).map(({ result }) => result.ok)).toEqual([true, true, false]);
  });

  test('given a limit of two, when four images are wanted, then two are pulled at once and the time of waiting does not count', async () => {
    let nowMs = 0;
    const { asked, answerAll, images } = registry(undefined);
    const queue = new PullQueue(images, 2, () => nowMs);
    const pulls = ['a', 'b', 'c', 'd'].map((image) => queue.pull(image, anonymous));
    await Promise.resolve();
    expect(asked).toEqual(['a -', 'b -']);
    nowMs = 500;
    await answerAll();
    expect(asked).toEqual(['a -', 'b -', 'c -', 'd -']);
    expect((await Promise.all(pulls)).map(({ tookMs }) => tookMs)).toEqual([500, 500, 0, 0]);
  });

  test.each([
    ['the second may', 'b', ok('id of a'), ['a a', 'a b']],
    ['none may', 'z', fail({ kind: 'rejected', message: '[a may not, b may not, c may not]', grpcCode: 2 }), ['a a', 'a b', 'a c']],
  ])('given three credentials of which %s, when pulled, then they are tried in order', async (_name, welcome, expected, tried) => {
    const { asked, answerAll, images } = registry(welcome);
    const pulled = new PullQueue(images, 1, () => 0).pull('a', { auths: [auth('a'), auth('b'), auth('c')], origin: 'Secret x' });
    await answerAll();
    expect((await pulled).result).toEqual(expected);
    expect(asked).toEqual(tried);
  });

  test('given a queue that is full, when one more comes, then it is refused at once', async () => {
    const { images } = registry(undefined);
    const queue = new PullQueue(images, 1, () => 0);
    for (let number = 0; number <= pullsWaitingMax; number += 1) void queue.pull(`image-${number}`, anonymous);
    expect((await queue.pull('one-more', anonymous)).result).toMatchObject({ ok: false, fault: { kind: 'rejected' } });
  });
});

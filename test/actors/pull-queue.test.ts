// Pulls shared, limited and tried with several credentials.
import { describe, expect, test } from 'vitest';
import { abandonedAfterMs, PullQueue, type PullRights, pullsWaitingMax } from '../../src/actors/pull-queue.ts';
import { VirtualClock } from '../../src/adapters/sim/virtual-clock.ts';
import { fail, ok } from '../../src/ports/result.ts';
import type { ImagesPort, PullAuth } from '../../src/ports/images-port.ts';

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
  return { asked, answerAll, images: { pull, progress: async () => ok('') } };
}

const queueOf = (images: Pick<ImagesPort, 'pull' | 'progress'>, pullsMax: number, clock = new VirtualClock()) => new PullQueue({ images, pullsMax, clock, progressDeadlineMs: 300_000 });

/** A registry that never answers; `progress` is what the runtime tells. */
function silence(progress: ImagesPort['progress'] = async () => ok('same')) {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const ended: string[] = [];
  const pull: ImagesPort['pull'] = (image, _auth, _config, { signal } = {}) => {
    asked.push(image);
    return new Promise((resolve) => signal?.addEventListener('abort', () => {
      ended.push(image);
      resolve(fail({ kind: 'unavailable', message: 'cancelled' }));
    }));
  };
  return { clock, asked, ended, queue: queueOf({ pull, progress }, 1, clock) };
}

describe('pull queue', () => {
  test('given one image wanted three times, when pulled, then once for each origin of rights', async () => {
    const { asked, answerAll, images } = registry(undefined);
    const queue = queueOf(images, 9);
    const pulls = [queue.pull('a', anonymous), queue.pull('a', anonymous), queue.pull('a', { auths: [auth('u')], origin: 'Secret x' })];
    await answerAll();
    expect(asked).toEqual(['a -', 'a u']);
    expect((await Promise.all(pulls)).map(({ result }) => result.ok)).toEqual([true, true, false]);
  });

  test('given a limit of two, when four images are wanted, then two are pulled at once and the time of waiting does not count', async () => {
    const clock = new VirtualClock();
    const { asked, answerAll, images } = registry(undefined);
    const queue = queueOf(images, 2, clock);
    const pulls = ['a', 'b', 'c', 'd'].map((image) => queue.pull(image, anonymous));
    await Promise.resolve();
    expect(asked).toEqual(['a -', 'b -']);
    await clock.advance(500);
    await answerAll();
    expect(asked).toEqual(['a -', 'b -', 'c -', 'd -']);
    expect((await Promise.all(pulls)).map(({ tookMs }) => tookMs)).toEqual([500, 500, 0, 0]);
  });

  test.each([
    ['the second may', 'b', ok('id of a'), ['a a', 'a b']],
    ['none may', 'z', fail({ kind: 'rejected', message: '[a may not, b may not, c may not]', grpcCode: 2 }), ['a a', 'a b', 'a c']],
  ])('given three credentials of which %s, when pulled, then they are tried in order', async (_name, welcome, expected, tried) => {
    const { asked, answerAll, images } = registry(welcome);
    const pulled = queueOf(images, 1).pull('a', { auths: [auth('a'), auth('b'), auth('c')], origin: 'Secret x' });
    await answerAll();
    expect((await pulled).result).toEqual(expected);
    expect(asked).toEqual(tried);
  });

  test('given a queue that is full, when one more comes, then it is refused at once', async () => {
    const { images } = registry(undefined);
    const queue = queueOf(images, 1);
    for (let number = 0; number <= pullsWaitingMax; number += 1) void queue.pull(`image-${number}`, anonymous);
    expect((await queue.pull('one-more', anonymous)).result).toMatchObject({ ok: false, fault: { kind: 'rejected' } });
  });

  test('given a pull without progress, when the deadline has passed, then it is ended and the next one has its turn', async () => {
    const { clock, asked, ended, queue } = silence();
    const [first] = [queue.pull('a', anonymous), queue.pull('b', anonymous)];
    await clock.advance(300_000);
    expect(ended).toEqual([]);
    await clock.advance(60_000);
    expect((await first).result).toEqual(fail({ kind: 'unavailable', message: 'the pull has made no progress for 5m0s' }));
    expect([asked, ended]).toEqual([['a', 'b'], ['a']]);
    queue.stop();
    await clock.settle();
    expect(clock.pendingTimers()).toEqual([]);
  });

  test.each([
    ['gets on', () => { let bytes = 0; return async () => ok(String(bytes++)); }],
    ['is of a runtime that does not tell', () => async () => fail({ kind: 'unimplemented' as const, message: 'unknown service' })],
  ])('given a pull that %s, when hours pass, then it goes on', async (_what, progress) => {
    const { clock, ended, queue } = silence(progress());
    void queue.pull('a', anonymous);
    await clock.advance(4 * 3_600_000);
    expect(ended).toEqual([]);
    queue.stop();
  });

  test('given pods that want an image no more, when the last has gone and none comes again, then its pull is ended', async () => {
    const { clock, asked, ended, queue } = silence();
    const pods = [new AbortController(), new AbortController()];
    for (const { signal } of pods) void queue.pull('a', anonymous, signal);
    const waiting = new AbortController();
    const inLine = queue.pull('b', anonymous, waiting.signal);
    pods[0]?.abort();
    await clock.advance(abandonedAfterMs);
    expect(ended).toEqual([]);
    pods[1]?.abort();
    await clock.advance(abandonedAfterMs - 1);
    const again = new AbortController();
    void queue.pull('a', anonymous, again.signal);
    await clock.advance(60_000);
    expect(ended).toEqual([]);
    waiting.abort();
    await clock.advance(abandonedAfterMs);
    again.abort();
    await clock.advance(abandonedAfterMs);
    expect([asked, ended]).toEqual([['a'], ['a']]);
    expect((await inLine).result).toMatchObject({ ok: false, fault: { message: 'nobody wants it any more' } });
    expect(clock.pendingTimers()).toEqual([]);
  });
});

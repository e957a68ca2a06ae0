// Watches: what a reader sees, from when, and when it is let go.
import { describe, expect, test } from 'vitest';
import { watchBacklogBytesMax, watchesMax } from '../../src/api-server/watches.ts';
import { ApiWorld, configMap, configMapsUrl, podNamed, podsUrl } from '../support/api-world.ts';

describe('a watch', () => {
  test('given no version, when it begins, then what there is comes first and every change after it', async () => {
    const world = new ApiWorld();
    await world.post(configMapsUrl, configMap('a'));
    const watch = await world.watch(configMapsUrl);
    await world.post(configMapsUrl, configMap('b'));
    await world.patch(`${configMapsUrl}/a`, { data: { x: '1' } });
    await world.delete(`${configMapsUrl}/b`);
    expect(watch.words()).toEqual(['ADDED a', 'ADDED b', 'MODIFIED a', 'DELETED b']);
  });

  test('given the version of a list, when it begins there, then it shows what changed since, and nothing twice', async () => {
    const world = new ApiWorld();
    await world.post(configMapsUrl, configMap('a'));
    const { body } = await world.get(configMapsUrl);
    await world.post(configMapsUrl, configMap('b'));
    const watch = await world.watch(`${configMapsUrl}?resourceVersion=${String(body['metadata'].resourceVersion)}`);
    await world.delete(`${configMapsUrl}/a`);
    expect(watch.words()).toEqual(['ADDED b', 'DELETED a']);
    const versions = watch.events().map(({ object }) => Number(object['metadata'].resourceVersion));
    expect([...versions].sort((a, b) => a - b)).toEqual(versions);
    expect(versions.at(-1)).toBe((await world.server).store.version);
  });

  test('given a selector, when an object begins or ceases to match, then it comes and goes', async () => {
    const world = new ApiWorld();
    const watch = await world.watch(`${podsUrl}?fieldSelector=spec.nodeName%3Dedge`);
    await world.addNode('edge');
    await world.post(podsUrl, podNamed('web', { schedulerName: 'another' }));
    await world.post(`${podsUrl}/web/binding`, { target: { kind: 'Node', name: 'edge' } });
    const labelled = await world.watch(`${podsUrl}?labelSelector=app&resourceVersion=${(await world.server).store.version}`);
    await world.patch(`${podsUrl}/web`, { metadata: { labels: { app: 'x' } } });
    await world.patch(`${podsUrl}/web`, { metadata: { labels: { app: null } } });
    expect(watch.words()).toEqual(['ADDED web', 'MODIFIED web', 'MODIFIED web']);
    expect(labelled.words()).toEqual(['ADDED web', 'DELETED web']);
    expect(labelled.events()[1]?.['object'].metadata.labels).toEqual({ app: 'x' });
  });

  test('given sendInitialEvents, when it begins, then a bookmark ends the beginning', async () => {
    const world = new ApiWorld();
    await world.post(configMapsUrl, configMap('a'));
    const watch = await world.watch(`${configMapsUrl}?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`);
    expect(watch.events().map(({ type }) => type)).toEqual(['ADDED', 'BOOKMARK']);
    expect(watch.events()[1]?.['object'].metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
  });

  test('given bookmarks, when time goes by, then they tell the version of the whole store', async () => {
    const world = new ApiWorld();
    const watch = await world.watch(`${configMapsUrl}?allowWatchBookmarks=true`);
    await world.post('/api/v1/namespaces', { metadata: { name: 'shop' } });
    await world.clock.advance(61_000);
    const { type, object } = watch.events().at(-1) ?? {};
    expect([type, Number(object['metadata'].resourceVersion)]).toEqual(['BOOKMARK', (await world.server).store.version]);
  });

  test('given a past that is forgotten, when it begins there, then it is told 410 and ends', async () => {
    const world = new ApiWorld();
    await world.post(configMapsUrl, configMap('a'));
    const again = new ApiWorld({ files: world.files });
    const watch = await again.watch(`${configMapsUrl}?resourceVersion=1`);
    expect(watch.events()).toMatchObject([{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: expect.stringContaining('too old resource version: 1 (') } }]);
    expect(watch.ended).toBe(true);
  });

  test('given a reader that is too slow, when its backlog is full, then its watch ends and the others go on', async () => {
    const world = new ApiWorld();
    const [slow, quick] = [await world.watch(configMapsUrl), await world.watch(configMapsUrl)];
    slow.backlogBytes = watchBacklogBytesMax + 1;
    await world.post(configMapsUrl, configMap('a'));
    await world.post(configMapsUrl, configMap('b'));
    expect([slow.ended, slow.words(), quick.ended, quick.words()]).toEqual([true, ['ADDED a'], false, ['ADDED a', 'ADDED b']]);
  });

  test('given a time limit, when it is over, then the watch ends and no timer stays', async () => {
    const world = new ApiWorld();
    const watch = await world.watch(`${configMapsUrl}?timeoutSeconds=5`);
    await world.clock.advance(5_000);
    expect(watch.ended).toBe(true);
    await (await world.server).stop();
    expect(world.clock.pendingTimers()).toEqual([]);
  });

  test('given as many as there may be, when one more is opened, then it is told to come later', async () => {
    const world = new ApiWorld();
    const open = await Promise.all(Array.from({ length: watchesMax }, () => world.watch(configMapsUrl)));
    const refused = await world.get(`${configMapsUrl}?watch=true`);
    expect([refused.status, refused.body['reason'], refused.headers['retry-after']]).toEqual([429, 'TooManyRequests', '1']);
    await open[0]?.close();
    expect((await world.watch(configMapsUrl)).status).toBe(200);
  });

  test('given a Table is asked for, when events come, then only the first names the columns', async () => {
    const world = new ApiWorld();
    const watch = await world.watch(podsUrl, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } });
    await world.post(podsUrl, podNamed('a'));
    await world.post(podsUrl, podNamed('b'));
    const tables = watch.events().filter(({ type }) => type === 'ADDED').map(({ object }) => [object['kind'], object['columnDefinitions'] !== null, object['rows'][0].cells[0]]);
    expect(tables).toEqual([['Table', true, 'a'], ['Table', false, 'b']]);
  });
});

// What a watcher of the bus can tell of pulls, probes and writes agrees with what the node's parts would say.
import { describe, expect, test } from 'vitest';
import type { Messages, Topic } from '../../src/bus/messages.ts';
import { factsOfNews, newsOf, noNews, type WhyNews, whyNews } from '../../src/inspector/why-news.ts';
import { aContainer, aPod, uid } from '../support/pods.ts';

const pod = aPod({ containers: [aContainer('app', { readinessProbe: { httpGet: { port: 8080, path: '/ready' }, periodSeconds: 5 } })] });

/** Messages at whole seconds. */
function told(...messages: readonly { [T in Topic]: readonly [second: number, topic: T, payload: Messages[T]] }[Topic][]): WhyNews {
  return messages.reduce((news, [second, topic, payload]) => {
    const one = { topic, payload, at: second * 1_000 };
    expect(newsOf(one)).toBe(uid);
    return whyNews(news, one);
  }, noNews);
}

const noted = (second: number, reason: string, message: string) =>
  [second, 'event.noted', { subject: { kind: 'Pod', pod, fieldPath: 'spec.containers{app}' }, type: 'Warning', reason, message }] as const;
const write = { id: 'w1', writer: 'status-reporter', lane: `pod/${uid}`, kind: 'Pod', namespace: 'default', name: 'web', verb: 'delete', uid, gracePeriodSeconds: 0 } as const;

describe('news for a why', () => {
  test('given a pull that fails twice, when asked, then message and back-off are those of the image actor', () => {
    const failed = told(noted(10, 'Pulling', 'Pulling image "r/app:1"'), noted(12, 'Failed', 'Failed to pull image "r/app:1": not found'));
    const common = { container: 'app', image: 'r/app:1', pullsMax: 0, progressDeadlineMs: 0 };
    expect(factsOfNews(failed, pod).pulls).toEqual([{ ...common, phase: 'failed', sinceMs: 12_000, message: 'not found', notBeforeMs: 22_000 }]);
    const again = [noted(23, 'Pulling', 'Pulling image "r/app:1"'), noted(24, 'Failed', 'Failed to pull image "r/app:1": not found')].reduce((news, [second, topic, payload]) => whyNews(news, { topic, payload, at: second * 1_000 }), failed);
    expect(factsOfNews(again, pod).pulls).toEqual([{ ...common, phase: 'failed', sinceMs: 24_000, message: 'not found', notBeforeMs: 44_000 }]);
  });

  test('given a pull that succeeds, when asked, then nothing is pulled any more', () => {
    expect(factsOfNews(told(noted(1, 'Pulling', 'Pulling image "r/app:1"')), pod).pulls).toMatchObject([{ phase: 'pulling', sinceMs: 1_000 }]);
    expect(factsOfNews(told(noted(1, 'Pulling', 'Pulling image "r/app:1"'), noted(4, 'Pulled', 'Successfully pulled')), pod).pulls).toEqual([]);
  });

  test('given failures of a probe, when asked, then they are counted until it succeeds or the container starts anew', () => {
    const unready = told(noted(1, 'Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 503'), noted(6, 'Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 503'));
    const fact = { container: 'app', kind: 'readiness', asks: 'HTTP GET :8080/ready', successThreshold: 1, failureThreshold: 3 };
    expect(factsOfNews(unready, pod).probes).toEqual([{ ...fact, last: { outcome: 'failure', message: 'HTTP probe failed with statuscode: 503' }, times: 2, nextAtMs: 11_000 }]);
    const ready = whyNews(unready, { topic: 'probe.changed', at: 11_000, payload: { pod, container: 'app', containerId: 'c' as never, probe: 'readiness', result: 'success', message: '' } });
    expect(factsOfNews(ready, pod).probes).toMatchObject([{ last: { outcome: 'success' }, times: 1, nextAtMs: 16_000 }]);
    const [second, topic, payload] = noted(12, 'Started', 'Started container app');
    expect(factsOfNews(whyNews(ready, { topic, payload, at: second * 1_000 }), pod).probes).toEqual([]);
  });

  test('given a write, when it is refused and then accepted, then the API is behind until it is not', () => {
    expect(factsOfNews(told([5, 'api.write', write]), pod).report).toMatchObject({ what: 'deletion', sinceMs: 5_000, inFlight: true, fault: '', nextAtMs: 0 });
    const refused = told([5, 'api.write', write], [7, 'api.settled', { write, outcome: { kind: 'unanswered', message: 'no answer within 10s' } }]);
    expect(factsOfNews(refused, pod).report).toMatchObject({ sinceMs: 5_000, inFlight: false, fault: 'no answer within 10s', nextAtMs: 17_000 });
    expect(factsOfNews(told([5, 'api.write', write], [6, 'api.settled', { write, outcome: { kind: 'accepted' } as never }]), pod).report).toBeUndefined();
  });

  test('given messages of others, when looked at, then they are nobody\'s news', () => {
    expect(newsOf({ topic: 'event.noted', at: 1, payload: { subject: { kind: 'Node' }, type: 'Normal', reason: 'Starting', message: '' } })).toBeUndefined();
    expect(newsOf({ topic: 'mqtt.link', at: 1, payload: { state: 'up', reason: '' } })).toBeUndefined();
  });
});

// The answer first: one sentence that says what the pod waits for, since when, what is false, and what happens next and when.
import { sentenceAt } from '../../../ports/why.ts';
import type { Why } from '../../protocol.ts';
import type { Tone } from '../model/pod-list.ts';
import { dayAndTime, duration, fromNow } from '../model/words.ts';
import { useNow } from './hooks.ts';

export function WhyCard({ why, tone }: { readonly why: Why; readonly tone: Tone }) {
  const nowMs = useNow();
  return (
    <section class={`why edge-${tone}`} aria-labelledby="why-title">
      <h2 id="why-title">Why?</h2>
      {/* Its times go on; read aloud is only what is new. */}
      <p class="why-sentence" aria-hidden="true" data-why>{sentenceAt(why.template, nowMs)}</p>
      <p class="hidden-text" role="status">{why.sentence}</p>
      <dl class="why-facts num">
        {why.sinceMs > 0 && <div><dt>Since</dt><dd title={dayAndTime(why.sinceMs)}>{duration(nowMs - why.sinceMs)}</dd></div>}
        {why.condition !== '' && <div><dt>Not true</dt><dd class="mono">{why.condition}</dd></div>}
        {(why.next !== '' || why.nextAtMs > 0) && (
          <div><dt>Next</dt><dd>{why.next}{why.nextAtMs > 0 && <strong class="why-when"> {fromNow(why.nextAtMs, nowMs)}</strong>}</dd></div>
        )}
      </dl>
    </section>
  );
}

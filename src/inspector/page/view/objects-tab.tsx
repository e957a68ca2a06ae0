// What the pod should be, what it is and what was planned last; and what of it differs between two moments.
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { PodDetails } from '../../protocol.ts';
import { objectMoments, podObjects } from '../model/pod-objects.ts';
import { timeOfDay } from '../model/words.ts';
import { DifferenceList } from './difference-list.tsx';
import { useInspector } from './hooks.ts';

const parts = ['spec', 'status', 'plan', 'metadata'] as const;
type Part = (typeof parts)[number];

export function ObjectsTab({ details }: { readonly details: PodDetails }) {
  const [part, setPart] = useState<Part>('status');
  const [earlierN, setEarlierN] = useState(0);
  const earlier = usePodAt(details, earlierN);
  const objects = useMemo(() => podObjects(details), [details]);
  const before = useMemo(() => (earlier === undefined ? undefined : podObjects(earlier)), [earlier]);
  const moments = objectMoments(details);
  return (
    <section class="card" aria-label="Spec, status and plan">
      <header class="bar">
        <div class="parts" role="group" aria-label="Part">
          {parts.map((one) => <button key={one} class="button" aria-pressed={one === part} onClick={() => setPart(one)}>{one}</button>)}
        </div>
        <span class="grow" />
        <label class="compare">Compare with
          <select class="field" value={earlierN} onChange={({ currentTarget }) => setEarlierN(Number(currentTarget.value))}>
            <option value={0}>nothing</option>
            {moments.map(({ n, atMs, what }) => <option key={n} value={n}>{timeOfDay(atMs)} {what}</option>)}
          </select>
        </label>
      </header>
      {earlierN !== 0 && before === undefined && <p class="empty">Asking for that moment…</p>}
      {before !== undefined && <DifferenceList before={before[part]} after={objects[part]} part={part} />}
      {earlierN === 0 && <pre class="payload object" tabIndex={0} aria-label={part}>{objects[part] === undefined ? 'There is none yet.' : JSON.stringify(objects[part], null, 2)}</pre>}
    </section>
  );
}

/** The pod as it was after entry `n`; undefined for 0 and until it has come. */
function usePodAt({ uid }: PodDetails, n: number): PodDetails | undefined {
  const inspector = useInspector();
  const [found, setFound] = useState<PodDetails | undefined>(undefined);
  useEffect(() => {
    let wanted = true;
    setFound(undefined);
    if (n > 0) void inspector.pod(uid, n).then((answer) => { if (wanted) setFound(answer); });
    return () => { wanted = false; };
  }, [inspector, uid, n]);
  return found;
}

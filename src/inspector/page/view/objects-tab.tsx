// What the pod should be, what it is, and what was planned last.
import type { PodDetails } from '../../protocol.ts';

export function ObjectsTab({ details: { pod, plan } }: { readonly details: PodDetails }) {
  return (
    <section class="card" aria-label="Objects">
      <pre class="payload" tabIndex={0} aria-label="Spec, status and plan">{JSON.stringify({ ...pod, plan }, null, 2)}</pre>
    </section>
  );
}

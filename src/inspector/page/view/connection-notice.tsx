// What stands between the page and the node: no connection, a refusal, a recording that is still being read.
import { usePage } from './hooks.ts';

export function ConnectionNotice() {
  const connection = usePage((state) => state.connection);
  const progress = usePage((state) => state.progress);
  const live = usePage((state) => state.live !== undefined);
  if (connection.kind === 'refused') {
    return <div class="notice tone-bad" role="alert"><strong>The node refused this page.</strong> {connection.reason}. The command <code>mqlet inspect</code> prints a fresh address.</div>;
  }
  if (connection.kind === 'waiting') {
    const reason = connection.reason === '' ? 'It does not answer, or this address is of an earlier run' : connection.reason;
    return (
      <div class="notice tone-wait" role="alert">
        <strong>No connection to the node.</strong> {reason}; the page tries again by itself. <code>mqlet inspect</code> prints the address of now.
      </div>
    );
  }
  if (progress !== undefined) {
    return (
      <div class="notice" role="status">
        <label for="reading">Reading the recording…</label> <progress id="reading" max={progress.of} value={progress.done} />
      </div>
    );
  }
  return live ? null : <div class="notice" role="status">Asking the node…</div>;
}

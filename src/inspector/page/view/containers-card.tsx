// The containers of a pod: state, image, probes, and the back-off with the time of the next attempt.
import type { ContainerDetails, ProbeDetails } from '../../protocol.ts';
import type { Tone } from '../model/pod-list.ts';
import { counted, duration, fromNow } from '../model/words.ts';
import { useNow } from './hooks.ts';

const kinds: Readonly<Record<ContainerDetails['kind'], string>> = { init: 'init', sidecar: 'sidecar', app: '', ephemeral: 'ephemeral' };

export function ContainersCard({ containers }: { readonly containers: readonly ContainerDetails[] }) {
  return (
    <section class="card" aria-labelledby="containers">
      <header><h2 id="containers">Containers</h2><span class="soft num">{containers.length}</span></header>
      {containers.length === 0 && <p class="empty">None has been made yet.</p>}
      <ul class="containers">{containers.map((container) => <Container key={container.name} container={container} />)}</ul>
    </section>
  );
}

function toneOf({ state, ready, exitCode = 0, reason, kind }: ContainerDetails): Tone {
  if (state === 'running') return ready || kind === 'init' ? 'good' : 'wait';
  if (state === 'terminated') return exitCode === 0 ? 'idle' : 'bad';
  return /BackOff|Err|Invalid|Failed/.test(reason) ? 'bad' : 'wait';
}

function Container({ container }: { readonly container: ContainerDetails }) {
  const nowMs = useNow();
  const { name, kind, image, state, reason, message, restarts, sinceMs, exitCode, backoff, probes, ready } = container;
  const tone = toneOf(container);
  const word = state === 'running' ? (ready ? 'running, ready' : 'running, not ready') : reason || state;
  return (
    <li class="container" data-container={name}>
      <div class="container-head">
        <h3 class="cut">{name}</h3>
        {kinds[kind] !== '' && <span class="soft">{kinds[kind]}</span>}
        <span class={`badge tone-${tone}`}><span class="dot" aria-hidden="true" /><span>{word}</span></span>
        <span class="grow" />
        {sinceMs > 0 && <span class="soft num">{duration(nowMs - sinceMs)}</span>}
      </div>
      <p class="mono soft cut" title={image}>{image}</p>
      {message !== '' && <p class="container-message">{message}</p>}
      <p class="soft num">
        {counted(restarts, 'restart')}{exitCode !== undefined && `, last exit code ${exitCode}`}
      </p>
      {backoff !== undefined && <Backoff backoff={backoff} nowMs={nowMs} />}
      {probes.length > 0 && <ul class="probes">{probes.map((probe) => <Probe key={probe.kind} probe={probe} nowMs={nowMs} />)}</ul>}
    </li>
  );
}

function Backoff({ backoff: { delayMs, nextAttemptAtMs }, nowMs }: { readonly backoff: NonNullable<ContainerDetails['backoff']>; readonly nowMs: number }) {
  const leftMs = nextAttemptAtMs - nowMs;
  return (
    <div class="backoff">
      <span class="num">next attempt <strong>{fromNow(nextAttemptAtMs, nowMs)}</strong> <span class="soft">after a back-off of {duration(delayMs)}</span></span>
      <meter min={0} max={Math.max(1, delayMs)} value={Math.max(0, Math.min(delayMs, delayMs - leftMs))} aria-label="Of the back-off has passed" />
    </div>
  );
}

const probeTones: Readonly<Record<ProbeDetails['result'], Tone>> = { success: 'good', failure: 'bad', undecided: 'wait' };

function Probe({ probe: { kind, asks, result, message, atMs }, nowMs }: { readonly probe: ProbeDetails; readonly nowMs: number }) {
  return (
    <li class="probe" data-probe={kind}>
      <span class={`badge tone-${probeTones[result]}`}>{kind}</span>
      <span class="mono soft">{asks}</span>
      <span>{result}{atMs > 0 && <span class="soft num"> {fromNow(atMs, nowMs)}</span>}</span>
      {message !== '' && <span class="probe-message soft">{message}</span>}
    </li>
  );
}

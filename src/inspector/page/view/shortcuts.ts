// Keys that work anywhere on the page, but not while somebody types.
import type { Inspector } from '../live/inspector.ts';

export const shortcuts: readonly { readonly keys: readonly string[]; readonly what: string }[] = [
  { keys: ['1'], what: 'Pods' },
  { keys: ['2'], what: 'Bus' },
  { keys: ['3'], what: 'Actors' },
  { keys: ['4'], what: 'Node' },
  { keys: ['/'], what: 'Filter the list in view' },
  { keys: ['↑', '↓'], what: 'Move through a list' },
  { keys: ['['], what: 'One step back in time' },
  { keys: [']'], what: 'One step ahead' },
  { keys: ['L'], what: 'Back to now' },
  { keys: ['Esc'], what: 'From a pod back to the list' },
  { keys: ['?'], what: 'This list' },
];

const views = { 1: 'pods', 2: 'bus', 3: 'actors', 4: 'node' } as const;

/** @returns stops listening */
export function startShortcuts(inspector: Inspector, openHelp: () => void): () => void {
  const actions: Readonly<Record<string, () => void>> = {
    '[': () => void inspector.step(-1),
    ']': () => void inspector.step(1),
    l: () => inspector.goLive(),
    '?': openHelp,
    '/': () => document.querySelector<HTMLElement>('[data-filter]')?.focus(),
    Escape: () => { if (inspector.state.route.view === 'pod') inspector.go({ view: 'pods' }); },
    ...Object.fromEntries(Object.entries(views).map(([key, view]) => [key, () => inspector.go({ view })])),
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.altKey || event.ctrlKey || event.metaKey || document.querySelector('dialog[open]') !== null) return;
    if (isTyping(event.target)) {
      if (event.key === 'Escape' && event.target instanceof HTMLElement) event.target.blur();
      return;
    }
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  };
  addEventListener('keydown', onKey);
  return () => removeEventListener('keydown', onKey);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.matches('textarea, select, [contenteditable]') || (target instanceof HTMLInputElement && target.type !== 'range' && target.type !== 'checkbox'));
}

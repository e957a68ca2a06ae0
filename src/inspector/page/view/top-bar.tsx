// The bar at the top: whose page this is, whether it is live, the theme, the keys.
import { useState } from 'preact/hooks';
import { nodeHealth } from '../model/node-health.ts';
import { shown } from '../model/page-state.ts';
import { chooseTheme, type ThemeChoice, themeChoice } from '../live/theme.ts';
import { useNow, usePage } from './hooks.ts';
import { Icon } from './icons.tsx';

export function TopBar({ openHelp }: { readonly openHelp: () => void }) {
  const hello = usePage((state) => state.hello);
  return (
    <header class="top">
      <a class="brand" href="#/pods"><span aria-hidden="true" class="mark" />mqlet<span class="brand-what"> inspector</span></a>
      {hello !== undefined && (
        <a class="top-node cut" href="#/node" title={`version ${hello.version}`}>
          <strong>{hello.node}</strong>{hello.mode === 'recording' && <span class="soft"> from {hello.file}</span>}
        </a>
      )}
      <Health />
      <span class="grow" />
      <Presence />
      <ThemeSwitch />
      <button class="button quiet icon" aria-label="Keys" title="Keys (?)" onClick={openHelp}><Icon name="help" /></button>
    </header>
  );
}

/** What is wrong with the node, from any view. */
function Health() {
  const facts = usePage((state) => shown(state).picture?.node);
  const nowMs = useNow();
  if (facts === undefined) return null;
  const ill = nodeHealth(facts, nowMs).filter(({ tone }) => tone === 'bad');
  return (
    <span class="top-health" role="status" aria-live="polite">
      {ill.map(({ name, word }) => <span class="badge tone-bad" key={name}><span class="dot" aria-hidden="true" /><span>{name} {word}</span></span>)}
    </span>
  );
}

function Presence() {
  const connection = usePage((state) => state.connection.kind);
  const mode = usePage((state) => state.hello?.mode);
  const travels = usePage((state) => state.travel !== undefined);
  const [tone, word] = travels ? ['wait', 'In the past'] : connection !== 'open' ? ['bad', 'Not connected'] : mode === 'recording' ? ['idle', 'Recording'] : ['good', 'Live'];
  return <span class={`badge presence tone-${tone}`} role="status"><span class="dot" aria-hidden="true" /><span>{word}</span></span>;
}

const themes: readonly { readonly choice: ThemeChoice; readonly icon: 'half' | 'sun' | 'moon'; readonly label: string }[] = [
  { choice: 'system', icon: 'half', label: 'as the system' },
  { choice: 'light', icon: 'sun', label: 'light' },
  { choice: 'dark', icon: 'moon', label: 'dark' },
];

function ThemeSwitch() {
  const [choice, setChoice] = useState(themeChoice);
  const at = themes.findIndex((theme) => theme.choice === choice);
  const theme = themes[at];
  const next = themes[(at + 1) % themes.length];
  if (theme === undefined || next === undefined) return null;
  const change = (): void => {
    chooseTheme(next.choice);
    setChoice(next.choice);
  };
  return <button class="button quiet icon theme" data-theme-choice={choice} aria-label={`Colours: ${theme.label}. Change to ${next.label}`} title={`Colours: ${theme.label}`} onClick={change}><Icon name={theme.icon} /></button>;
}

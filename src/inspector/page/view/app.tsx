// The page's frame: the bar with the node, the ways to the views, the view itself, and the bar of time.
import { useEffect, useState } from 'preact/hooks';
import { isPodTab } from '../model/route.ts';
import { ActorsView } from './actors-view.tsx';
import { BusView } from './bus-view.tsx';
import { ConnectionNotice } from './connection-notice.tsx';
import { HelpDialog } from './help-dialog.tsx';
import { useInspector, useMedia, usePage, wideQuery } from './hooks.ts';
import { NodeView } from './node-view.tsx';
import { PodView } from './pod-view.tsx';
import { PodsView } from './pods-view.tsx';
import { startShortcuts } from './shortcuts.ts';
import { SideBar } from './side-bar.tsx';
import { TimeBar } from './time-bar.tsx';
import { TopBar } from './top-bar.tsx';

export function App({ token }: { readonly token: string }) {
  const inspector = useInspector();
  const [help, setHelp] = useState(false);
  const ready = usePage((state) => state.live !== undefined);
  const travels = usePage((state) => state.travel !== undefined);
  useEffect(() => startShortcuts(inspector, () => setHelp(true)), [inspector]);
  return (
    <div class={`shell${travels ? ' past' : ''}`}>
      <a class="skip" href="#main" onClick={focusMain}>To the content</a>
      <TopBar openHelp={() => setHelp(true)} />
      <SideBar />
      <main id="main" tabIndex={-1}>
        <ConnectionNotice />
        {ready && <View token={token} />}
      </main>
      {ready && <TimeBar />}
      {help && <HelpDialog close={() => setHelp(false)} />}
    </div>
  );
}

function View({ token }: { readonly token: string }) {
  const route = usePage((state) => state.route);
  const wide = useMedia(wideQuery);
  switch (route.view) {
    case 'pods': return <PodsView chosen="" narrow={false} />;
    case 'pod': {
      const tab = isPodTab(route.tab) ? route.tab : 'overview';
      if (!wide) return <PodView key={route.uid} uid={route.uid} tab={tab} />;
      return <div class="split"><PodsView chosen={route.uid} narrow /><PodView key={route.uid} uid={route.uid} tab={tab} /></div>;
    }
    case 'bus': return <BusView token={token} />;
    case 'actors': return <ActorsView />;
    case 'node': return <NodeView />;
    default: route satisfies never;
  }
  return null;
}

/** The part behind `#` is the route: the link moves the focus and leaves the address alone. */
function focusMain(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

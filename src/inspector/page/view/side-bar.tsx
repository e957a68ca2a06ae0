// The ways to the views: a rail beside the content, a bar below it on phones.
import { countPods } from '../model/pod-list.ts';
import { shown } from '../model/page-state.ts';
import { usePage } from './hooks.ts';
import { Icon, type IconName } from './icons.tsx';

const views: readonly { readonly view: string; readonly label: string; readonly icon: IconName }[] = [
  { view: 'pods', label: 'Pods', icon: 'pods' },
  { view: 'bus', label: 'Bus', icon: 'bus' },
  { view: 'actors', label: 'Actors', icon: 'actors' },
  { view: 'node', label: 'Node', icon: 'node' },
];

export function SideBar() {
  const current = usePage(({ route }) => (route.view === 'pod' ? 'pods' : route.view));
  const pods = usePage((state) => shown(state).picture?.pods);
  const troubled = pods === undefined ? 0 : countPods(pods.values()).troubled;
  return (
    <nav class="side" aria-label="Views">
      {views.map(({ view, label, icon }) => (
        <a key={view} href={`#/${view}`} {...(view === current ? { 'aria-current': 'page' as const } : {})}>
          <Icon name={icon} /><span>{label}</span>
          {view === 'pods' && troubled > 0 && <span class="side-count num" title={`${troubled} in trouble`}>{troubled}<span class="hidden-text"> in trouble</span></span>}
        </a>
      ))}
    </nav>
  );
}

// Where on the page a person is, as the part of the address behind `#`: it can be kept, sent and reached with the back button. Pure.

export type PodTab = 'overview' | 'messages' | 'objects';
export type Route =
  | { readonly view: 'pods' }
  | { readonly view: 'pod'; readonly uid: string; readonly tab: PodTab }
  | { readonly view: 'bus' }
  | { readonly view: 'actors' }
  | { readonly view: 'node' };

const podTabs: ReadonlySet<string> = new Set<PodTab>(['overview', 'messages', 'objects']);

/** Anything unknown leads to the pods. */
export function readRoute(hash: string): Route {
  const [view = '', given = '', tab = ''] = hash.replace(/^#\/?/, '').split('/');
  if (view === 'bus' || view === 'actors' || view === 'node') return { view };
  const uid = decoded(given);
  if (view !== 'pods' || uid === '') return { view: 'pods' };
  return { view: 'pod', uid, tab: isPodTab(tab) ? tab : 'overview' };
}

export function isPodTab(text: string): text is PodTab {
  return podTabs.has(text);
}

export function routeHash(route: Route): string {
  if (route.view !== 'pod') return `#/${route.view}`;
  return `#/pods/${encodeURIComponent(route.uid)}${route.tab === 'overview' ? '' : `/${route.tab}`}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

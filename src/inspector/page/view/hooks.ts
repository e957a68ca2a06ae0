// How views come by the page's state and the time. A view is drawn again only when what it reads has changed.
import { createContext } from 'preact';
import { useContext, useEffect, useReducer, useRef } from 'preact/hooks';
import type { Inspector, InspectorState } from '../live/inspector.ts';

const Context = createContext<Inspector | undefined>(undefined);
export const InspectorProvider = Context.Provider;

export function useInspector(): Inspector {
  const inspector = useContext(Context);
  if (inspector === undefined) throw new Error('a view stands outside the inspector');
  return inspector;
}

/** @param read must answer the same object for the same state */
export function usePage<T>(read: (state: InspectorState) => T): T {
  const inspector = useInspector();
  const [, again] = useReducer((count: number) => count + 1, 0);
  const value = read(inspector.state);
  const last = useRef({ read, value });
  last.current = { read, value };
  useEffect(() => inspector.onChange(() => {
    if (!Object.is(last.current.read(inspector.state), last.current.value)) again(0);
  }), [inspector]);
  return value;
}

const tickMs = 1_000;

/** The node's time now, or that of the moment shown; goes on by itself while live. Wall milliseconds. */
export function useNow(): number {
  const [, again] = useReducer((count: number) => count + 1, 0);
  const inspector = useInspector();
  useEffect(() => {
    const timer = setInterval(() => { if (inspector.state.travel === undefined) again(0); }, tickMs);
    return () => clearInterval(timer);
  }, [inspector]);
  const { travel, hello, live, clockAheadMs } = inspector.state;
  if (travel?.picture !== undefined) return travel.picture.atMs;
  return hello?.mode === 'recording' ? (live?.atMs ?? 0) : Date.now() + clockAheadMs;
}

/** Whether a media query holds now. */
export function useMedia(query: string): boolean {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const list = matchMedia(query);
    const changed = (): void => again(0);
    list.addEventListener('change', changed);
    return () => list.removeEventListener('change', changed);
  }, [query]);
  return matchMedia(query).matches;
}

export const phoneQuery = '(max-width: 640px)';
export const wideQuery = '(min-width: 1320px)';

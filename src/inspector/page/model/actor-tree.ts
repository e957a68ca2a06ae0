// Actors as a tree, flat for a list: each with its depth, below the one that made it. Pure.
import type { ActorRow } from '../../protocol.ts';

export interface TreeRow {
  readonly actor: ActorRow;
  /** 1 at the top. */
  readonly level: number;
  readonly children: number;
  readonly open: boolean;
}

/** Deeper ones are shown at this depth: parents that name each other in a circle end somewhere. */
const levelMax = 12;

/**
 * @param closed ids of actors whose children are folded away
 * @param text in id, state or fault; those found are shown with all above them
 */
export function actorTree(known: ReadonlyMap<string, ActorRow>, closed: ReadonlySet<string>, text: string): readonly TreeRow[] {
  const actors = withParents(known);
  const wanted = text.trim().toLowerCase();
  const shownIds = wanted === '' ? undefined : foundWithParents(actors, wanted);
  const childrenOf = new Map<string, ActorRow[]>();
  for (const actor of actors.values()) {
    if (shownIds !== undefined && !shownIds.has(actor.id)) continue;
    const parent = actors.has(actor.parent) && actor.parent !== actor.id ? actor.parent : '';
    const siblings = childrenOf.get(parent);
    if (siblings === undefined) childrenOf.set(parent, [actor]);
    else siblings.push(actor);
  }
  const rows: TreeRow[] = [];
  walk('', 1);
  return rows;

  function walk(parent: string, level: number): void {
    const children = childrenOf.get(parent) ?? [];
    children.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
    for (const actor of children) {
      const open = shownIds !== undefined || !closed.has(actor.id);
      rows.push({ actor, level, children: childrenOf.get(actor.id)?.length ?? 0, open });
      if (open && level < levelMax) walk(actor.id, level + 1);
    }
  }
}

/** A supervisor that never published anything is known only by its children. */
function withParents(known: ReadonlyMap<string, ActorRow>): ReadonlyMap<string, ActorRow> {
  const all = new Map(known);
  for (const { parent } of known.values()) if (parent !== '' && !all.has(parent)) all.set(parent, { ...silentActor, id: parent });
  return all;
}

const silentActor: ActorRow = {
  id: '', parent: '', state: '', machine: '', pod: '', sent: 0, lastAtMs: 0, mailbox: 0, mailboxMax: 0, restarts: 0, faults: 0, lastFault: '', doing: [],
};

function foundWithParents(actors: ReadonlyMap<string, ActorRow>, wanted: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const actor of actors.values()) {
    if (!`${actor.id} ${actor.state} ${actor.lastFault}`.toLowerCase().includes(wanted)) continue;
    for (let at: ActorRow | undefined = actor; at !== undefined && !found.has(at.id); at = actors.get(at.parent)) found.add(at.id);
  }
  return found;
}

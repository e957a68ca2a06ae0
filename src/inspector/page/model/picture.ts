// What the page shows of the node at one moment, put together from a snapshot and the batches after it. Pure; what did not change is shared.
import type { ActorRow, Batch, Moment, NodeFacts, PodSummary } from '../../protocol.ts';

export interface Picture {
  /** The entry it takes in last. */
  readonly n: number;
  /** The node's time, wall milliseconds. */
  readonly atMs: number;
  readonly node: NodeFacts;
  readonly pods: ReadonlyMap<string, PodSummary>;
  readonly actors: ReadonlyMap<string, ActorRow>;
}

export function pictureOf({ n, atMs, node, pods, actors }: Moment): Picture {
  return { n, atMs, node, pods: new Map(pods.map((row) => [row.uid, row])), actors: new Map(actors.map((row) => [row.id, row])) };
}

/** Rows of the batch replace those of the same `uid` or `id`. */
export function pictureAfter(picture: Picture, { n, atMs, node, pods, gonePods, actors, goneActors }: Batch): Picture {
  return {
    n,
    atMs,
    node: node ?? picture.node,
    pods: withRows(picture.pods, pods, gonePods, (row) => row.uid),
    actors: withRows(picture.actors, actors, goneActors, (row) => row.id),
  };
}

function withRows<Row>(rows: ReadonlyMap<string, Row>, changed: readonly Row[], gone: readonly string[], keyOf: (row: Row) => string): ReadonlyMap<string, Row> {
  if (changed.length === 0 && gone.length === 0) return rows;
  const next = new Map(rows);
  for (const row of changed) next.set(keyOf(row), row);
  for (const key of gone) next.delete(key);
  return next;
}

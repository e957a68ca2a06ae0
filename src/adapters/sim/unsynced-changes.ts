// What a disk has been told and may not have on its plates: the changes since the last sync, to be taken back when the power goes.
// As on a file system with a journal: a sync brings everything before it to the disk, and what is lost is the newest part.
import type { RandomPort } from '../../ports/random-port.ts';

/** The kernel writes by itself what is older. */
const commitAfterMs = 5_000;

interface Change {
  readonly atMs: number;
  undo(): void;
}

export class UnsyncedChanges {
  #changes: Change[] = [];

  note(atMs: number, undo: () => void): void {
    this.#changes = this.#changes.filter((change) => atMs - change.atMs < commitAfterMs);
    this.#changes.push({ atMs, undo });
  }

  /** Something was brought to the disk, and all before it. */
  synced(): void {
    this.#changes = [];
  }

  /** The power goes: some of the newest changes have never happened. */
  lose(atMs: number, random: RandomPort): void {
    const open = this.#changes.filter((change) => atMs - change.atMs < commitAfterMs);
    const lost = Math.floor(random.fraction() * (open.length + 1));
    for (const { undo } of open.slice(open.length - lost).reverse()) undo();
    this.#changes = [];
  }
}

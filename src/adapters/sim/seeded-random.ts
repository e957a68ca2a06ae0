// RandomPort from a seed: the same seed gives the same numbers and identifiers on every machine. Not for secrets.
import type { RandomPort } from '../../ports/random-port.ts';

/** Draws thrown away at the start, so that near seeds do not give near first numbers. */
const warmUpDraws = 12;

export class SeededRandom implements RandomPort {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed any text or number; `1` and `'1'` are the same seed */
  constructor(seed: string | number) {
    this.#seed = String(seed);
    this.#a = hash(this.#seed, 0x9e3779b9);
    this.#b = hash(this.#seed, 0x85ebca6b);
    this.#c = hash(this.#seed, 0xc2b2ae35);
    for (let draw = 0; draw < warmUpDraws; draw++) this.#next();
  }

  fraction(): number {
    return this.#next() / 0x1_0000_0000;
  }

  uuid(): string {
    const hex = [0, 1, 2, 3].map(() => this.#next().toString(16).padStart(8, '0')).join('');
    const variant = ((parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }

  /** Whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.fraction() * (max - min + 1));
  }

  /**
   * A further source from the same seed, named: what one part draws does not shift what another part gets.
   * Equal names give equal sources.
   */
  fork(name: string): SeededRandom {
    return new SeededRandom(`${this.#seed}/${name}`);
  }

  /** Generator sfc32 (Doty-Humphrey): three words of state and a counter. */
  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}

/** FNV-1a over UTF-16 units with a mixing end, so that one changed bit of the seed changes all of the state. */
function hash(text: string, salt: number): number {
  let value = 0x811c9dc5 ^ salt;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  value = Math.imul(value ^ (value >>> 15), 0x846ca68b);
  return (value ^ (value >>> 16)) | 0;
}

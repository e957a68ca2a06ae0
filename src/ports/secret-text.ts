// A secret on its way through the program. Whatever prints records shows nothing of it: log lines, bus taps, the inspector, recordings.

/** Parts that are loaded later have a copy of this class: all copies know each other by it. */
const brand = Symbol.for('mqlet.secret-text');

export class SecretText {
  readonly [brand] = true;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Whichever copy of the program made it. */
  static isOne(value: unknown): value is SecretText {
    return typeof value === 'object' && value !== null && brand in value;
  }

  /** The only way to the text. */
  reveal(): string {
    return this.#text;
  }

  toJSON(): string {
    return 'hidden';
  }

  toString(): string {
    return 'hidden';
  }
}

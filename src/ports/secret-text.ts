// A secret on its way through the program. Whatever prints records shows nothing of it: log lines, bus taps, the inspector, recordings.

export class SecretText {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
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

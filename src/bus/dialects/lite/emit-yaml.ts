// JSON values to the YAML text the released agent writes (spec A3.2): sorted keys, quoting that YAML 1.1 and 1.2 read alike,
// folding at 80 columns. It writes data of ours; it must not be used to judge data of others.
import { isJsonObject, type JsonObject } from '../json-value.ts';
import { scalarText } from './emit-scalar.ts';

/** @returns YAML text that ends in a line feed. Fields whose value is `undefined` are left out, as JSON.stringify does. */
export function emitYaml(value: JsonObject): string {
  const emitter = new Emitter();
  emitter.document(value);
  return emitter.text;
}

class Emitter {
  text = '';

  document(value: JsonObject): void {
    if (isEmpty(value)) this.text += '{}\n';
    else this.#mapping(value, 0, false);
  }

  /** @param inline the first key continues the line of a list's dash */
  #mapping(mapping: JsonObject, indent: number, inline: boolean): void {
    let onLine = inline;
    for (const key of Object.keys(mapping).sort()) {
      const value = mapping[key];
      if (value === undefined) continue;
      if (!onLine) this.text += ' '.repeat(indent);
      onLine = false;
      const keyText = scalarText(key, { indent: 0, column: 0, key: true });
      this.text += keyText;
      this.text += ':';
      this.#mappingValue(value, indent, keyText.length);
    }
  }

  #mappingValue(value: unknown, indent: number, keyLength: number): void {
    if (Array.isArray(value) && value.length > 0) {
      this.text += '\n';
      // The dash of a list stands in the column of its key.
      this.#sequence(value, indent, false);
    } else if (isJsonObject(value) && !isEmpty(value)) {
      this.text += '\n';
      this.#mapping(value, indent + 2, false);
    } else {
      this.#scalar(value, indent + 2, indent + keyLength + 2);
    }
  }

  #sequence(list: readonly unknown[], indent: number, inline: boolean): void {
    let onLine = inline;
    for (const item of list) {
      if (!onLine) this.text += ' '.repeat(indent);
      onLine = false;
      this.text += '-';
      if (Array.isArray(item) && item.length > 0) {
        this.text += ' ';
        this.#sequence(item, indent + 2, true);
      } else if (isJsonObject(item) && !isEmpty(item)) {
        this.text += ' ';
        this.#mapping(item, indent + 2, true);
      } else {
        this.#scalar(item, indent + 2, indent + 2);
      }
    }
  }

  #scalar(value: unknown, indent: number, column: number): void {
    this.text += ' ';
    this.text += scalarText(value, { indent, column, key: false });
    this.text += '\n';
  }
}

function isEmpty(mapping: JsonObject): boolean {
  for (const key in mapping) if (mapping[key] !== undefined) return false;
  return true;
}

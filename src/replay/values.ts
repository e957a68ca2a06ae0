// Plain data as JSON and back, for recordings: what JSON has no word for is written as an object with one key that begins with `$`.
// Functions are the caller's business: they are numbered on the way out and made anew on the way in.

/** Deeper values are no plain data: our own mistake. */
const depthMax = 64;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

// Any function at all: only identity and calling matter here.
export type AnyFunction = (...args: readonly unknown[]) => unknown;

/** @param numberOf number of a function found in the value */
export function encodeValue(value: unknown, numberOf: (found: AnyFunction) => number, depth = 0): unknown {
  if (depth > depthMax) throw new Error(`a value is nested deeper than ${depthMax}`);
  switch (typeof value) {
    case 'undefined':
      return { $undefined: true };
    case 'number':
      return Number.isFinite(value) ? value : { $number: String(value) };
    case 'function':
      // typeof says that it can be called.
      return { $function: numberOf(value as AnyFunction) };
    case 'object': {
      const inside = (each: unknown): unknown => encodeValue(each, numberOf, depth + 1);
      if (value === null) return null;
      if (value instanceof Uint8Array) return encodeBytes(value);
      if (Array.isArray(value)) return value.map(inside);
      if (value instanceof Map) return { $map: [...value].map((pair) => pair.map(inside)) };
      if (value instanceof Error) return { $error: value.message };
      return encodeFields(value, inside);
    }
    default:
      return value;
  }
}

/** Text where it is text, which is smaller and can be read. */
function encodeBytes(bytes: Uint8Array): unknown {
  try {
    const text = utf8.decode(bytes);
    return { $text: text };
  } catch {
    return { $bytes: Buffer.from(bytes).toString('base64') };
  }
}

function encodeFields(value: object, inside: (each: unknown) => unknown): unknown {
  const fields: Record<string, unknown> = {};
  for (const [key, each] of Object.entries(value)) {
    if (each !== undefined) fields[key.startsWith('$') ? `$${key}` : key] = inside(each);
  }
  return fields;
}

/** @param functionOf makes the function of a number */
export function decodeValue(value: unknown, functionOf: (number: number) => AnyFunction): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const inside = (each: unknown): unknown => decodeValue(each, functionOf);
  if (Array.isArray(value)) return value.map(inside);
  const entries = Object.entries(value);
  const [only] = entries;
  if (only !== undefined && entries.length === 1) {
    const [key, content] = only;
    const special = specials[key];
    if (special !== undefined) return special(content, functionOf);
  }
  return Object.fromEntries(entries.map(([key, each]) => [key.startsWith('$$') ? key.slice(1) : key, inside(each)]));
}

const specials: Readonly<Record<string, (content: unknown, functionOf: (number: number) => AnyFunction) => unknown>> = {
  $undefined: () => undefined,
  $number: (content) => Number(content),
  $text: (content) => new Uint8Array(Buffer.from(String(content), 'utf8')),
  $bytes: (content) => new Uint8Array(Buffer.from(String(content), 'base64')),
  $error: (content) => new Error(String(content)),
  $function: (content, functionOf) => functionOf(Number(content)),
  $map: (content, functionOf) => new Map((Array.isArray(content) ? content : []).map((pair: unknown) => {
    const [key, each] = Array.isArray(pair) ? pair.map((one: unknown) => decodeValue(one, functionOf)) : [];
    return [key, each] as const;
  })),
};

/**
 * The value with each function in it replaced, or the value itself where it has none. An object of a class is taken for its methods.
 */
export function withFunctions(value: unknown, replace: (found: AnyFunction) => AnyFunction, depth = 0): unknown {
  if (typeof value === 'function') return replace(value as AnyFunction); // typeof says that it can be called
  if (typeof value !== 'object' || value === null || depth > depthMax) return value;
  if (value instanceof Uint8Array || value instanceof Map || value instanceof Error) return value;
  const inside = (each: unknown): unknown => withFunctions(each, replace, depth + 1);
  if (Array.isArray(value)) {
    const items = value.map(inside);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  const entries = isPlain(value) ? Object.entries(value) : methodsOf(value);
  const replaced = entries.map(([key, each]) => [key, inside(each)] as const);
  return isPlain(value) && replaced.every(([, each], index) => each === entries[index]?.[1]) ? value : Object.fromEntries(replaced);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Own and inherited methods, bound. */
function methodsOf(value: object): readonly (readonly [name: string, method: AnyFunction])[] {
  const found = new Map<string, AnyFunction>();
  for (let level: unknown = value; typeof level === 'object' && level !== null && level !== Object.prototype; level = Object.getPrototypeOf(level)) {
    for (const [name, { value: method }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (typeof method === 'function' && name !== 'constructor' && !found.has(name)) found.set(name, (method as AnyFunction).bind(value)); // typeof says that it can be called
    }
  }
  return [...found];
}

import { SafetensorsError } from './errors.ts';

/** An entry of the header as it stands there, unchecked beyond its form. */
export interface HeaderTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly tensors: readonly HeaderTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Sticky, so that nothing is searched for. */
const numberToken = /(?:0|[1-9]\d*)(?![\d.eE])/y;
const spaceToken = /[ \t\n\r]*/y;

/**
 * Reads the one form of JSON that a safetensors header has. `JSON.parse` won't do: it keeps the last of two tensors with
 * one name, moves names that look like numbers to the front, and takes `__proto__` for something else.
 *
 * @throws SafetensorsError
 */
export function parseHeader(text: string): Header {
  return new HeaderReader(text).read();
}

class HeaderReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Header {
    const tensors: HeaderTensor[] = [];
    let metadata: [string, string][] = [];
    // The format wants the brace in the first byte; spaces may follow the last one, as padding.
    if (!this.#text.startsWith('{')) throw this.#error('an opening brace');
    this.#object((name) => {
      if (name === '__metadata__') metadata = this.#metadata();
      else tensors.push(this.#tensor(name));
    });
    if (this.#at !== this.#text.length) throw this.#error('the end');
    return { tensors, metadata: Object.fromEntries(metadata) };
  }

  #tensor(name: string): HeaderTensor {
    let dtype: string | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    this.#object((field) => {
      if (field === 'dtype') dtype = this.#string();
      else if (field === 'shape') shape = this.#numbers();
      else if (field === 'data_offsets') offsets = this.#numbers();
      else throw new SafetensorsError(`tensor ${quoted(name)} has an unknown field ${quoted(field)}`);
    });
    const [begin, end, ...others] = offsets ?? [];
    if (dtype === undefined || shape === undefined || begin === undefined || end === undefined || others.length > 0) {
      throw new SafetensorsError(`tensor ${quoted(name)} needs dtype, shape and two data_offsets`);
    }
    return { name, dtype, shape, begin, end };
  }

  #metadata(): [string, string][] {
    const entries: [string, string][] = [];
    this.#object((name) => entries.push([name, this.#string()]));
    return entries;
  }

  /** An object; `value` must read what follows the colon. Two fields of one name are refused. */
  #object(value: (name: string) => void): void {
    const names = new Set<string>();
    this.#sequence('{', '}', () => {
      const name = this.#string();
      if (names.has(name)) throw new SafetensorsError(`the name ${quoted(name)} occurs twice in the header`);
      names.add(name);
      this.#expect(':');
      value(name);
    });
  }

  #numbers(): number[] {
    const values: number[] = [];
    this.#sequence('[', ']', () => {
      const value = Number(this.#token(numberToken, 'a whole number'));
      if (!Number.isSafeInteger(value)) throw new SafetensorsError(`${value} in the header is beyond any file`);
      values.push(value);
    });
    return values;
  }

  #sequence(open: string, close: string, item: () => void): void {
    this.#expect(open);
    if (this.#skip(close)) return;
    do item();
    while (this.#skip(','));
    this.#expect(close);
  }

  #string(): string {
    const start = this.#at;
    if (this.#text[start] !== '"') throw this.#error('a string');
    // By hand: a regular expression runs out of stack on a string of some megabytes.
    let end = this.#text.indexOf('"', start + 1);
    while (end >= 0 && this.#isEscaped(end)) end = this.#text.indexOf('"', end + 1);
    if (end < 0) throw this.#error('a string that ends');
    this.#at = end + 1;
    try {
      return JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch (thrown) {
      throw new SafetensorsError(`the header has a string that isn't JSON at character ${start}`, { cause: thrown });
    }
  }

  #isEscaped(at: number): boolean {
    let backslashes = 0;
    while (this.#text[at - 1 - backslashes] === '\\') backslashes += 1;
    return backslashes % 2 === 1;
  }

  #expect(character: string): void {
    if (!this.#skip(character)) throw this.#error(`"${character}"`);
  }

  /** Whether the character came next, which it then has passed, with the spaces around it. */
  #skip(character: string): boolean {
    this.#token(spaceToken, 'spaces');
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    this.#token(spaceToken, 'spaces');
    return true;
  }

  #token(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.#at;
    const token = pattern.exec(this.#text)?.[0];
    if (token === undefined) throw this.#error(what);
    this.#at += token.length;
    return token;
  }

  #error(expected: string): SafetensorsError {
    return new SafetensorsError(`the header is not valid: ${expected} expected at character ${this.#at}`);
  }
}

/** A name from a file for a message: of one line, and not as long as the file. */
export function quoted(name: string): string {
  return JSON.stringify(name.length <= 200 ? name : `${name.slice(0, 200)}…`);
}

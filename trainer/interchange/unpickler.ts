import { ByteReader } from './byte-reader.ts';
import { TorchFileError } from './errors.ts';
import { literals } from './pickle-literals.ts';
import type { PickleValue, StorageReference } from './pickle-values.ts';
import { PickleTuple, TensorReference } from './pickle-values.ts';
import { call, globalNamed, keyOf, storageOf } from './torch-globals.ts';

/** Far above what a checkpoint has, whose pickle takes some 150 bytes a tensor. */
const limits = { pickleBytes: 64 << 20, values: 4_000_000, marks: 200 };

/** What a pickle holds. */
export interface Unpickled {
  readonly value: PickleValue;
  /** All that it refers to, in the order of their appearance. */
  readonly storages: readonly StorageReference[];
  readonly tensors: readonly TensorReference[];
  /** Where the bytes after it begin. */
  readonly end: number;
}

/**
 * Reads a pickle of protocol 2 to 5 that has tensors and plain containers only. It never recurses and never runs
 * anything: what a pickle may name is listed in `torch-globals.ts`.
 *
 * @param what for messages: `data.pkl`
 * @throws TorchClassError for any other class or function
 * @throws TorchFileError for what is damaged, or larger or more deeply nested than checkpoints are
 */
export function unpickle(bytes: Uint8Array, what: string, start = 0): Unpickled {
  return new Unpickler(new ByteReader(bytes, what, start), what).run();
}

class Unpickler {
  readonly #reader: ByteReader;
  readonly #what: string;
  readonly #stack: PickleValue[] = [];
  /** Where on the stack the open containers begin. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  readonly #storages: StorageReference[] = [];
  readonly #tensors: TensorReference[] = [];

  constructor(reader: ByteReader, what: string) {
    this.#reader = reader;
    this.#what = what;
  }

  run(): Unpickled {
    const begin = this.#reader.at;
    for (;;) {
      const opcode = this.#reader.u8();
      if (opcode === 0x2e) break;
      this.#step(opcode);
      if (this.#stack.length > limits.values || this.#memo.size > limits.values)
        throw this.#error(`has more than ${limits.values} values`);
      if (this.#marks.length > limits.marks) throw this.#error(`nests deeper than ${limits.marks}`);
      if (this.#reader.at - begin > limits.pickleBytes) throw this.#error(`is longer than ${limits.pickleBytes} bytes`);
    }
    const value = this.#pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) throw this.#error('ends within a value');
    return { value, storages: this.#storages, tensors: this.#tensors, end: this.#reader.at };
  }

  #step(opcode: number): void {
    const literal = literals[opcode];
    if (literal !== undefined) return void this.#stack.push(literal(this.#reader));
    switch (opcode) {
      case 0x80: // PROTO
        return this.#protocol(this.#reader.u8());
      case 0x95: // FRAME
        return void this.#reader.u64();
      case 0x28: // MARK
        return void this.#marks.push(this.#stack.length);
      case 0x30: // POP
        return void this.#pop();
      case 0x31: // POP_MARK
        return void this.#popMark();
      case 0x32: // DUP
        return void this.#stack.push(this.#top());
      case 0x74: // TUPLE
        return void this.#stack.push(new PickleTuple(this.#popMark()));
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return void this.#stack.push(new PickleTuple(this.#popMany(opcode - 0x84)));
      case 0x6c: // LIST
        return void this.#stack.push(this.#popMark());
      case 0x64: // DICT
        return this.#setItems(this.#popMark(), new Map());
      case 0x61: // APPEND
        return this.#append([this.#pop()]);
      case 0x65: // APPENDS
        return this.#append(this.#popMark());
      case 0x73: // SETITEM
        return this.#setItems(this.#popMany(2));
      case 0x75: // SETITEMS
        return this.#setItems(this.#popMark());
      case 0x71: // BINPUT
        return void this.#memo.set(this.#reader.u8(), this.#top());
      case 0x72: // LONG_BINPUT
        return void this.#memo.set(this.#reader.u32(), this.#top());
      case 0x94: // MEMOIZE
        return void this.#memo.set(this.#memo.size, this.#top());
      case 0x68: // BINGET
        return this.#recall(this.#reader.u8());
      case 0x6a: // LONG_BINGET
        return this.#recall(this.#reader.u32());
      case 0x63: // GLOBAL
        return void this.#stack.push(globalNamed(this.#reader.line(), this.#reader.line()));
      case 0x93: // STACK_GLOBAL
        return this.#stackGlobal();
      case 0x69: // INST
        // It always refuses: no class of the old kind is a part of tensors.
        globalNamed(this.#reader.line(), this.#reader.line());
        throw this.#error('has the opcode 0x69, which PyTorch never writes');
      case 0x51: // BINPERSID
        return this.#persistent();
      case 0x52: // REDUCE
        return this.#reduce();
      case 0x62: // BUILD
        return this.#build();
      default:
        throw this.#error(`has the opcode 0x${opcode.toString(16).padStart(2, '0')}, which PyTorch never writes`);
    }
  }

  #protocol(version: number): void {
    if (version < 2 || version > 5) throw this.#error(`is of protocol ${version}; 2 to 5 are read`);
  }

  #append(items: readonly PickleValue[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#error('appends to what is no list');
    for (const item of items) list.push(item);
  }

  #setItems(items: readonly PickleValue[], made?: Map<PickleValue, PickleValue>): void {
    if (made !== undefined) this.#stack.push(made);
    const dict = this.#top();
    if (!(dict instanceof Map) || items.length % 2 !== 0) throw this.#error('sets items of what is no dict');
    for (let i = 0; i < items.length; i += 2) dict.set(keyOf(items[i]), items[i + 1]!);
  }

  #recall(place: number): void {
    const value = this.#memo.get(place);
    if (value === undefined) throw this.#error('refers to a value that it has not had');
    this.#stack.push(value);
  }

  #stackGlobal(): void {
    const [module, name] = this.#popMany(2);
    if (typeof module !== 'string' || typeof name !== 'string') throw this.#error('names a class that is no text');
    this.#stack.push(globalNamed(module, name));
  }

  #persistent(): void {
    const storage = storageOf(this.#pop());
    this.#storages.push(storage);
    this.#stack.push(storage);
  }

  #reduce(): void {
    const [callee, args] = this.#popMany(2);
    const value = call(callee, args);
    if (value instanceof TensorReference) this.#tensors.push(value);
    this.#stack.push(value);
  }

  /** Attributes of a state_dict, such as its `_metadata`: versions of layers, of which ours have but one. */
  #build(): void {
    this.#pop();
    if (!(this.#top() instanceof Map)) throw this.#error('gives a state to what has none');
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined || this.#stack.length === this.#marks.at(-1)) throw this.#error('takes what it never had');
    return value;
  }

  #pop(): PickleValue {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  #popMark(): PickleValue[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#error('closes what it never opened');
    return this.#stack.splice(mark);
  }

  #error(problem: string): TorchFileError {
    return new TorchFileError(`${this.#what} ${problem}`);
  }
}

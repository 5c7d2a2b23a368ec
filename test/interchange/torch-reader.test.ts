import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { fc } from '../support/property.ts';

import { TorchClassError, TorchFileError } from '../../trainer/interchange/errors.ts';
import { PickleTuple, TensorReference } from '../../trainer/interchange/pickle-values.ts';
import { readTorchFile } from '../../trainer/interchange/torch-reader.ts';
import { writeZip } from '../../trainer/interchange/zip-writer.ts';
import { described, expected, fixture } from './fixtures.ts';
import { pickleOf, tensorOpcodes, torchZip } from './hostile.ts';

describe('files that PyTorch wrote', () => {
  for (const name of ['plain.pt', 'plain-protocol-4.pt', 'plain-legacy.pt']) {
    test(`${name}: every dtype, strided views, and plain containers`, () => {
      const { value, bytesOf } = readTorchFile(fixture(name));
      assert.ok(value instanceof Map);
      const tensors = value.get('state_dict');
      assert.ok(tensors instanceof Map);
      const read = [...tensors].map(([key, tensor]) => {
        assert.ok(tensor instanceof TensorReference);
        return [key, described(tensor.storage.dtype, tensor.shape, bytesOf(tensor))];
      });
      assert.deepEqual(read, Object.entries(expected.plain.tensors));
      const nested = [1, -300, 70_000, 2 ** 40, -(2n ** 70n), 0.1, null, true];
      assert.deepEqual(value.get('nested'), [...nested, new PickleTuple(['a', ['b', new Map()]])]);
      assert.equal(value.get(3), 'three');
    });
  }

  test('a whole module is refused by the name of its class', () => {
    assert.throws(() => readTorchFile(fixture('whole-module.pt')), {
      name: TorchClassError.name,
      message: /"torch\.nn\.modules\.linear\.Linear"/,
    });
  });

  for (const name of ['plain.pt', 'plain-legacy.pt']) {
    test(`${name}, cut anywhere, is an error`, () => {
      const whole = fixture(name);
      for (let length = 0; length < whole.length; length += 1)
        assert.throws(() => readTorchFile(whole.subarray(0, length)), TorchFileError);
    });
  }

  test('a flipped bit of the pickle or of a tensor is an error', () => {
    for (const at of [0x48, 0x900]) {
      const damaged = Buffer.from(fixture('plain.pt'));
      damaged[at]! ^= 1;
      assert.throws(() => readTorchFile(damaged), TorchFileError);
    }
  });
});

describe('hostile files', () => {
  const refused = {
    'os.system': pickleOf('cos\nsystem\n(X\x02\0\0\0idtR'),
    'posix.system': pickleOf('cposix\nsystem\n(X\x02\0\0\0idtR'),
    'builtins.eval': pickleOf('cbuiltins\neval\n(X\x01\0\0\x001tR'),
    'builtins.getattr': Buffer.from('\x80\x04\x8c\x08builtins\x8c\x07getattr\x93.', 'latin1'),
    'subprocess.Popen': pickleOf('(X\x02\0\0\0idisubprocess\nPopen\n'),
    'torch.hub.load': pickleOf('ctorch.hub\nload\n)R'),
    '__builtin__.set': pickleOf('c__builtin__\nset\n]\x85R'),
    'collections.__proto__': pickleOf('ccollections\n__proto__\n)R'),
  };
  for (const [name, pickle] of Object.entries(refused)) {
    test(`${name} is refused by its name`, () => {
      const isRefusal = (error: Error): boolean =>
        error instanceof TorchClassError && error.message.includes(`"${name}"`);
      assert.throws(() => readTorchFile(torchZip(pickle)), isRefusal);
    });
  }

  const storage = { 'archive/data/0': new Uint8Array(16) };
  const damaged: Readonly<Record<string, [Buffer, RegExp]>> = {
    'an opcode of protocol 0': [torchZip(pickleOf('I1\n')), /opcode 0x49/],
    'protocol 1': [torchZip(Buffer.from('\x80\x01N.', 'latin1')), /protocol 1/],
    'deep marks': [torchZip(pickleOf('('.repeat(100_000))), /nests deeper than 200/],
    'many values': [torchZip(pickleOf('N'.repeat(4_000_001))), /more than 4000000 values/],
    'a memo that is never filled': [torchZip(pickleOf('j\xff\xff\xff\xff')), /has not had/],
    'a text longer than the file': [torchZip(pickleOf('X\xff\xff\xff\xff')), /ends too early/],
    'a text of a size beyond any file': [torchZip(pickleOf('\x8d\xff\xff\xff\xff\xff\xff\xff\xff')), /has a size of/],
    'a very long integer': [torchZip(pickleOf('\x8b\xff\0\0\0', Buffer.alloc(255))), /integer of 255 bytes/],
    'an empty stack': [torchZip(pickleOf('0')), /never had/],
    'a call of a list': [torchZip(pickleOf('])R')), /calls what is no function/],
    'a call of a storage class': [torchZip(pickleOf('ctorch\nFloatStorage\n)R')), /calls what is no function/],
    'a state for a list': [torchZip(pickleOf(']}b')), /what has none/],
    'a list as a key': [torchZip(pickleOf('}]Ns')), /neither text nor a number/],
    'items of a list': [torchZip(pickleOf(']NNs')), /no dict/],
    'a storage that is missing': [torchZip(pickleOf(tensorOpcodes({ shape: [4], strides: [1] }))), /"0" is missing/],
    'a storage by a path': [
      torchZip(pickleOf(tensorOpcodes({ shape: [4], strides: [1], key: '../../../etc/passwd' })), storage),
      /passwd" is missing/,
    ],
    'a storage of another length': [
      torchZip(pickleOf(tensorOpcodes({ elements: 5, shape: [4], strides: [1] })), storage),
      /16 bytes instead of 20/,
    ],
    'a tensor beyond its storage': [
      torchZip(pickleOf(tensorOpcodes({ shape: [2], strides: [4] })), storage),
      /element 4 of a storage of 4/,
    ],
    'an offset beyond its storage': [
      torchZip(pickleOf(tensorOpcodes({ offset: 2 ** 52, shape: [1], strides: [1] })), storage),
      /of a storage of 4/,
    ],
    'a negative stride': [torchZip(pickleOf(tensorOpcodes({ shape: [2], strides: [-1] })), storage), /malformed/],
    'an element repeated for ever': [
      torchZip(pickleOf(tensorOpcodes({ shape: [2, 2, 2], strides: [0, 0, 0] })), storage),
      /repeats/,
    ],
    'a shape beyond any file': [
      torchZip(pickleOf(tensorOpcodes({ shape: [2 ** 50, 2 ** 50], strides: [0, 0] })), storage),
      /no checkpoint does/,
    ],
    'one storage as many tensors': [
      torchZip(pickleOf('(', tensorOpcodes({ shape: [4], strides: [1] }).repeat(9), 'l'), storage),
      /no checkpoint does/,
    ],
    'no pickle': [Buffer.concat(writeZip([{ name: 'a/b', bytes: new Uint8Array(1) }])), /no data\.pkl/],
    'big-endian tensors': [torchZip(pickleOf('N'), { 'archive/byteorder': Buffer.from('big') }), /byte order/],
    'one name twice': [
      Buffer.concat(writeZip([1, 2].map(() => ({ name: 'archive/data.pkl', bytes: pickleOf('N') })))),
      /two entries/,
    ],
    'no file of PyTorch at all': [Buffer.from('\x93NUMPY'), /not a file of PyTorch/],
    'a bare pickle': [pickleOf('N'), /not a file of PyTorch/],
  };
  for (const [what, [file, message]] of Object.entries(damaged)) {
    test(`${what} is an error`, () =>
      assert.throws(
        () => readTorchFile(file),
        (error: Error) => {
          assert.ok(error instanceof TorchFileError, String(error));
          assert.match(error.message, message);
          return true;
        },
      ));
  }

  test('a list that holds itself ends', () => {
    const { value } = readTorchFile(torchZip(pickleOf(']q\0h\0a')));
    assert.ok(Array.isArray(value) && value[0] === value);
  });

  test('containers nested without marks end, however deep', () => {
    assert.ok(readTorchFile(torchZip(pickleOf(')', '\x85'.repeat(1_000_000)))).value instanceof PickleTuple);
  });

  test('entries with names of paths are nothing but entries', () => {
    const file = torchZip(pickleOf('K\x07'), { '../../evil': Buffer.from('x'), '/etc/passwd': Buffer.from('y') });
    assert.equal(readTorchFile(file).value, 7);
  });

  /** Where the one record of the directory begins. */
  const directoryOf = (file: Buffer): number => file.indexOf('PK\x01\x02');

  test('a zip bomb: compressed entries are refused before anything is unpacked', () => {
    const file = torchZip(pickleOf('N'));
    file.writeUInt16LE(8, directoryOf(file) + 10);
    file.writeUInt32LE(0xfffffff0, directoryOf(file) + 24);
    assert.throws(() => readTorchFile(file), /is compressed/);
  });

  test('a zip bomb: overlapping entries are refused', () => {
    const file = Buffer.concat(
      writeZip([
        { name: 'archive/data.pkl', bytes: pickleOf('N') },
        { name: 'archive/data/0', bytes: pickleOf('N') },
      ]),
    );
    const second = file.indexOf('PK\x01\x02', directoryOf(file) + 1);
    file.writeUInt32LE(0, second + 42);
    assert.throws(() => readTorchFile(file), /overlap/);
  });

  test('a directory of more entries than there are is an error', () => {
    const file = torchZip(pickleOf('N'));
    file.writeUInt16LE(0xffff, file.length - 12);
    assert.throws(() => readTorchFile(file), TorchFileError);
  });

  test('whatever the bytes, there is a value or one of the two errors', () => {
    const check = (file: Buffer): void => {
      try {
        readTorchFile(file);
      } catch (thrown) {
        assert.ok(thrown instanceof TorchFileError || thrown instanceof TorchClassError, String(thrown));
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => check(torchZip(pickleOf(bytes)))),
      { numRuns: 3000 },
    );
    const whole = fixture('plain.pt');
    const edit = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const file = Buffer.from(whole);
        for (const [at, byte] of edits) file[at] = byte;
        check(file);
      }),
      { numRuns: 1000 },
    );
  });
});

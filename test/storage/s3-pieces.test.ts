import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../support/property.ts';
import { piecesOf } from '../../storage/s3-pieces.ts';

describe('pieces of an upload', () => {
  it('are the parts joined, all of one length but the last', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), fc.integer({ min: 1, max: 20 }), (parts, length) => {
        const pieces = [...piecesOf(parts, length)];
        assert.deepEqual(Buffer.concat(pieces), Buffer.concat(parts));
        assert.ok(pieces.slice(0, -1).every((piece) => piece.byteLength === length));
        assert.ok(pieces.slice(-1).every(({ byteLength }) => byteLength > 0 && byteLength <= length));
      }),
    );
  });

  it('are copied only across the borders of parts', () => {
    const part = Buffer.alloc(10, 1);
    const shared = [...piecesOf([part, Buffer.from('x')], 4)].map(({ buffer }) => buffer === part.buffer);
    assert.deepEqual(shared, [true, true, false]);
  });
});

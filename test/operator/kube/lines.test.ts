import assert from 'node:assert/strict';
import { it } from 'node:test';

import { LineSplitter } from '../../../operator/kube/lines.ts';
import { fc } from '../../support/property.ts';

it('gives the lines that were sent, wherever the bytes are cut', () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\n\r]/g, ''));
  fc.assert(
    fc.property(fc.array(line), line, fc.array(fc.nat(400)), (lines, rest, cuts) => {
      const bytes = Buffer.from(`${lines.map((text) => `${text}\n`).join('')}${rest}`);
      const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort((a, b) => a - b);
      const splitter = new LineSplitter();
      const got: string[] = [];
      let start = 0;
      for (const end of ends) {
        got.push(...splitter.push(bytes.subarray(start, end)));
        start = end;
      }
      assert.deepEqual(
        got,
        lines.filter((text) => text !== ''),
      );
      assert.equal(splitter.hasPartialLine, rest !== '');
    }),
  );
});

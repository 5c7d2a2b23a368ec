import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Tally } from '../../../scripts/testing/tally.ts';

const test = { name: 'adds', file: 'test/a.test.js', details: { type: 'test' } };
const suite = { name: 'sums', details: { type: 'suite' } };

describe('Tally', () => {
  it('counts tests and not suites', () => {
    const tally = new Tally();
    tally.pass(test);
    tally.pass(suite);
    tally.fail(test);
    tally.fail(suite);
    assert.equal(tally.toString(), '1 passed, 1 failed, 0 skipped');
    assert.equal(tally.succeeded(false), false);
  });

  it('is good when all pass', () => {
    const tally = new Tally();
    tally.pass(test);
    assert.equal(tally.succeeded(true), true);
  });

  it('is a failure without any test', () => {
    const tally = new Tally();
    tally.pass(suite);
    assert.equal(tally.succeeded(false), false);
  });

  it('is a failure when a file has no test', () => {
    const tally = new Tally();
    tally.pass(test);
    tally.pass({ name: 'test/empty.test.js', file: 'test/empty.test.js', details: { type: 'test' } });
    assert.deepEqual(tally.empty, ['test/empty.test.js']);
    assert.equal(tally.succeeded(false), false);
  });

  for (const mark of [{ skip: 'no GPU' }, { skip: true }, { todo: true }]) {
    it(`says what was skipped by ${JSON.stringify(mark)}, a failure only where strict`, () => {
      const tally = new Tally();
      tally.pass(test);
      tally.pass({ ...test, ...mark });
      assert.match(tally.skipped.join('\n'), mark.skip === 'no GPU' ? /a\.test\.js: adds \(no GPU\)/ : /adds$/);
      assert.equal(tally.succeeded(false), true);
      assert.equal(tally.succeeded(true), false);
    });
  }
});

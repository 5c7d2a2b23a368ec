import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planTests } from '../../../scripts/testing/select.ts';

const files = ['storage/b.test.ts', 'api/a.test.ts', 'support/goldens.ts', 'model/resnet.test.ts', 'goldens/step.json'];

describe('planTests', () => {
  it('takes test files only, in order, those that use every core apart', () => {
    assert.deepEqual(planTests(files, []), {
      parallel: ['api/a.test.ts', 'storage/b.test.ts'],
      serial: ['model/resnet.test.ts'],
    });
  });

  it('keeps what contains one of the filters', () => {
    assert.deepEqual(planTests(files, ['storage', 'test/model']), {
      parallel: ['storage/b.test.ts'],
      serial: ['model/resnet.test.ts'],
    });
  });

  it('finds nothing for a filter that matches nothing', () => {
    assert.deepEqual(planTests(files, ['operator']), { parallel: [], serial: [] });
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import fc from 'fast-check';

import { type LogLine, mergeByTime, prefixed, splitStamp } from '../../../cli/cluster/log-line.ts';

const line = (worker: number, time: string): LogLine => ({
  stage: 'pretrain',
  worker,
  time,
  text: `${worker}@${time}`,
});

async function* from(lines: readonly LogLine[]): AsyncGenerator<LogLine, void> {
  yield* lines;
}

async function merged(logs: readonly (readonly LogLine[])[]): Promise<LogLine[]> {
  const all: LogLine[] = [];
  for await (const each of mergeByTime(logs.map(from))) all.push(each);
  return all;
}

describe('logs that are merged', () => {
  test('go by time', async () => {
    const all = await merged([[line(0, '1'), line(0, '4')], [], [line(2, '2'), line(2, '3'), line(2, '5')]]);
    assert.deepEqual(
      all.map(({ text }) => text),
      ['0@1', '2@2', '2@3', '0@4', '2@5'],
    );
  });

  test('keep every line and the order within each log, whatever the times', async () => {
    const times = fc.array(fc.array(fc.constantFrom('1', '2', '3')), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(times, async (logs) => {
        const lines = logs.map((log, worker) =>
          log.map((time, i): LogLine => ({ ...line(worker, time), text: `${i}` })),
        );
        const all = await merged(lines);
        for (const [worker, log] of lines.entries())
          assert.deepEqual(
            all.filter((each) => each.worker === worker),
            log,
          );
        assert.equal(all.length, lines.flat().length);
      }),
    );
  });
});

test('a line as the API server gives it, with its time', () => {
  assert.deepEqual(splitStamp('2026-11-01T12:00:00.000000001Z {"a": 1}'), {
    ...{ time: '2026-11-01T12:00:00.000000001Z', text: '{"a": 1}' },
  });
  assert.deepEqual(splitStamp('2026-11-01T12:00:00Z '), { time: '2026-11-01T12:00:00Z', text: '' });
});

test('a line with its worker in front', () => {
  assert.equal(prefixed(line(3, '1'), false), '3 │ 3@1');
  assert.equal(prefixed({ ...line(3, '1'), stage: 'linear' }, false), 'linear 3 │ 3@1');
  assert.equal(prefixed(line(1, '1'), true), '\u001B[33m1 │\u001B[0m 1@1');
});

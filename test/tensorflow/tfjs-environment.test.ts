import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

/** Computes in a Node.js whose `util` is that of Node.js 23 and later. */
const program = `
  import { createRequire } from 'node:module';
  const util = createRequire(import.meta.url)('node:util');
  delete util.isNullOrUndefined;
  delete util.isArray;
  const { tf } = await import(process.argv[1]);
  console.log(String(tf.add(tf.tensor1d([1, 2]), 3).dataSync()));
`;

test('tfjs-node computes where Node.js lacks what it calls', () => {
  const tfjs = new URL('../../trainer/tensorflow/tfjs.js', import.meta.url).href;
  const args = ['--input-type=module', '--eval', program, tfjs];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.deepEqual([status, stdout, stderr], [0, '4,5\n', '']);
});

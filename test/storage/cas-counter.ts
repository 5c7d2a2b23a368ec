/** Adds 1 to a counter by compare-and-swap, forever or a number of times; prints a line for each that succeeded. */
import { writeSync } from 'node:fs';
import { FileStore } from '../../storage/file-store.ts';
import { increment } from './increment.ts';

const [root, key, times] = process.argv.slice(2);
// A killed holder is taken for dead early, so that the test needn't wait: a wrong guess must do no harm anyway.
const store = new FileStore(root!, { now: () => performance.now(), staleAfter: 20 });
for (let done = 0; done < Number(times); done++) {
  await increment(store, key!, 1);
  writeSync(1, '+');
}
process.disconnect();

/** Goes on with a run for ever, as a trainer does: resumes, then commits step after step. Prints each committed step. */
import { writeSync } from 'node:fs';
import { FileStore } from '../../storage/file-store.ts';
import { commitOf, openRepository, recordsOf } from './fixtures.ts';

const store = new FileStore(process.argv[2]!, { now: () => performance.now(), staleAfter: 20 });
const { repository } = await openRepository(store, { keep: 2 });
let step = (await repository.latest())?.step ?? 0;
for (;;) {
  const from = step;
  step += 2;
  await repository.commit(commitOf(step, recordsOf(from, step), 5000));
  writeSync(1, `${step}\n`);
}

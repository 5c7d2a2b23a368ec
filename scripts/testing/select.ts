/** Rooms whose tests use every core (TensorFlow) or start several processes: their files run one at a time. */
const serialRooms = [
  'cli',
  'embed',
  'evaluate',
  'interchange',
  'launch',
  'model',
  'optimize',
  'pretrain',
  'rank',
  'tensorflow',
  'trainer',
  'worker',
];

/** Test files by how they may run, as paths relative to `test/`, in a stable order. */
export interface TestPlan {
  readonly parallel: readonly string[];
  readonly serial: readonly string[];
}

/**
 * Chooses the test files to run.
 *
 * @param files paths relative to `test/`, of any file there
 * @param filters keep the tests whose path contains one of these; none: all
 */
export function planTests(files: readonly string[], filters: readonly string[]): TestPlan {
  const wanted = files
    .filter((file) => file.endsWith('.test.ts'))
    .filter((file) => filters.length === 0 || filters.some((filter) => `test/${file}`.includes(filter)))
    .toSorted();
  const isSerial = (file: string) => serialRooms.includes(file.split('/')[0] ?? '');
  return { parallel: wanted.filter((file) => !isSerial(file)), serial: wanted.filter(isSerial) };
}

import { messageOf } from '../../api/errors.ts';

/** Another project's program, or the reason why there is none, which is also printed: a skipped test is no passed one. */
export async function findTool(
  tests: string,
  build: () => Promise<string>,
): Promise<{ program: string; skip: false } | { program: ''; skip: string }> {
  try {
    return { program: await build(), skip: false };
  } catch (thrown) {
    const skip = messageOf(thrown);
    process.stderr.write(`SKIPPED, not passed: the tests of ${tests}. Reason: ${skip}\n`);
    return { program: '', skip };
  }
}

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import type { Progress } from '../../api/worker.ts';
import { freePorts } from '../../trainer/launch/ports.ts';
import { resultOf } from '../launch/fixtures/fake-run.ts';
import type { Part } from '../launch/fixtures/fake-run.ts';
import { fakeRun } from '../launch/fixtures/fake-run.ts';
import type { Door } from '../launch/fixtures/door.ts';
import { openDoor } from '../launch/fixtures/door.ts';
import type { Running } from './fixtures/processes.ts';
import { start } from './fixtures/processes.ts';

const noFullDevice = existsSync('/dev/full') ? false : 'this system has no /dev/full, which is always full';

describe('simsiam run', { timeout: 60_000 }, () => {
  let door: Door;
  let folder: string;
  before(async () => {
    door = await openDoor();
    folder = await mkdtemp(join(tmpdir(), 'simsiam-run-'));
  });
  after(async () => {
    await door.close();
    await rm(folder, { recursive: true });
  });

  async function play(parts: readonly Part[], ...flags: string[]): Promise<Running> {
    // A manifest may be JSON, which YAML contains.
    await writeFile(join(folder, 'run.yaml'), JSON.stringify(fakeRun(parts, door.port)));
    return start('simsiam with fake ranks', ['run', '-f', 'run.yaml', ...flags], folder);
  }

  const eventsOf = (stdout: string) =>
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string });

  test('to its end: JSON lines on stdout, the summary for people on stderr', async () => {
    const { code, stdout, stderr } = await (await play(['done', 'done'])).ended;
    assert.equal(code, 0);
    const events = eventsOf(stdout);
    assert.deepEqual(
      events.map(({ event }) => event),
      ['ranks', 'phase', 'progress', 'result'],
    );
    const { time: _, level: __, event: ___, ...result } = events.at(-1) as unknown as Record<string, unknown>;
    assert.deepEqual(result, resultOf(2));
    assert.match(
      stderr,
      /output std 0\.0200, 1\/√d 0\.0221: healthy\n(.*\n)*the result is in runs\/fake: result\.json\n$/,
    );
  });

  test('--json leaves stderr empty', async () => {
    const { code, stdout, stderr } = await (await play(['done'], '--json')).ended;
    assert.deepEqual([code, stderr, eventsOf(stdout).length], [0, '', 4]);
  });

  test('--metrics-port serves progress and metrics while it runs', async () => {
    const [port] = await freePorts(1);
    const run = await play(['obedient', 'obedient'], '--metrics-port', String(port));
    await run.said('"event":"progress"');
    const progress = (await (await fetch(`http://127.0.0.1:${port}/progress`)).json()) as Progress;
    assert.deepEqual([progress.phase, progress.pretrain?.step], ['Pretraining', 3]);
    assert.match(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(), /^simsiam_step{stage="pretrain"} 3$/m);
    run.child.kill('SIGTERM');
    assert.equal((await run.ended).code, 75);
    const { code, stderr } = await (await play(['done'], '--metrics-port', '70000')).ended;
    assert.match(stderr, /a port is 0 to 65535/);
    assert.equal(code, 64);
  });

  test("a rank's failure: its line and its code", async () => {
    const { code, stderr } = await (await play(['deaf', 'bad data'])).ended;
    assert.equal(stderr, 'error: rank 1: the data set is empty: give another one [DATA_BAD]\n');
    assert.equal(code, 65);
  });

  test('a rank that dies: one line, its last words below, 69', async () => {
    const { code, stderr } = await (await play(['silent', 'deaf'])).ended;
    assert.match(stderr, /^error: rank 0 exited with code 3 .* \[LAUNCH_RANK_DIED\]\n {2}\| terminate called .*\n$/);
    assert.equal(code, 69);
  });

  test('a defect: 70, its stack in a file, or shown with --verbose', async () => {
    const kept = await (await play(['defect'])).ended;
    const file = /its stack is in (\S+): please report it\n$/.exec(kept.stderr)?.[1];
    assert.match(await readFile(file!, 'utf8'), /^TypeError: x is not a function\n\s+at /);
    await rm(file!);
    const shown = await (await play(['defect'], '--verbose')).ended;
    assert.match(shown.stderr, /^error: rank 0: x is not a function \[INTERNAL\]\nTypeError: .*\n\s+at /);
    assert.deepEqual([kept.code, shown.code], [70, 70]);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    test(`${signal}: the ranks finish the step and commit, 75, and how to go on`, async () => {
      const run = await play(['obedient', 'obedient']);
      await run.said('"event":"progress"');
      run.child.kill(signal);
      const { code, stdout, stderr } = await run.ended;
      assert.match(stdout, /"event":"stopping"(.*\n)*.*"event":"checkpoint"/);
      assert.equal(
        stderr,
        'stopped at step 4 of pretrain, with a checkpoint in runs/fake; to go on, run the same command again\n',
      );
      assert.equal(code, 75);
      await door.empty();
    });

  test('a second SIGINT ends all at once, by that signal', async () => {
    const run = await play(['deaf', 'deaf']);
    await run.said('"event":"progress"');
    run.child.kill('SIGINT');
    await run.said('"event":"stopping"');
    // Presses closer than 0.3 s count as one, so it takes some.
    const pressing = setInterval(() => run.child.kill('SIGINT'), 50);
    const { code, signal } = await run.ended;
    clearInterval(pressing);
    assert.deepEqual([code, signal], [null, 'SIGINT']);
    await door.empty();
  });

  test('a reader of stdout that goes away ends no training', async () => {
    const run = await play(['obedient', 'obedient']);
    await run.said('"event":"phase"');
    run.child.stdout!.destroy();
    run.child.kill('SIGINT');
    const { code, stderr } = await run.ended;
    assert.match(stderr, /^stopped at step 4 of pretrain/);
    assert.equal(code, 75);
    await door.empty();
  });

  test('a log on a full disk ends no training: one line, and 74 at its end', { skip: noFullDevice }, async () => {
    const run = await play(['done', 'done']);
    await run.ended;
    // The same command once more.
    const full = spawnSync('sh', ['-c', '"$@" > /dev/full', 'sh', ...run.child.spawnargs], { cwd: folder });
    assert.match(full.stderr.toString(), /^error: the output can't be written .*ENOSPC.*\[CLI_OUTPUT\]\n/);
    assert.match(full.stderr.toString(), /the result is in runs\/fake: result\.json\n$/);
    assert.equal(full.stderr.toString().split('[CLI_OUTPUT]').length, 2);
    assert.equal(full.status, 74);
  });

  test('a launcher that is killed takes its ranks along', async () => {
    const run = await play(['deaf', 'deaf']);
    await run.said('"event":"progress"');
    run.child.kill('SIGKILL');
    await run.ended;
    await door.empty();
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { ExitCode } from '../../api/exit-codes.ts';
import type { Report } from '../../trainer/rendezvous/messages.ts';
import { Simulation } from './fixtures/simulation.ts';

const minutes = 60_000;

function started(workers: number, remade = true): Simulation {
  const simulation = new Simulation(workers, remade);
  for (let index = 0; index < workers; index++) simulation.startPod(index);
  simulation.run(1_000);
  assert.equal(simulation.running().length, workers);
  return simulation;
}

const outcomes = (simulation: Simulation) => simulation.pods.map((pod) => pod?.outcome);
const failed = (code: string, exitCode: ExitCode) =>
  ({ status: 'failed', failure: { code, exitCode, message: code }, consequence: false }) satisfies Report;
const codes = (simulation: Simulation) =>
  simulation.pods.map((pod) => (pod?.outcome?.status === 'failed' ? pod.outcome.failure.code : pod?.outcome?.status));
const events = (simulation: Simulation, type: string) => simulation.events.filter((event) => event.type === type);

describe('a rendezvous', () => {
  test('ranks start when all workers are there, however late, and all exit when they are done', () => {
    const simulation = new Simulation(3);
    simulation.startPod(2);
    simulation.startPod(0);
    simulation.run(60 * minutes);
    assert.equal(simulation.running().length, 0);
    simulation.startPod(1);
    simulation.run(60 * minutes + 5_000);
    assert.deepEqual(
      simulation.running().map(({ ranks }) => ranks!.generation),
      [1, 1, 1],
    );
    simulation.finishStage();
    simulation.run(61 * minutes);
    assert.deepEqual(codes(simulation), ['done', 'done', 'done']);
  });

  test('who is missing is told from time to time', () => {
    const simulation = new Simulation(3);
    simulation.startPod(0);
    simulation.run(65_000);
    assert.deepEqual(simulation.events, [
      { type: 'waiting', workers: [1, 2] },
      { type: 'waiting', workers: [1, 2] },
    ]);
  });

  test('a rank that dies takes its generation along; the next one starts with the same pods', () => {
    const simulation = started(3);
    const before = simulation.pods.map((pod) => pod!.incarnation);
    simulation.failRank(1, failed('LAUNCH_RANK_DIED', 69));
    simulation.run(10_000);
    assert.deepEqual(
      simulation.running().map(({ ranks, incarnation }) => [ranks!.generation, incarnation]),
      before.map((incarnation) => [2, incarnation]),
    );
    assert.deepEqual(events(simulation, 'restart'), [
      { type: 'restart', generation: 1, cause: 'failed', message: 'worker 1: LAUNCH_RANK_DIED' },
    ]);
  });

  test('a pod that dies is awaited; the others keep theirs', () => {
    const simulation = started(3);
    const before = simulation.pods.map((pod) => pod!.incarnation);
    simulation.killPod(2);
    simulation.run(60_000);
    assert.equal(simulation.running().length, 0);
    simulation.startPod(2);
    simulation.run(70_000);
    const running = simulation.running();
    assert.deepEqual(
      running.map(({ ranks }) => ranks!.generation),
      [2, 2, 2],
    );
    assert.deepEqual(
      running.map(({ incarnation }) => incarnation === before[0] || incarnation === before[1]),
      [true, true, false],
    );
  });

  test('worker 0 that restarts is found again, and numbers its generations on', () => {
    const simulation = started(3);
    simulation.failRank(1, failed('X', 70));
    simulation.run(10_000);
    simulation.killPod(0);
    simulation.run(20_000);
    simulation.startPod(0);
    simulation.run(40_000);
    assert.deepEqual(
      simulation.running().map(({ ranks }) => ranks!.generation),
      [3, 3, 3],
    );
    assert.deepEqual(outcomes(simulation), [undefined, undefined, undefined]);
  });

  for (const [code, exitCode] of [
    ['MANIFEST_INVALID', 64],
    ['DATA_EMPTY', 65],
    ['TRAINING_COLLAPSED', 77],
  ] as const)
    test(`exit ${exitCode} of a rank is everyone's, at once`, () => {
      const simulation = started(3);
      simulation.failRank(2, failed(code, exitCode));
      simulation.run(10_000);
      assert.deepEqual(codes(simulation), [code, code, code]);
      assert.deepEqual(events(simulation, 'restart'), []);
    });

  test('a worker whose ranks fail again and again has to go, and the others await another one', () => {
    const simulation = started(3);
    for (let i = 0; i < 4; i++) {
      simulation.failRank(1, failed('NATIVE_ADDON', 70));
      simulation.run(simulation.now + 30_000);
    }
    assert.deepEqual(codes(simulation), [undefined, 'NATIVE_ADDON', undefined]);
    simulation.startPod(1);
    simulation.run(simulation.now + 30_000);
    assert.equal(simulation.running().length, 3);
  });

  test('a checkpoint in between starts the count anew', () => {
    const simulation = started(2);
    for (let i = 0; i < 12; i++) {
      simulation.failRank(1, failed('LAUNCH_RANK_DIED', 69));
      simulation.run(simulation.now + 30_000);
      if (i % 3 === 2) simulation.committed();
    }
    assert.equal(simulation.running().length, 2);
  });

  test('failures that nobody is to blame for end all workers after some tries', () => {
    const simulation = started(2);
    for (let i = 0; i < 4; i++) {
      simulation.failRank(0, failed('LAUNCH_HANG', 76));
      simulation.run(simulation.now + 30_000);
    }
    assert.deepEqual(codes(simulation), ['LAUNCH_HANG', 'LAUNCH_HANG']);
  });

  test('a lost peer is only the cause where no other one is known', () => {
    const simulation = started(2);
    const consequence = { ...failed('PEER_LOST', 69), consequence: true };
    simulation.failRank(0, consequence);
    simulation.failRank(1, failed('DATA_EMPTY', 65));
    simulation.run(10_000);
    assert.deepEqual(codes(simulation), ['DATA_EMPTY', 'DATA_EMPTY']);
  });

  for (const index of [0, 1, 2])
    test(`worker ${index} that is told to go goes after the step, and the others keep their pods`, () => {
      const simulation = started(3);
      const before = simulation.pods.map((pod) => pod!.incarnation);
      simulation.stop(simulation.pods[index]!);
      simulation.run(10_000);
      const left = [undefined, undefined, undefined].map((_, i) => (i === index ? 'stopped' : undefined));
      assert.deepEqual(codes(simulation), left);
      assert.equal(simulation.running().length, 0);
      simulation.startPod(index);
      simulation.run(20_000);
      assert.deepEqual(
        simulation.running().map(({ ranks, incarnation }) => [ranks!.generation, before.includes(incarnation)]),
        [0, 1, 2].map((i) => [2, i !== index]),
      );
      assert.deepEqual(events(simulation, 'restart'), []);
    });

  for (const index of [0, 1])
    test(`whoever awaits worker ${index}, which was told to go, in vain has failed in nothing`, () => {
      const simulation = started(3);
      simulation.stop(simulation.pods[index]!);
      simulation.run(20 * minutes);
      assert.deepEqual(codes(simulation), ['stopped', 'stopped', 'stopped']);
    });

  for (const pause of [0, 20, 2_000])
    test(`a stop of all workers ends all of them, with ${pause} ms between one and the next`, () => {
      const simulation = started(3);
      for (const pod of simulation.pods) {
        simulation.stop(pod!);
        simulation.run(simulation.now + pause);
      }
      simulation.run(10_000);
      assert.deepEqual(codes(simulation), ['stopped', 'stopped', 'stopped']);
    });

  test('where nobody comes back, a stop at any worker stops all of them', () => {
    for (const index of [0, 1, 2]) {
      const simulation = started(3, false);
      simulation.stop(simulation.pods[index]!);
      simulation.run(10_000);
      assert.deepEqual(codes(simulation), ['stopped', 'stopped', 'stopped']);
    }
  });

  test('a stop while workers are awaited ends who was told, and no other', () => {
    const simulation = new Simulation(3);
    simulation.startPod(0);
    simulation.startPod(1);
    simulation.run(5_000);
    simulation.stop(simulation.pods[1]!);
    simulation.run(60 * minutes);
    assert.deepEqual(codes(simulation), [undefined, 'stopped', undefined]);
  });

  test('a stop that fails is no stop: steps are lost', () => {
    const simulation = started(2);
    simulation.stop(simulation.pods[0]!);
    simulation.run(simulation.now + 20);
    simulation.failRank(0, failed('STORAGE_UNAVAILABLE', 74));
    simulation.run(10_000);
    assert.deepEqual(codes(simulation), ['STORAGE_UNAVAILABLE', undefined]);
    assert.equal(events(simulation, 'restart').length, 1);
    simulation.startPod(0);
    simulation.run(20_000);
    assert.equal(simulation.running().length, 2);
  });

  test('a worker that stays away for too long ends the others with 69', () => {
    const simulation = started(3);
    simulation.killPod(1);
    simulation.run(9 * minutes);
    assert.deepEqual(outcomes(simulation), [undefined, undefined, undefined]);
    simulation.run(11 * minutes);
    assert.deepEqual(codes(simulation), ['RENDEZVOUS_PEERS_LOST', undefined, 'RENDEZVOUS_PEERS_LOST']);
  });

  test('worker 0 that stays away for too long ends the others with 69', () => {
    const simulation = started(2);
    simulation.killPod(0);
    simulation.run(11 * minutes);
    assert.deepEqual(codes(simulation), [undefined, 'RENDEZVOUS_UNREACHABLE']);
  });

  test('one that starts when the stage is complete and nobody is there any more exits 0', () => {
    const simulation = started(2);
    simulation.finishStage();
    simulation.run(10_000);
    for (const index of [0, 1]) {
      simulation.startPod(index);
      simulation.run(simulation.now + 40_000);
      assert.equal(simulation.pods[index]!.outcome?.status, 'done');
    }
  });

  test('a later launcher of the same worker takes its place, and the former one exits', () => {
    const simulation = started(2);
    const former = simulation.pods[1]!;
    simulation.duplicatePod(1);
    simulation.run(30_000);
    assert.deepEqual(former.outcome?.status === 'failed' && former.outcome.failure.code, 'RENDEZVOUS_REPLACED');
    assert.equal(simulation.running().length, 2);
    assert.deepEqual(simulation.violations, []);
  });

  test('workers with other devices than the first one: 64, with the difference', () => {
    const simulation = new Simulation(2);
    simulation.device[1] = 'gpu';
    for (const index of [0, 1]) simulation.startPod(index);
    simulation.run(5_000);
    assert.deepEqual(codes(simulation), ['RENDEZVOUS_UNEVEN', 'RENDEZVOUS_UNEVEN']);
  });

  test('a partition ends the ranks on both sides before others start', () => {
    const simulation = started(3);
    simulation.partition(2);
    simulation.run(2 * minutes);
    assert.deepEqual(simulation.violations, []);
    assert.deepEqual(
      simulation.running().map(({ ranks }) => ranks!.generation),
      [2, 2, 2],
    );
  });
});

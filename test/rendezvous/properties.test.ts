import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { Report } from '../../trainer/rendezvous/messages.ts';
import { fc } from '../support/property.ts';
import { Simulation } from './fixtures/simulation.ts';

const died: Report = {
  status: 'failed',
  failure: { code: 'LAUNCH_RANK_DIED', exitCode: 69, message: 'killed' },
  consequence: false,
};
const lostPeer: Report = {
  status: 'failed',
  failure: { code: 'PEER_LOST', exitCode: 69, message: 'a peer is gone' },
  consequence: true,
};

/** What may happen to a worker, each by its number. */
const faults = {
  'pod dies': (simulation: Simulation, index: number) => simulation.killPod(index),
  'node vanishes': (simulation: Simulation, index: number) => simulation.killPod(index, { vanishes: true }),
  'pod comes': (simulation: Simulation, index: number) => simulation.startPod(index),
  'another pod comes': (simulation: Simulation, index: number) => simulation.duplicatePod(index),
  'rank dies': (simulation: Simulation, index: number) => simulation.failRank(index, died),
  'rank loses its peers': (simulation: Simulation, index: number) => simulation.failRank(index, lostPeer),
  'connection breaks': (simulation: Simulation, index: number) => simulation.cut(index),
  'network is parted': (simulation: Simulation, index: number) => simulation.partition(index),
  'pod is told to go': (simulation: Simulation, index: number) => {
    const pod = simulation.pods[index];
    if (pod) simulation.stop(pod);
  },
  checkpoint: (simulation: Simulation) => simulation.committed(),
} as const;

const script = fc.record({
  workers: fc.integer({ min: 1, max: 5 }),
  steps: fc.array(
    fc.record({
      fault: fc.constantFrom(...(Object.keys(faults) as (keyof typeof faults)[])),
      index: fc.nat(4),
      /** Until the next one, in milliseconds: from the middle of a handshake to long after. */
      pause: fc.oneof(fc.nat(30), fc.nat(5_000), fc.nat(60_000)),
    }),
    { maxLength: 40 },
  ),
  ending: fc.constantFrom('done', 'stop'),
});

/** As a Job does: each pod that is gone comes back after a while, as long as the stage isn't complete. */
function bringBack(simulation: Simulation): void {
  for (let index = 0; index < simulation.workers; index++)
    if (!simulation.pods[index]?.alive) simulation.startPod(index);
}

describe('whatever happens to pods, ranks and connections', () => {
  test('two generations never run at once, and it always goes on to its end', () => {
    fc.assert(
      fc.property(script, ({ workers, steps, ending }) => {
        const simulation = new Simulation(workers);
        bringBack(simulation);
        for (const { fault, index, pause } of steps) {
          faults[fault](simulation, index % workers);
          simulation.run(simulation.now + pause);
        }
        // From here on nothing fails any more.
        simulation.run(simulation.now + 60_000);
        for (let i = 0; i < 20 && simulation.running().length < workers; i++) {
          bringBack(simulation);
          simulation.run(simulation.now + 60_000);
        }
        assert.deepEqual(simulation.violations, []);
        // Of two pods of one worker that both live, either may stay.
        const last = simulation.running();
        assert.equal(last.length, workers, 'the ranks do not start');
        if (ending === 'done') simulation.finishStage();
        else for (const pod of last) simulation.stop(pod);
        simulation.run(simulation.now + 120_000);
        const expected = ending === 'done' ? 'done' : 'stopped';
        assert.deepEqual(
          last.map(({ outcome }) => outcome?.status),
          last.map(() => expected),
        );
        assert.deepEqual(simulation.violations, []);
        assert.equal(simulation.running().length, 0);
      }),
      { numRuns: 400 },
    );
  });
});

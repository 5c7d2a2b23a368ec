import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Clock } from '../../../operator/kube/clock.ts';
import { ApiError, KubeTimeoutError } from '../../../operator/kube/errors.ts';
import type { LeaseClient } from '../../../operator/kube/lease-client.ts';
import type { ElectionEnd } from '../../../operator/kube/leader-election.ts';
import { LeaderElection } from '../../../operator/kube/leader-election.ts';
import type { LeaseSpec } from '../../../operator/kube/lease-spec.ts';
import type { Lease } from '../../../operator/kube/objects.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fc } from '../../support/property.ts';

/** The lease at the server: a replacement of anything but the newest version is a conflict. */
class LeaseServer {
  lease: Lease | undefined;
  #version = 0;

  write(lease: Lease | undefined, spec: LeaseSpec): Lease {
    if (lease?.metadata.resourceVersion !== this.lease?.metadata.resourceVersion) {
      throw new ApiError('PUT', { status: 409, reason: 'Conflict', message: '', causes: [] });
    }
    const metadata = { name: 'lease', namespace: 'n', resourceVersion: `${++this.#version}` };
    this.lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
    return this.lease;
  }
}

/**
 * One contender: a process that may be held up, so that all its callbacks wait, with a clock of another time of day, and
 * with a way to the server that may be slow, or lose requests or their answers.
 */
class Contender {
  readonly events: string[] = [];
  readonly election: LeaderElection;
  readonly end: Promise<ElectionEnd>;
  readonly #base: FakeClock;
  readonly #stop = new AbortController();
  #heldUntil = 0;
  #isCrashed = false;
  latencyMs = 5;
  answerMs = 5;
  loses: 'nothing' | 'requests' | 'answers' = 'nothing';

  constructor(base: FakeClock, server: LeaseServer, identity: string, skewMs = 0) {
    this.#base = base;
    const clock: Clock = {
      now: () => base.now() + skewMs,
      date: () => new Date(base.date().getTime() + skewMs),
      after: (ms, callback) => this.#after(ms, callback),
    };
    const leases: LeaseClient = {
      read: () => this.#request(() => server.lease),
      create: (spec) => this.#request(() => server.write(undefined, spec)),
      replace: (lease) => this.#request(() => server.write(lease, lease.spec!)),
    };
    this.election = new LeaderElection({
      leases,
      identity,
      clock,
      random: () => 0,
      onElected: () => this.events.push('elected'),
      onFailure: () => {},
    });
    this.end = this.election.run(this.#stop.signal);
    void this.end.then((end) => this.events.push(end));
  }

  /** A process that is held up does nothing at all, so it leads nothing. */
  get acts(): boolean {
    return this.election.isLeader && !this.#isCrashed && this.#base.now() >= this.#heldUntil;
  }

  hold(ms: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, this.#base.now() + ms);
  }

  crash(): void {
    this.#isCrashed = true;
  }

  stop(): void {
    this.#stop.abort();
  }

  #after(ms: number, callback: () => void): () => void {
    let cancel = (): void => {};
    const wait = (left: number): void => {
      cancel = this.#base.after(left, () => {
        if (this.#isCrashed) return;
        const held = this.#heldUntil - this.#base.now();
        if (held > 0) wait(held);
        else callback();
      });
    };
    wait(ms);
    return () => cancel();
  }

  #request<T>(atServer: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const lost = this.loses;
      const timeout = new KubeTimeoutError('PUT', 'no answer', 5000);
      const fail = (): unknown => this.#after(Math.max(0, 5000 - this.latencyMs), () => reject(timeout));
      if (lost === 'requests') return fail();
      // What is on its way arrives even if the process is gone.
      this.#base.after(this.latencyMs, () => {
        let answer: () => void;
        try {
          const value = atServer();
          answer = () => resolve(value);
        } catch (thrown) {
          answer = () => reject(thrown);
        }
        if (lost === 'answers') fail();
        else this.#after(this.answerMs, answer);
      });
    });
  }
}

function setUp(...skews: number[]) {
  const clock = new FakeClock();
  const server = new LeaseServer();
  const contenders = skews.map((skew, index) => new Contender(clock, server, `c${index}`, skew));
  return { clock, server, contenders };
}

const who = fc.nat(2);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(20_000) }) },
  fc.record({ do: fc.constant('hold' as const), who, ms: fc.nat(30_000) }),
  fc.record({ do: fc.constant('slow' as const), who, ms: fc.nat(4000), answerMs: fc.nat(8000) }),
  fc.record({
    do: fc.constant('lose' as const),
    who,
    what: fc.constantFrom('nothing' as const, 'requests', 'answers'),
  }),
  fc.record({ do: fc.constantFrom('crash' as const, 'stop'), who }),
  fc.record({ do: fc.constant('delete' as const) }),
);

describe('LeaderElection', () => {
  it('never has two leaders, and who lost it leads no more', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
        const { clock, server, contenders } = setUp(0, 7_000_000, -3_000_000);
        const check = (): void => {
          const acting = contenders.filter(({ acts }) => acts);
          assert.ok(acting.length <= 1, `${acting.length} leaders`);
          for (const { events, acts } of contenders) if (events.includes('lost')) assert.equal(acts, false);
        };
        for (const step of steps) {
          if (step.do === 'advance') {
            for (let ms = 0; ms < step.ms; ms += 250) {
              await clock.advance(250);
              check();
            }
          } else if (step.do === 'hold') contenders[step.who]!.hold(step.ms);
          else if (step.do === 'slow') {
            contenders[step.who]!.latencyMs = step.ms;
            contenders[step.who]!.answerMs = step.answerMs;
          } else if (step.do === 'lose') contenders[step.who]!.loses = step.what;
          else if (step.do === 'delete') {
            // Without the lease nobody knows who leads, so it is deleted only when nobody does.
            if (!contenders.some(({ election }) => election.isLeader)) server.lease = undefined;
          } else contenders[step.who]![step.do]();
          check();
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is led again within 3 s of a release, by one of those that wait', async () => {
    const { clock, server, contenders } = setUp(0, 0, 0);
    await clock.advance(60_000);
    const leader = contenders.find(({ acts }) => acts)!;
    leader.stop();
    await clock.advance(100);
    assert.equal(await leader.end, 'released');
    assert.equal(server.lease?.spec?.holderIdentity, '');
    assert.equal(server.lease.spec.leaseDurationSeconds, 1);
    await clock.advance(2900);
    assert.equal(contenders.filter(({ acts }) => acts).length, 1);
    assert.equal(leader.acts, false);
  });

  it('is led again within 20 s of a crash: the lease, and what passed until its last renewal was seen', async () => {
    for (let phase = 0; phase < 2000; phase += 190) {
      const { clock, contenders } = setUp(0, 500_000);
      await clock.advance(60_000 + phase);
      const leader = contenders.find(({ acts }) => acts)!;
      leader.crash();
      await clock.advance(17_500);
      assert.equal(contenders.filter((other) => other !== leader && other.acts).length, 1, `crash at ${phase} ms`);
    }
  });

  it('is lost by a leader that is held up for longer than its deadline, before it does anything', async () => {
    const { clock, contenders } = setUp(0);
    await clock.advance(5000);
    const [leader] = contenders;
    assert.deepEqual(leader!.events, ['elected']);
    leader!.hold(12_000);
    await clock.advance(12_000);
    assert.equal(leader!.acts, false);
    assert.equal(await leader!.end, 'lost');
    await clock.advance(60_000);
    assert.deepEqual(leader!.events, ['elected', 'lost']);
  });

  it('is lost after ten seconds without the server, though a request has no answer yet', async () => {
    const { clock, contenders } = setUp(0);
    await clock.advance(5000);
    contenders[0]!.latencyMs = 1_000_000;
    await clock.advance(9000);
    assert.equal(contenders[0]!.acts, true);
    await clock.advance(3000);
    assert.equal(contenders[0]!.acts, false);
    assert.equal(await contenders[0]!.end, 'lost');
  });

  it('is counted from when a renewal was sent, however late its answer', async () => {
    const { clock, contenders } = setUp(0);
    await clock.advance(1000);
    contenders[0]!.answerMs = 7000;
    await clock.advance(8500);
    contenders[0]!.loses = 'requests';
    assert.equal(contenders[0]!.acts, true);
    // The renewal was sent about 2 s after the start.
    await clock.advance(2400);
    assert.equal(contenders[0]!.acts, true);
    await clock.advance(200);
    assert.equal(contenders[0]!.acts, false);
  });

  it('is lost at once when the lease shows another holder', async () => {
    const { clock, server, contenders } = setUp(0);
    await clock.advance(1000);
    server.write(server.lease, { ...server.lease!.spec, holderIdentity: 'another' });
    await clock.advance(4500);
    assert.equal(await contenders[0]!.end, 'lost');
  });

  it('is kept over a short outage, and over answers that are lost', async () => {
    for (const loses of ['requests', 'answers'] as const) {
      const { clock, contenders } = setUp(0, 0);
      await clock.advance(5000);
      const leader = contenders.find(({ acts }) => acts)!;
      leader.loses = loses;
      await clock.advance(4000);
      leader.loses = 'nothing';
      await clock.advance(60_000);
      assert.deepEqual(leader.events, ['elected'], loses);
    }
  });

  it('counts changes of the leader, and keeps the time of the change over renewals', async () => {
    const { clock, server, contenders } = setUp(0, 0);
    await clock.advance(1000);
    const first = server.lease!.spec!;
    assert.equal(first.leaseTransitions, 0);
    assert.match(String(first.renewTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    await clock.advance(10_000);
    assert.equal(server.lease!.spec!.acquireTime, first.acquireTime);
    assert.notEqual(server.lease!.spec!.renewTime, first.renewTime);
    contenders.find(({ acts }) => acts)!.stop();
    await clock.advance(3000);
    assert.equal(server.lease!.spec!.leaseTransitions, 1);
    assert.notEqual(server.lease!.spec!.holderIdentity, first.holderIdentity);
  });

  it('stops without a trace if it never led', async () => {
    const { clock, server, contenders } = setUp(0, 0);
    await clock.advance(5000);
    const waiting = contenders.find(({ acts }) => !acts)!;
    const before = server.lease;
    waiting.stop();
    assert.equal(await waiting.end, 'stopped');
    assert.equal(server.lease, before);
  });
});

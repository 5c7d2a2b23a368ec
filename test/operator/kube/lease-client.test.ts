import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';

import { systemClock } from '../../../operator/kube/clock.ts';
import { LeaderElection } from '../../../operator/kube/leader-election.ts';
import { KubeLeaseClient } from '../../../operator/kube/lease-client.ts';
import { startControlPlane } from '../../support/control-plane.ts';
import type { Fault } from '../../support/fault-proxy.ts';
import { type FaultyApiServer, startFaultyApiServer } from './api-server.ts';

const { plane, skip } = await startControlPlane();

const timing = { leaseMs: 2000, renewDeadlineMs: 1200, retryMs: 200 };

describe('an election by a lease of a real API server', { skip }, () => {
  /** The way of each of two processes to the server. */
  let ways: FaultyApiServer[];

  before(async () => {
    ways = [await startFaultyApiServer(plane!), await startFaultyApiServer(plane!)];
  });
  after(() => Promise.all(ways.map((way) => way.stop())));

  function contend(place: number, name: string) {
    const stop = new AbortController();
    const leases = new KubeLeaseClient(ways[place]!.http, ways[0]!.namespace, 'leader');
    const options = { leases, identity: name, clock: systemClock, random: Math.random, ...timing };
    const election = new LeaderElection({ ...options, onElected: () => {}, onFailure: () => {} });
    const contender = { place, election, isOver: false, end: election.run(stop.signal), stop: () => stop.abort() };
    void contender.end.then(() => (contender.isOver = true));
    return contender;
  }

  it('has one leader at a time, whichever way its connections break', async () => {
    const both = [contend(0, 'first'), contend(1, 'second')];
    const leaders = () => both.filter(({ election }) => election.isLeader);
    let mostLeaders = 0;
    const watch = setInterval(() => (mostLeaders = Math.max(mostLeaders, leaders().length)), 1);
    const faults: readonly Fault[] = [
      { do: 'cut' },
      { do: 'lose answer' },
      { do: 'reply', status: 500 },
      { do: 'hold', until: new Promise(() => {}) },
    ];
    let processes = 0;
    /** The one that leads, as soon as there is one; who lost it is followed by another process, as a container restarts. */
    const led = async () => {
      for (; ; await setTimeout(10)) {
        const [leader] = leaders();
        if (leader !== undefined) return leader;
        for (const { place, isOver } of [...both]) if (isOver) both[place] = contend(place, `next-${++processes}`);
      }
    };
    for (const fault of faults) {
      const leader = await led();
      ways[leader.place]!.proxy.fault = () => fault;
      assert.equal(await leader.end, 'lost', fault.do);
      ways[leader.place]!.proxy.fault = () => undefined;
      ways[leader.place]!.proxy.cutAll();
    }
    await led();
    clearInterval(watch);
    assert.equal(mostLeaders, 1);
    for (const one of both) one.stop();
    await Promise.all(both.map(({ end }) => end));
    assert.deepEqual(leaders(), []);
  });
});

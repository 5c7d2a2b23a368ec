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
    return { place, election, end: election.run(stop.signal), stop: () => stop.abort() };
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
    for (const [round, fault] of faults.entries()) {
      while (leaders().length === 0) await setTimeout(10);
      const [leader] = leaders();
      ways[leader!.place]!.proxy.fault = () => fault;
      assert.equal(await leader!.end, 'lost', fault.do);
      // Another process in its place, as a restarted container.
      ways[leader!.place]!.proxy.fault = () => undefined;
      ways[leader!.place]!.proxy.cutAll();
      both[leader!.place] = contend(leader!.place, `next-${round}`);
    }
    while (leaders().length === 0) await setTimeout(10);
    clearInterval(watch);
    assert.equal(mostLeaders, 1);
    for (const one of both) one.stop();
    assert.deepEqual((await Promise.all(both.map(({ end }) => end))).toSorted(), ['released', 'stopped']);
  });
});

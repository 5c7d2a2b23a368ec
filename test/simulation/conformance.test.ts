import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { systemClock } from '../../operator/kube/clock.ts';
import { Http } from '../../operator/kube/http.ts';
import { loadConnection } from '../../operator/kube/kube-config.ts';
import { startControlPlane } from '../support/control-plane.ts';
import { playOnModel } from './conformance/model-player.ts';
import { sequences } from './conformance/sequences.ts';
import { playOnServer } from './conformance/server-player.ts';

const { plane, skip } = await startControlPlane({ controllers: true });

/** The simulation proves as much as its model is like the real thing. */
describe('the model does what a real control plane does', { skip, concurrency: true }, () => {
  const http = skip === false ? new Http(loadConnection({ file: plane.kubeconfig() }), systemClock) : undefined;
  // Pods of a node that doesn't exist are collected.
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node' } };
  before(() => http!.json({ method: 'POST', path: '/api/v1/nodes', body: node }));
  after(() => http?.close());

  for (const [number, sequence] of sequences.entries()) {
    it(sequence.name, async () => {
      const expected = await playOnServer(sequence, http!, `sequence-${number}`);
      const actual = await playOnModel(sequence);
      for (const [step, { what, isInBackoff = false }] of sequence.steps.entries()) {
        if (isInBackoff) continue;
        assert.deepEqual(actual[step], expected[step], `after step ${step + 1}, ${what}`);
      }
    });
  }
});

/**
 * `npm run bench:operator -- [--runs 1000] [--workers 10]`: the operator with many runs at once, on a real API server and
 * fake nodes (KWOK), from their creation to their end. Writes docs/performance-operator.md and .json.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ControlPlane } from '../../scripts/cluster/loopback/control-plane.ts';
import { kwok } from '../../scripts/tools/cluster-tools.ts';
import { kubernetes, kubernetesVersion } from '../../scripts/tools/kubernetes.ts';
import { operatorReport } from './report.ts';
import { measureScale, operatorUser, podIp } from './scale.ts';

process.chdir(fileURLToPath(new URL('../../..', import.meta.url)));
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    workers: { type: 'string', default: '10' },
  },
});

const folder = await mkdtemp(join(tmpdir(), 'simsiam-scale-'));
const load = loadavg()[0]!;
const plane = await ControlPlane.start({
  programs: await kubernetes(),
  folder,
  users: [{ name: operatorUser, groups: ['system:masters'] }],
  audited: operatorUser,
  controllers: true,
  scheduler: true,
  kwok: { program: await kwok(), pods: { podIp } },
});
try {
  const options = { runs: Number(values.runs), workers: Number(values.workers) };
  const machine = {
    cpu: cpus()[0]?.model ?? process.arch,
    cores: availableParallelism(),
    node: process.versions.node,
    kubernetes: kubernetesVersion,
    measuredAt: new Date().toISOString(),
    load,
  };
  await measureScale(plane, join(folder, 'operator'), options, console.log, async (scale) => {
    await mkdir('docs', { recursive: true });
    await writeFile('docs/performance-operator.json', `${JSON.stringify({ machine, scale }, null, 2)}\n`);
    await writeFile('docs/performance-operator.md', operatorReport({ machine, scale }));
  });
} finally {
  await plane.stop();
  await rm(folder, { recursive: true, force: true });
}

import type { Scale } from './scale.ts';

export interface Measured {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly node: string;
    readonly kubernetes: string;
    /** ISO 8601. */
    readonly measuredAt: string;
    /** Load average of the minute before: above 0 means that other programs had a share. */
    readonly load: number;
  };
  readonly scale: Scale;
}

/** docs/performance-operator.md from a run of the benchmark. */
export function operatorReport({ machine, scale }: Measured): string {
  const { runs, workers, pending, steady } = scale;
  const then = pending ? 'its pods are there' : 'it trains';
  const nodes = pending
    ? 'No node takes the pods: they stay pending.'
    : 'Ten fake nodes (KWOK) take the pods, where they train at once, as far as the operator can tell.';
  const asked = pending ? '' : ', with a question to each run every 15 s';
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const rows: readonly (readonly [figure: string, measured: string, goal: string])[] = [
    [`CPU of the operator a run, until ${then}`, `${scale.cpuMsPerRun.toFixed(1)} ms`, ''],
    ['writes a run, until its Job is made', scale.requestsPerRunUntilJob.toFixed(2), 'at most 8'],
    [`writes a run, until ${then}`, scale.requestsPerRun.toFixed(2), ''],
    [
      "mean CPU of a run's turn; the API server's time isn't in it",
      `${scale.cpuMsPerTurn.toFixed(2)} ms`,
      'under 50 ms',
    ],
    ['peak resident memory', `${scale.peakMemoryMiB.toFixed(0)} MiB`, 'under 256 MiB'],
    ['event loop, 99th percentile and maximum', lagOf(scale), 'under 10 s'],
    ['writes in a steady minute', String(steady.writes), '0'],
    [`CPU in a steady minute${asked}`, `${steady.cpuPercent.toFixed(1)} % of a core`, ''],
    ['all Jobs made after', seconds(scale.untilJobsMs), ''],
    ['all pods there after', seconds(scale.untilPodsMs), ''],
  ];
  return `# Performance of the operator

Written by \`npm run bench:operator${pending ? ' -- --pending' : ''}\`; the same figures are in
[performance-operator.json](performance-operator.json).

${runs} runs of ${workers} workers are created at once, on a real API server with the controllers of Kubernetes
${machine.kubernetes}: ${runs * workers} pods. ${nodes} All of it, this benchmark included, shares one
machine; so the times at the end are rather the API server's and the controllers' than the operator's. Event-loop times
are those that \`/healthz\` took to answer; the goal is the deadline for renewing the lease.

- ${machine.cpu}, ${machine.cores} cores; Node.js ${machine.node}
- load average before: ${machine.load.toFixed(1)}
- measured ${machine.measuredAt}

| figure | measured | goal |
| --- | --- | --- |
${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}

For orientation, what others publish of their own, on other machines and of other work: Kueue admits about 42 workloads a
second (50,000 in 1,179 s); KubeRay creates 1,000 RayClusters in 10.6 s, and they are ready after 258 s; JobSet makes 290
pods a second when it recovers from failures on 15,000 nodes.
`;
}

function lagOf({ lagP99Ms, lagMaxMs }: Scale): string {
  return `${lagP99Ms.toFixed(0)} and ${lagMaxMs.toFixed(0)} ms`;
}

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
  const { runs, workers, steady, callsPerRun, cpuMsPerRun, turnMs, peakMemoryMiB, whole } = scale;
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const stages = (values: readonly (number | undefined)[], unit = '', digits = 1): string =>
    values.map((value) => (value === undefined ? '–' : `${value.toFixed(digits)}${unit}`)).join(' / ');
  const rows: readonly (readonly [figure: string, measured: string, goal: string])[] = [
    [
      `a turn of a run without the API server's time, median and 99th percentile of ${scale.turns}`,
      `${turnMs.p50.toFixed(2)} and ${turnMs.p99.toFixed(1)} ms`,
      'p99 under 50 ms',
    ],
    [
      'calls a run: until its Job is made / it trains / it is complete',
      stages([callsPerRun.untilJob, callsPerRun.untilTraining, whole?.callsPerRun]),
      'until its Job: at most 8',
    ],
    [
      'CPU a run, until the same',
      stages([cpuMsPerRun.untilJob, cpuMsPerRun.untilTraining, whole?.cpuMsPerRun], ' ms'),
      '',
    ],
    [
      'peak resident memory: while all train / to the end',
      stages([peakMemoryMiB, whole?.peakMemoryMiB], ' MiB', 0),
      'under 256 MiB',
    ],
    [
      'event loop: 99th percentile and maximum',
      `${scale.lagP99Ms.toFixed(0)} and ${scale.lagMaxMs.toFixed(0)} ms`,
      'under 10 s',
    ],
    ['writes in a steady minute', String(steady.writes), '0'],
    [
      'CPU in a steady minute, with a question to each run every 15 s',
      `${steady.cpuPercent.toFixed(1)} % of a core`,
      '',
    ],
    ['all Jobs made after', seconds(scale.untilJobsMs), ''],
    [`all ${runs * workers} pods are there and all runs train after`, seconds(scale.untilTrainingMs), ''],
    [
      'all runs complete after the pods may end, which is two Jobs each',
      whole === undefined ? '–' : seconds(whole.untilCompleteMs),
      '',
    ],
  ];
  return `# Performance of the operator

Written by \`npm run bench:operator\`; the same figures are in [performance-operator.json](performance-operator.json). How
fast it trains is in [performance.md](performance.md).

${runs} runs of ${workers} workers are created at once, on a real API server with the scheduler and the controllers of
Kubernetes ${machine.kubernetes}: ${runs * workers} pods. Ten fake nodes (KWOK) take them, where they train at once, as far as the
operator can tell. ${
    whole === undefined
      ? 'Then this benchmark was ended: what it has to say of the end of the runs is missing (–).'
      : 'Then all pods end, and the runs go through linear evaluation, which is as many pods again, to their end.'
  }
All of it, this benchmark included, shares one machine; so the times at the end are rather the API server's and the
controllers' than the operator's.

The first table row is of the histogram \`simsiam_operator_reconcile_own_seconds\`, over all turns, linear inside a
bucket. Calls are all requests to the API server but those for the lease. Event-loop times are those that \`/healthz\` took
to answer; the goal is the deadline for renewing the lease. The operator is the program of its image, with the heap that Node
takes in a container with the chart's memory limit.

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

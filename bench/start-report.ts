import { machineLines, type BenchMachine } from './machine.ts';
import { milestones, type StartResult } from './start-benchmark.ts';

/** docs/performance-start.md from a run of the benchmark. */
export function startReport(machine: BenchMachine, result: StartResult): string {
  const { arch, batch, imageSize, threads, rounds, seconds, parts, ratio } = result;
  const quartiles = ratio.quartiles.map((value) => value.toFixed(2)).join('–');
  const rows = milestones.map((name) => `| ${name} | ${parts[name].toFixed(2)} |`);
  return `# Performance: the start

Written by \`npm run bench -- start\`; the same figures are in [performance-start.json](performance-start.json).

From the command to the end of the first step: \`simsiam run\` on a new storage URI beside a PyTorch script that does the
same (\`bench/pytorch/start.py\`: images of a folder by torchvision, worker processes, one step of SimSiam). ${arch},
${batch} × ${imageSize} px, ${threads} threads, files in the page cache. The sides take turns, ${rounds} rounds each; a figure
is the median, and the quartiles are those of the rounds' ratios.

${machineLines(machine)}

| ours, s | PyTorch, s | ratio (quartiles) |
| --- | --- | --- |
| ${seconds.simsiam.toFixed(2)} | ${seconds.pytorch.toFixed(2)} | ${ratio.median.toFixed(2)} (${quartiles}) |

Where ours goes, by what the run tells on its way:

| part | s |
| --- | --- |
${rows.join('\n')}

- _launcher_: Node.js, the command line, the manifest, the rank's process.
- _libraries_: the rank's Node.js, tfjs and TensorFlow's library, which the system links anew in each process.
- _data and weights_: listing the images, claiming the store, drawing the initial weights.
- _tracing_: the step as a graph, with shapes inferred and the backward pass.
- _first step_: TensorFlow's graph optimiser, kernel choices, memory, and the step itself.

A rank that starts anew after a failure goes the same way, with the checkpoint read in the place of weights drawn.
`;
}

/** `npm run bench -- profile`: where the time of a step goes, ours and PyTorch's, by what oneDNN tells of its kernels. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { keepByProcessor } from './machine-results.ts';
import { benchMachine, peersPrecision } from './machine.ts';
import { type Profile, profileReport, sumKernels } from './profile-report.ts';
import { pytorchPython, pytorchScript } from './pytorch-environment.ts';

const cases = [
  ['resnet18', 16, 128, 'fp32'],
  ['resnet50', 16, 224, 'fp32'],
  ['resnet18', 16, 128, 'bf16'],
  ['resnet50', 16, 224, 'bf16'],
] as const;
const WARM_UP = 2;

export async function benchmarkProfile(): Promise<void> {
  const python = await pytorchPython();
  const machine = benchMachine(python, ['torch']);
  const profiles: Profile[] = [];
  for (const [arch, batch, imageSize, precision] of cases) {
    const peers = peersPrecision(precision, machine);
    const args = [arch, batch, imageSize, 1].map(String);
    const step = fileURLToPath(new URL('step.js', import.meta.url));
    const layout = ['channels_last', peers, 'cpu', 'eager'];
    profiles.push({
      name: `${arch}, ${batch} × ${imageSize} px, ${precision}`,
      peers,
      ours: await profile(process.execPath, [step, ...args, precision]),
      pytorch: await profile(python, [pytorchScript('step'), ...args, ...layout]),
    });
  }
  const machines = await keepByProcessor('docs/performance-profile.json', { machine, profiles });
  await writeFile('docs/performance-profile.md', profileReport(machines));
}

/** One step on one thread, after some others. With one thread all kernels run one after the other. */
async function profile(command: string, args: readonly string[]): Promise<Profile['ours']> {
  const one = { TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1', OMP_NUM_THREADS: '1' };
  const env = { ...process.env, ...one, ONEDNN_VERBOSE: '1', SIMSIAM_KERNEL_TIMES: '1' };
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  child.stdin.end(`${WARM_UP}\n1\n`);
  const kernels: string[] = [];
  const answers: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{')) answers.push(...(JSON.parse(line) as { milliseconds: number[] }).milliseconds);
    else if (answers.length === WARM_UP) kernels.push(line);
  }
  if (answers.length !== WARM_UP + 1) throw new Error(`${[command, ...args].join(' ')} ended before its steps`);
  return sumKernels(kernels, answers.at(-1)!);
}

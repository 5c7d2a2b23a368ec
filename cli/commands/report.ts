import type { Command } from 'commander';

import type { ObjectReader } from '../../storage/object-store.ts';
import { addRunFlags, type RunFlags, withRuns } from '../open-runs.ts';

interface ReportOptions extends RunFlags {
  readonly output?: string;
  readonly tensorboard?: string;
  readonly json: boolean;
}

/** What was written, as `--json` prints it. */
interface Written {
  readonly page?: string;
  readonly tensorboard?: readonly string[];
}

const defaultOutput = 'report.html';

export function addReport(program: Command, version: string): void {
  addRunFlags(
    program
      .command('report')
      .description('a page about a run, finished or not, or about several compared: one file that loads nothing'),
  )
    .option('-o, --output <file>', `where the page goes (default: ${defaultOutput})`)
    .option('--tensorboard <folder>', "the histories as TensorBoard's event files; a page too only with --output")
    .option('--json', 'print {page, tensorboard}, the files that were written', false)
    .action(async (uris: string[], options: ReportOptions) =>
      withRuns('report', uris, options, async (stores) => {
        const written = await write(stores, options, `simsiam ${version}`);
        const files = [...(written.page === undefined ? [] : [written.page]), ...(written.tensorboard ?? [])];
        process.stdout.write(options.json ? `${JSON.stringify(written)}\n` : files.map((file) => `${file}\n`).join(''));
      }),
    );
}

async function write(
  stores: readonly ObjectReader[],
  { output, tensorboard }: ReportOptions,
  generator: string,
): Promise<Written> {
  const warn = (message: string): void => void process.stderr.write(`warning: ${message}\n`);
  // Here and not above: the other commands needn't load charts.
  const { exportTensorBoard } = await import('../../trainer/report/tensorboard.ts');
  const { writeReport } = await import('../../trainer/report/write-report.ts');
  const events = tensorboard === undefined ? undefined : await exportTensorBoard(stores, tensorboard, warn);
  const page = output ?? (tensorboard === undefined ? defaultOutput : undefined);
  if (page !== undefined) await writeReport(stores, { file: page, generator, warn });
  return { ...(page !== undefined && { page }), ...(events && { tensorboard: events }) };
}

import type { ObjectReader } from '../../storage/object-store.ts';
import { ReportSourceError } from './errors.ts';
import { mostRuns, reportPage } from './page/page.ts';
import type { Warn } from './source/committed-stage.ts';
import type { RunData } from './source/run-data.ts';
import { readRunData } from './source/run-data.ts';
import { writeFileWhole } from '../../storage/write-file.ts';

export interface ReportRequest {
  /** Where the page goes; one that is there is replaced. */
  readonly file: string;
  /** What writes it: `simsiam 1.2.3`. */
  readonly generator: string;
  /** Gets what of a run couldn't be read; the page says it too. */
  readonly warn: Warn;
}

/**
 * Writes the page of a run, or of several compared, as they are committed now.
 *
 * @throws ReportSourceError where there is no run, or too many of them; the errors of reading one; the storage errors
 */
export async function writeReport(
  stores: readonly ObjectReader[],
  { file, generator, warn }: ReportRequest,
): Promise<void> {
  if (stores.length > mostRuns)
    throw new ReportSourceError(`report: ${stores.length} runs; compare at most ${mostRuns}`);
  const runs: RunData[] = [];
  for (const store of stores) runs.push(await readRunData(store));
  for (const { uri, warnings } of runs) for (const warning of warnings) warn(`${uri}: ${warning}`);
  await writeFileWhole(file, [Buffer.from(reportPage(runs, { generator }))]);
}

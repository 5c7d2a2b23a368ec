import type { ObjectReader } from '../../storage/object-store.ts';
import { ReportSourceError } from './errors.ts';
import { reportPage, waitingPage } from './page/page.ts';
import type { RunData } from './source/run-data.ts';
import { readRunData } from './source/run-data.ts';

/** What changes whenever there is something new to see of a run. */
const marks = ['run.yaml', 'pretrain/latest.json', 'linear/latest.json', 'result.json'] as const;

/** The page of runs that go on, written anew when one of them has committed something. */
export class LivePage {
  readonly #stores: readonly ObjectReader[];
  readonly #generator: string;
  #written: { readonly version: string; readonly html: string } | undefined;

  constructor(stores: readonly ObjectReader[], generator: string) {
    this.#stores = stores;
    this.#generator = generator;
  }

  /** What the runs have committed, in a word: the same word means the same page. */
  async version(): Promise<string> {
    const versions = this.#stores.flatMap((store) =>
      marks.map(async (key) => (await store.get(key))?.version.slice(0, 16) ?? '-'),
    );
    return (await Promise.all(versions)).join('.');
  }

  /** The page; before there is a run, one that says so. */
  async html(): Promise<string> {
    const version = await this.version();
    if (this.#written?.version !== version) this.#written = { version, html: await this.#write(version) };
    return this.#written.html;
  }

  async #write(version: string): Promise<string> {
    const options = { generator: this.#generator, version };
    try {
      const runs: RunData[] = [];
      for (const store of this.#stores) runs.push(await readRunData(store));
      return reportPage(runs, options);
    } catch (thrown) {
      if (thrown instanceof ReportSourceError) return waitingPage(thrown.message, options);
      throw thrown;
    }
  }
}

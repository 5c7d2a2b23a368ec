import { once } from 'node:events';

import type { Command } from 'commander';

import { watchStopSignals } from '../../trainer/launch/stop-signals.ts';
import { addRunFlags, type RunFlags, withRuns } from '../open-runs.ts';
import { portOption } from '../port-option.ts';

interface UiOptions extends RunFlags {
  readonly port: number;
}

const defaultPort = 7680;

export function addUi(program: Command, version: string): void {
  addRunFlags(
    program
      .command('ui')
      .description('the page of `report`, live: served to this machine alone, and new whenever a run has committed'),
  )
    .addOption(portOption('-p, --port <port>', 'port on 127.0.0.1; 0 is a free one').default(defaultPort))
    .action(async (uris: string[], { port, ...flags }: UiOptions) =>
      withRuns('ui', uris, flags, async (stores) => {
        // Here and not above: the other commands needn't load charts.
        const { LivePage } = await import('../../trainer/report/live-page.ts');
        const { LiveServer } = await import('../../trainer/report/live-server.ts');
        const signals = watchStopSignals();
        const server = await LiveServer.listen(new LivePage(stores, `simsiam ${version}`), port);
        process.stdout.write(`${server.url}\n`);
        if (!signals.stop.aborted) await once(signals.stop, 'abort');
        await server.close();
        signals.close();
      }),
    );
}

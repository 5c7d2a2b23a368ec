import { serveRank } from './launch/rank-channel.ts';
import type { RankStart, RankToLauncher } from './launch/messages.ts';
import type { Ready } from './rank/standby.ts';

// Loaded once the channel listens: an addon that is missing is then told as a failure like any other.
await serveRank<RankStart, RankToLauncher, Ready>(
  async (channel, ready) => {
    process.title = `simsiam rank ${channel.start.rank}`;
    return (await import('./rank/run-rank.ts')).runRank(channel, ready);
  },
  async (order) => {
    process.title = `simsiam standby ${order.rank}`;
    return (await import('./rank/standby.ts')).getReady(order);
  },
);

import { serveRank } from './launch/rank-channel.ts';

// Loaded once the channel listens: an addon that is missing is then told as a failure like any other.
await serveRank(async (channel) => (await import('./rank/run-rank.ts')).runRank(channel));

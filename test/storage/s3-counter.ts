/** Adds 1 to a counter in S3 by compare-and-swap, a number of times. */
import { openStore } from '../../storage/open-store.ts';
import { increment } from './increment.ts';

const [uri, endpoint, key, times] = process.argv.slice(2);
await increment(await openStore({ uri: uri!, endpoint: endpoint! }), key!, Number(times));
process.disconnect();

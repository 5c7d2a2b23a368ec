/** One rank of a cluster on this machine. Arguments: its rank, then the addresses of all. Sends its figures and ends. */
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { rankFigures } from './rank-scenario.ts';

const [rank, ...addresses] = process.argv.slice(2);
const cluster = { rank: Number(rank), addresses };
const runtime = Runtime.open({ threads: 1, cluster, collective: { hint: 'ring', timeoutSeconds: 60 } });
const figures = await rankFigures(runtime);
process.send!(figures, () => process.exit(0));

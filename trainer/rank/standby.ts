import { openStore } from '../../storage/open-store.ts';
import { loadModulesFor } from '../data/dataset.ts';
import type { RankOrder, RankStart } from '../launch/messages.ts';
import { simSiam } from '../model/simsiam.ts';
import { stepOptionsOf } from '../pretrain/pretrain.ts';
import { tracePretrainStep } from '../pretrain/step.ts';
import { Runtime, type GraphFunction } from '../tensorflow/runtime.ts';

/** TensorFlow's names of the collectives. */
const hintOf = { auto: 'auto', nccl: 'nccl', grpc: 'ring' } as const;

/** What a process has done before it becomes a rank: nothing that needs the other ranks, the store or the data. */
export interface Ready {
  readonly runtime: Runtime;
  /** The step of pre-training, where it is to be done and can be traced without looking at the data. */
  readonly step: GraphFunction | undefined;
}

/** Gets a process ready to become a rank: TensorFlow is loaded, and the step is traced. */
export async function getReady(order: RankOrder): Promise<Ready> {
  // Its modules take as long to load as TensorFlow does.
  await import('./run-rank.ts');
  // Nothing is read yet.
  await Promise.all([loadModulesFor(order.run.spec.data.train), openStore(order.run.spec.storage)]);
  const runtime = openUnjoined(order);
  const { run, stages } = order;
  const { epochs, knn } = run.spec.pretrain;
  // The online probe has as many outputs as the data have classes.
  const traceable = stages.includes('pretrain') && epochs > 0 && knn.onlineProbeLearningRate === undefined;
  return {
    runtime,
    step: traceable ? tracePretrainStep(stepOptionsOf(run, runtime, simSiam(run.spec.pretrain))) : undefined,
  };
}

/** The runtime of a rank that doesn't know the others' addresses. */
export function openUnjoined({
  run,
  rank,
  world,
  threads,
  exchange,
}: RankOrder & Pick<RankStart, 'exchange'>): Runtime {
  const { collectives = 'auto', failurePolicy } = run.spec;
  const collective = { hint: hintOf[collectives], timeoutSeconds: failurePolicy.hangTimeoutSeconds };
  return Runtime.openUnjoined({ threads, rank, world, exchange, collective });
}

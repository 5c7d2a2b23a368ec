/** What a step moves, from the network: counted, not assumed. */
export interface StepTraffic {
  /** Bytes of all gradients, float32. */
  readonly gradientBytes: number;
  /** Batch norm layers; each sends a message forward and one backward, both views together. */
  readonly normLayers: number;
  /** Bytes of all those messages together. */
  readonly normBytes: number;
  /** Bytes of a checkpoint: weights, statistics and momenta. */
  readonly checkpointBytes: number;
}

/** What machines are assumed to do, each with its source in docs/scale.md. Times in seconds. */
export interface ClusterFigures {
  /** Of one GPU for one image of the batch: both views, forward and backward. */
  readonly secondsPerImage: number;
  /** Share of that which is the backward pass, under which gradients travel. */
  readonly backwardShare: number;
  readonly gpusPerNode: number;
  /** Bytes a second in one direction, per GPU. */
  readonly nodeBandwidth: number;
  readonly networkBandwidth: number;
  /** Of NCCL's tree: fixed, and for each hop inside a node and between nodes. */
  readonly latency: { readonly base: number; readonly intra: number; readonly inter: number };
  readonly bytesPerImage: number;
  /** Bytes a second to an object store, over one connection. */
  readonly storeBandwidth: number;
}

export interface StepEstimate {
  readonly gpus: number;
  readonly batchPerGpu: number;
  readonly compute: number;
  /** All messages of batch norm, none of which anything hides. */
  readonly norm: number;
  /** What of the gradients' all-reduce the backward pass doesn't hide. */
  readonly gradients: number;
  readonly step: number;
  /** compute / step. */
  readonly efficiency: number;
  /** Bytes a second that all GPUs together read. */
  readonly readBandwidth: number;
  readonly largestCost: 'batch norm messages' | 'gradients';
}

/** Seconds of an all-reduce by NCCL's tree for the latency and ring for the bytes; 0 with one GPU. */
export function allReduceSeconds(bytes: number, gpus: number, figures: ClusterFigures): number {
  if (gpus === 1) return 0;
  const { base, intra, inter } = figures.latency;
  const inNode = Math.min(gpus, figures.gpusPerNode);
  const nodes = Math.ceil(gpus / figures.gpusPerNode);
  const hops = (inNode - 1) * intra + Math.log2(nodes) * inter;
  const bandwidth = nodes > 1 ? Math.min(figures.nodeBandwidth, figures.networkBandwidth) : figures.nodeBandwidth;
  return base + 2 * hops + (2 * (gpus - 1) * bytes) / (gpus * bandwidth);
}

/** A step of `batchPerGpu` images on each of `gpus`. Computing is taken as proportional to the batch: a lower bound. */
export function estimateStep(
  gpus: number,
  batchPerGpu: number,
  traffic: StepTraffic,
  figures: ClusterFigures,
): StepEstimate {
  const compute = batchPerGpu * figures.secondsPerImage;
  const messages = 2 * traffic.normLayers;
  const norm = messages * allReduceSeconds(traffic.normBytes / messages, gpus, figures);
  const gradients = Math.max(
    0,
    allReduceSeconds(traffic.gradientBytes, gpus, figures) - figures.backwardShare * compute,
  );
  const step = compute + norm + gradients;
  return {
    ...{ gpus, batchPerGpu, compute, norm, gradients, step },
    efficiency: compute / step,
    readBandwidth: (gpus * batchPerGpu * figures.bytesPerImage) / step,
    largestCost: gradients > norm ? 'gradients' : 'batch norm messages',
  };
}

/** The ranks of a run: `addresses[r]` is where rank r listens, `host:port`. */
export interface Cluster {
  readonly rank: number;
  readonly addresses: readonly string[];
}

/** How ranks exchange tensors. */
export interface CollectiveOptions {
  /** `auto`: NCCL where all ranks have GPUs, else the gRPC ring. */
  readonly hint: 'auto' | 'ring' | 'nccl';
  /** How long a call with collectives may take before the other ranks count as lost; at most 2,147,483. */
  readonly timeoutSeconds: number;
}

/**
 * Text form of the tensorflow.ServerDef of a cluster with one task a rank. The devices of a cluster are the server's, so
 * the configuration of threads and GPU memory is repeated here.
 */
export function serverDef(cluster: Cluster, threads: number, hint: CollectiveOptions['hint']): string {
  const tasks = cluster.addresses.map((address, rank) => `tasks { key: ${rank} value: ${JSON.stringify(address)} }`);
  const config = [
    `intra_op_parallelism_threads: ${threads}`,
    `inter_op_parallelism_threads: ${threads}`,
    'allow_soft_placement: true',
    'gpu_options { allow_growth: true }',
    `experimental { collective_group_leader: "/job:worker/replica:0/task:0" collective_nccl: ${hint !== 'ring'} }`,
  ];
  return [
    `cluster { job { name: "worker" ${tasks.join(' ')} } }`,
    'job_name: "worker"',
    `task_index: ${cluster.rank}`,
    'protocol: "grpc"',
    `default_session_config { ${config.join(' ')} }`,
  ].join(' ');
}

"""SimSiam's pre-training step under DistributedDataParallel with gloo: one process a rank, batch norm over each rank's own
images (PyTorch's SyncBatchNorm has no CPU version).

Arguments: ARCH BATCH SIZE THREADS RANKS; BATCH is that of all ranks, THREADS those of a rank. Then a number of steps on each
line of standard input, answered by a line of JSON: {"milliseconds": [one a step]}, timed on rank 0.
"""

import json
import sys
import tempfile

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel

from simsiam import SimSiam, optimizer
from timing import timed_step


def train(rank: int, arch: str, batch: int, size: int, threads: int, ranks: int, meeting: str, orders) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=ranks)
    model = SimSiam(arch).to(memory_format=torch.channels_last)
    sgd = optimizer(model)
    for group in sgd.param_groups:
        group["lr"] = 0.05 * batch / 256
    forward = DistributedDataParallel(model)
    views = [torch.randn(batch // ranks, 3, size, size).to(memory_format=torch.channels_last) for _ in range(2)]

    while (steps := orders[rank].get()) > 0:
        dist.barrier()
        times = [timed_step(forward, sgd, views) for _ in range(steps)]
        if rank == 0:
            print(json.dumps({"milliseconds": times}), flush=True)
    dist.destroy_process_group()


def main() -> None:
    arch = sys.argv[1]
    batch, size, threads, ranks = (int(value) for value in sys.argv[2:6])
    context = mp.get_context("spawn")
    orders = [context.Queue() for _ in range(ranks)]
    with tempfile.TemporaryDirectory() as folder:
        group = mp.spawn(train, (arch, batch, size, threads, ranks, f"{folder}/meeting", orders), ranks, join=False)
        for line in sys.stdin:
            for order in orders:
                order.put(int(line))
        for order in orders:
            order.put(0)
        while not group.join():
            pass


if __name__ == "__main__":
    main()

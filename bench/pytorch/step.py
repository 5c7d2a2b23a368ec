"""Times SimSiam's pre-training step in PyTorch.

Arguments: ARCH BATCH SIZE THREADS LAYOUT (contiguous or channels_last) PRECISION (fp32 or bf16, by autocast)
DEVICE (cpu or cuda) MODE (eager or compile, by torch.compile). On a GPU fp32 lets convolutions use TF32, PyTorch's default. Then a number of steps on each line of
standard input, answered by a line of JSON: {"milliseconds": [one a step]}.
"""

import json
import sys

import torch

from simsiam import SimSiam, optimizer
from timing import timed_step


def main() -> None:
    arch, (layout, precision, device, mode) = sys.argv[1], sys.argv[5:9]
    batch, size, threads = (int(value) for value in sys.argv[2:5])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    memory = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    model = SimSiam(arch).to(device, memory_format=memory)
    sgd = optimizer(model)
    forward = torch.compile(model) if mode == "compile" else model
    for group in sgd.param_groups:
        group["lr"] = 0.05 * batch / 256
    views = [torch.randn(batch, 3, size, size).to(device, memory_format=memory) for _ in range(2)]

    def cast(*views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
            return forward(*views)

    for line in sys.stdin:
        print(json.dumps({"milliseconds": [timed_step(cast, sgd, views) for _ in range(int(line))]}), flush=True)


if __name__ == "__main__":
    main()

"""From nothing to the first step in PyTorch: images of a folder through torchvision, SimSiam, one step, the loss.

Arguments: FOLDER ARCH BATCH SIZE THREADS. Prints a line of JSON, {"loss": …}, after the step. Images come from one worker
process a thread, as training scripts do it.
"""

import json
import sys
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from loader import pil
from simsiam import SimSiam, optimizer


class Folder(Dataset):
    def __init__(self, folder: str, size: int):
        self.paths = sorted(Path(folder).iterdir())
        self.views = pil(size)
        self.normalise = v2.Compose(
            [v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, i: int):
        return [self.normalise(view) for view in self.views(self.paths[i])]


def main() -> None:
    folder, arch = sys.argv[1:3]
    batch, size, threads = (int(value) for value in sys.argv[3:6])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = SimSiam(arch)
    sgd = optimizer(model)
    for group in sgd.param_groups:
        group["lr"] = 0.05 * batch / 256
    data = DataLoader(Folder(folder, size), batch, shuffle=True, drop_last=True, num_workers=threads)
    loss, _ = model(*next(iter(data)))
    sgd.zero_grad(set_to_none=True)
    loss.backward()
    sgd.step()
    print(json.dumps({"loss": loss.item()}), flush=True)


if __name__ == "__main__":
    main()

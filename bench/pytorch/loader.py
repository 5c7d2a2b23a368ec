"""Times torchvision: JPEG files to two views of each, by MoCo v2's augmentation.

Arguments: PIPELINE (pil or tensor) FOLDER SIZE. Then a number of rounds on each line of standard input, answered by a line
of JSON: {"milliseconds": [CPU time an image, one a round]}. A round goes over the folder once, on one thread and without
worker processes, so that nothing is spent on passing images on. Bytes go in and out: no floats, no normalisation.
"""

import io
import json
import random
import sys
import time
from pathlib import Path

import torch
from PIL import Image, ImageFilter
from torch import Tensor
from torchvision import io as vision
from torchvision.transforms import v2

BATCH = 32
SIGMA = (0.1, 2.0)


class PillowBlur:
    def __call__(self, image: Image.Image) -> Image.Image:
        return image.filter(ImageFilter.GaussianBlur(random.uniform(*SIGMA)))


def chain(size: int, blur) -> v2.Compose:
    return v2.Compose(
        [
            v2.RandomResizedCrop(size, scale=(0.2, 1.0), antialias=True),
            v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)], 0.8),
            v2.RandomGrayscale(0.2),
            v2.RandomApply([blur], 0.5),
            v2.RandomHorizontalFlip(),
        ]
    )


def pil(size: int):
    augment = v2.Compose([chain(size, PillowBlur()), v2.PILToTensor()])

    def views(path: Path) -> list[Tensor]:
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            decoded = image.convert("RGB")
        return [augment(decoded) for _ in range(2)]

    return views


def tensor(size: int):
    # 13 pixels are three standard deviations of the strongest blur; MoCo's rule of a tenth of the image would be slower.
    augment = chain(size, v2.GaussianBlur(13, SIGMA))

    def views(path: Path) -> list[Tensor]:
        decoded = vision.decode_jpeg(vision.read_file(str(path)), mode=vision.ImageReadMode.RGB)
        return [augment(decoded) for _ in range(2)]

    return views


def main() -> None:
    pipeline, folder, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    views = {"pil": pil, "tensor": tensor}[pipeline](size)
    paths = sorted(folder.iterdir())
    batch = torch.empty(2, BATCH, 3, size, size, dtype=torch.uint8)

    def one_round() -> float:
        start = time.process_time()
        for i, path in enumerate(paths):
            for view, pixels in enumerate(views(path)):
                batch[view, i % BATCH] = pixels
        return (time.process_time() - start) * 1000 / len(paths)

    for line in sys.stdin:
        print(json.dumps({"milliseconds": [one_round() for _ in range(int(line))]}), flush=True)


if __name__ == "__main__":
    main()

"""Reads labelled images from tar shards: key.png or key.jpg beside key.cls."""

import io
import itertools
import re
import tarfile

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def expand(pattern: str) -> list[str]:
    """`train-{000..007}.tar` to its eight names."""
    match = re.search(r"\{(\d+)\.\.(\d+)\}", pattern)
    if match is None:
        return [pattern]
    first, last = match.groups()
    numbers = (str(i).zfill(len(first)) for i in range(int(first), int(last) + 1))
    return list(itertools.chain.from_iterable(expand(pattern[: match.start()] + n + pattern[match.end() :]) for n in numbers))


def load(pattern: str, mode: str) -> tuple[Tensor, Tensor]:
    """Images [N, C, H, W] in [0, 1] (mode "L": one channel, "RGB": three) and labels [N], in the shards' order."""
    images, labels = [], []
    for path in expand(pattern):
        parts: dict[str, dict[str, bytes]] = {}
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile():
                    key, _, ending = member.name.rpartition(".")
                    parts.setdefault(key, {})[ending] = archive.extractfile(member).read()
        for part in parts.values():
            encoded = next(part[ending] for ending in ("png", "jpg", "jpeg", "webp") if ending in part)
            pixels = np.array(Image.open(io.BytesIO(encoded)).convert(mode))
            images.append(torch.from_numpy(pixels).view(*pixels.shape[:2], -1).permute(2, 0, 1))
            labels.append(int(part["cls"]))
    return torch.stack(images).float() / 255, torch.tensor(labels)

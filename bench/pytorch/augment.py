"""Random views of a batch of images, all at once: RandomResizedCrop as PIL resamples, colour jitter, blur, flip."""

import math

import torch
from torch import Tensor


def uniform(generator: torch.Generator, n: int, low: float, high: float) -> Tensor:
    return torch.rand(n, generator=generator) * (high - low) + low


def resample(images: Tensor, top: Tensor, left: Tensor, height: Tensor, width: Tensor, size: int) -> Tensor:
    """Crops [N, C, H, W] (a box an image) and resizes to size x size: the antialiased triangle filter of PIL."""

    def weights(start: Tensor, length: Tensor, extent: int) -> Tensor:
        scale = (length / size)[:, None, None]
        centre = start[:, None, None] + (torch.arange(size)[None, :, None] + 0.5) * scale
        pixel = torch.arange(extent)[None, None, :] + 0.5
        w = (1 - (pixel - centre).abs() / scale.clamp(min=1)).clamp(min=0)
        inside = (pixel > start[:, None, None]) & (pixel < (start + length)[:, None, None])
        w = w * inside
        return w / w.sum(2, keepdim=True)

    rows, columns = weights(top, height, images.shape[2]), weights(left, width, images.shape[3])
    return rows[:, None] @ images @ columns[:, None].transpose(2, 3)


def boxes(n: int, size: int, scale, ratio, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """RandomResizedCrop's boxes in square images: up to 10 tries each, then the whole image."""
    height, width = torch.full((n,), float(size)), torch.full((n,), float(size))
    pending = torch.ones(n, dtype=torch.bool)
    for _ in range(10):
        area = uniform(generator, n, *scale) * size * size
        aspect = uniform(generator, n, math.log(ratio[0]), math.log(ratio[1])).exp()
        w, h = (area * aspect).sqrt().round(), (area / aspect).sqrt().round()
        fits = pending & (w <= size) & (h <= size) & (w > 0) & (h > 0)
        height, width = torch.where(fits, h, height), torch.where(fits, w, width)
        pending = pending & ~fits
    top = (torch.rand(n, generator=generator) * (size - height + 1)).floor()
    left = (torch.rand(n, generator=generator) * (size - width + 1)).floor()
    return top, left, height, width


def luminance(x: Tensor) -> Tensor:
    if x.shape[1] == 1:
        return x
    return (x * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)


def shift_hue(x: Tensor, turn: Tensor) -> Tensor:
    """Turns the hue by `turn` (of a whole circle) through HSV."""
    high, low = x.amax(1), x.amin(1)
    chroma = high - low
    safe = chroma.clamp(min=1e-8)
    r, g, b = x.unbind(1)
    hue = torch.where(high == r, ((g - b) / safe) % 6, torch.where(high == g, (b - r) / safe + 2, (r - g) / safe + 4)) / 6
    hue = (hue + turn[:, None, None]) % 1

    def channel(offset: int) -> Tensor:
        k = (offset + hue * 6) % 6
        return high - chroma * torch.minimum(k, 4 - k).clamp(0, 1)

    return torch.stack([channel(5), channel(3), channel(1)], 1)


def jitter(x: Tensor, options: dict, generator: torch.Generator) -> Tensor:
    """Brightness, contrast, saturation and hue, in a random order drawn once a batch, applied with `probability`."""
    n = len(x)
    apply = (torch.rand(n, generator=generator) < options["probability"]).view(n, 1, 1, 1)
    y = x
    for kind in torch.randperm(4, generator=generator).tolist():
        name = ("brightness", "contrast", "saturation", "hue")[kind]
        strength = options[name]
        if strength == 0 or (x.shape[1] == 1 and kind >= 2):
            continue
        if kind == 3:
            y = shift_hue(y, uniform(generator, n, -strength, strength))
            continue
        factor = uniform(generator, n, max(0.0, 1 - strength), 1 + strength).view(n, 1, 1, 1)
        other = (torch.zeros(1), luminance(y).mean((1, 2, 3), keepdim=True), luminance(y))[kind]
        y = (y * factor + other * (1 - factor)).clamp(0, 1)
    return torch.where(apply, y, x)


def blur(x: Tensor, options: dict, generator: torch.Generator) -> Tensor:
    n, size = len(x), x.shape[2]
    apply = (torch.rand(n, generator=generator) < options["probability"]).view(n, 1, 1, 1)
    sigma = uniform(generator, n, *options["sigma"]).view(n, 1, 1)
    position = torch.arange(size)
    kernel = (-((position[None, :, None] - position[None, None, :]) ** 2) / (2 * sigma**2)).exp()
    kernel = (kernel / kernel.sum(2, keepdim=True))[:, None]
    return torch.where(apply, kernel @ x @ kernel.transpose(2, 3), x)


def view(images: Tensor, size: int, options: dict, generator: torch.Generator) -> Tensor:
    """One random view of each image: [N, C, H, H] in [0, 1] to [N, C, size, size] in [0, 1]."""
    n = len(images)
    x = resample(images, *boxes(n, images.shape[2], options["cropScale"], options["cropRatio"], generator), size)
    if options.get("colorJitter"):
        x = jitter(x, options["colorJitter"], generator)
    if options.get("grayscaleProbability") and x.shape[1] == 3:
        grey = (torch.rand(n, generator=generator) < options["grayscaleProbability"]).view(n, 1, 1, 1)
        x = torch.where(grey, luminance(x), x)
    if options.get("blur"):
        x = blur(x, options["blur"], generator)
    if options.get("flipProbability"):
        flip = (torch.rand(n, generator=generator) < options["flipProbability"]).view(n, 1, 1, 1)
        x = torch.where(flip, x.flip(3), x)
    return x


def plain(images: Tensor, size: int) -> Tensor:
    """The whole image, resized: what evaluation sees."""
    n, extent = len(images), images.shape[2]
    if extent == size:
        return images
    whole = torch.full((n,), float(extent))
    return resample(images, torch.zeros(n), torch.zeros(n), whole, whole, size)

"""Pre-training and its evaluation by a run's specification: the `spec` of a resolved manifest, as JSON."""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import augment
from simsiam import SimSiam, cosine, effective_rank, knn_top1, optimizer, output_std


@dataclass
class Split:
    images: Tensor
    labels: Tensor


@dataclass
class Outcome:
    """What is measured after each epoch (percent, and the std as a part of 1/sqrt(dim)) and the trained network."""

    model: SimSiam
    curve: list[dict] = field(default_factory=list)


def build(pretrain: dict) -> SimSiam:
    return SimSiam(
        arch=pretrain["arch"],
        stem=pretrain["stem"],
        width=pretrain["width"],
        zero_init_residual=pretrain["zeroInitResidual"],
        dim=pretrain["dim"],
        predictor_dim=pretrain["predictorDim"],
        projector_layers=pretrain["projectorLayers"],
    )


def normalise(images: Tensor, pretrain: dict) -> Tensor:
    """[N, 1 or 3, S, S] in [0, 1] to the network's input; grey images become three equal channels."""
    mean, std = (torch.tensor(pretrain["normalize"][name]).view(1, 3, 1, 1) for name in ("mean", "std"))
    return (images.expand(-1, 3, -1, -1) - mean) / std


def pixels(split: Split, pretrain: dict) -> Tensor:
    return normalise(augment.plain(split.images, pretrain["imageSize"]), pretrain).flatten(1)


@torch.no_grad()
def features(network: nn.Module, split: Split, pretrain: dict) -> Tensor:
    """Output of `network` in eval mode for whole images."""
    network.eval()
    views = (normalise(augment.plain(part, pretrain["imageSize"]), pretrain) for part in split.images.split(500))
    outputs = torch.cat([network(x) for x in views])
    network.train()
    return outputs


def knn(network: nn.Module | None, train: Split, val: Split, pretrain: dict) -> float:
    """kNN top-1 in percent of a backbone's features, or of the pixels without one."""
    of = (lambda split: pixels(split, pretrain)) if network is None else (lambda split: features(network, split, pretrain))
    options = pretrain["knn"]
    return knn_top1(of(train), train.labels, of(val), val.labels, options["k"], options["temperature"])


def pretrain_epochs(model: SimSiam, train: Split, pretrain: dict, seed: int):
    """Trains; yields (epoch, mean loss, mean std as a part of 1/sqrt(dim)) after each epoch."""
    generator = torch.Generator().manual_seed(seed)
    batch, epochs = pretrain["batchSize"], pretrain["epochs"]
    base = pretrain["learningRate"] * batch / 256
    sgd = optimizer(model, pretrain["momentum"], pretrain["weightDecay"])
    encoder, predictor = sgd.param_groups
    steps = len(train.images) // batch
    for epoch in range(epochs):
        encoder["lr"] = cosine(base, epoch, epochs)
        predictor["lr"] = base if pretrain["fixPredictorLearningRate"] else encoder["lr"]
        order = torch.randperm(len(train.images), generator=generator)
        losses, stds = [], []
        for step in range(steps):
            images = train.images[order[step * batch : (step + 1) * batch]]
            views = (augment.view(images, pretrain["imageSize"], pretrain["augmentation"], generator) for _ in range(2))
            loss, z = model(*(normalise(x, pretrain) for x in views), pretrain["ablation"]["stopGradient"])
            sgd.zero_grad(set_to_none=True)
            loss.backward()
            sgd.step()
            losses.append(loss.item())
            stds.append(output_std(z))
        yield epoch + 1, sum(losses) / steps, sum(stds) / steps * pretrain["dim"] ** 0.5


def run(pretrain: dict, train: Split, val: Split, seed: int, knn_every: int, log=print) -> Outcome:
    torch.manual_seed(seed)
    outcome = Outcome(build(pretrain))
    model = outcome.model
    sample = Split(train.images[: 4 * pretrain["dim"]], train.labels)
    for epoch, loss, std in pretrain_epochs(model, train, pretrain, seed):
        row = {"epoch": epoch, "loss": round(loss, 4), "std": round(std, 3)}
        if epoch % knn_every == 0 or epoch == pretrain["epochs"]:
            embedding = nn.Sequential(model.backbone, model.projector)
            row["effectiveRank"] = round(effective_rank(features(embedding, sample, pretrain)), 1)
            row["knnTop1"] = round(knn(model.backbone, train, val, pretrain), 2)
        outcome.curve.append(row)
        log(row)
    return outcome


def linear_top1(network: nn.Module | None, train: Split, val: Split, spec: dict, seed: int) -> float:
    """Linear evaluation on frozen features (or on pixels), with random crops and flips in training; percent."""
    pretrain, linear = spec["pretrain"], spec["linear"]
    size, batch, epochs = pretrain["imageSize"], linear["batchSize"], linear["epochs"]
    generator = torch.Generator().manual_seed(seed)
    options = {"cropScale": linear["cropScale"], "cropRatio": (3 / 4, 4 / 3), "flipProbability": linear["flipProbability"]}

    def embed(images: Tensor) -> Tensor:
        x = normalise(images, pretrain)
        return x.flatten(1) if network is None else network(x)

    if network is not None:
        network.eval()
    with torch.no_grad():
        validation = torch.cat([embed(augment.plain(part, size)) for part in val.images.split(500)])
        # Without crops and flips an image's features are the same in every epoch.
        whole = linear["cropScale"] == [1, 1] and linear["flipProbability"] == 0
        fixed = torch.cat([embed(augment.plain(part, size)) for part in train.images.split(500)]) if whole else None
    classifier = nn.Linear(validation.shape[1], int(train.labels.max()) + 1)
    nn.init.normal_(classifier.weight, 0, 0.01, generator=generator)
    nn.init.zeros_(classifier.bias)
    sgd = torch.optim.SGD(classifier.parameters(), lr=0.0, momentum=linear["momentum"], weight_decay=linear["weightDecay"])
    for epoch in range(epochs):
        sgd.param_groups[0]["lr"] = cosine(linear["learningRate"] * batch / 256, epoch, epochs)
        for rows in torch.randperm(len(train.images), generator=generator).split(batch):
            with torch.no_grad():
                x = fixed[rows] if whole else embed(augment.view(train.images[rows], size, options, generator))
            sgd.zero_grad(set_to_none=True)
            F.cross_entropy(classifier(x), train.labels[rows]).backward()
            if linear["optimizer"] == "lars":
                scale_by_trust(classifier, linear["weightDecay"])
            sgd.step()
    if network is not None:
        network.train()
    with torch.no_grad():
        return (classifier(validation).argmax(1) == val.labels).float().mean().item() * 100


def scale_by_trust(classifier: nn.Linear, weight_decay: float) -> None:
    """LARS (You et al., arXiv 1708.03888), trust 0.001: each gradient scaled by the norms of weight and gradient.

    The decay is then SGD's to add, so it may only be 0 here.
    """
    if weight_decay != 0:
        raise ValueError("LARS with weight decay is not part of this benchmark")
    for parameter in classifier.parameters():
        weight, gradient = parameter.detach().norm(), parameter.grad.norm()
        if weight > 0 and gradient > 0:
            parameter.grad.mul_(0.001 * weight / (gradient + 1e-8))

"""SimSiam (Chen & He, arXiv 2011.10566) in PyTorch: the reference of the benchmarks.

Written from the paper, and apart from the trainer: it shares no code with it, so that
agreement between the two means something. fp32, one process, CPU.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LAYERS = {
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
    "resnet152": (3, 8, 36, 3),
}
BOTTLENECK = {"resnet50", "resnet101", "resnet152"}


def conv(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class Block(nn.Module):
    """A residual block of torchvision's ResNet: two 3x3 convolutions, or 1x1, 3x3, 1x1 (stride on the 3x3)."""

    def __init__(self, inputs: int, middle: int, stride: int, bottleneck: bool):
        super().__init__()
        outputs = middle * 4 if bottleneck else middle
        if bottleneck:
            convs = [conv(inputs, middle, 1, 1), conv(middle, middle, 3, stride), conv(middle, outputs, 1, 1)]
        else:
            convs = [conv(inputs, middle, 3, stride), conv(middle, outputs, 3, 1)]
        self.convs = nn.ModuleList(convs)
        self.norms = nn.ModuleList(nn.BatchNorm2d(c.out_channels) for c in convs)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for i, (c, n) in enumerate(zip(self.convs, self.norms)):
            y = n(c(y))
            if i + 1 < len(self.convs):
                y = F.relu(y, inplace=True)
        return F.relu(y + self.shortcut(x), inplace=True)


class ResNet(nn.Module):
    """[N, 3, S, S] to pooled features [N, features]. `width` is the channel count of the first stage (64)."""

    def __init__(self, arch: str, stem: str, width: int, zero_init_residual: bool):
        super().__init__()
        bottleneck = arch in BOTTLENECK
        cifar = stem == "cifar"
        self.stem = conv(3, width, 3, 1) if cifar else conv(3, width, 7, 2)
        self.norm = nn.BatchNorm2d(width)
        self.pool = nn.Identity() if cifar else nn.MaxPool2d(3, 2, 1)
        blocks, channels = [], width
        for stage, count in enumerate(LAYERS[arch]):
            for index in range(count):
                stride = 2 if stage > 0 and index == 0 else 1
                blocks.append(Block(channels, width << stage, stride, bottleneck))
                channels = (width << stage) * (4 if bottleneck else 1)
        self.blocks = nn.Sequential(*blocks)
        self.features = channels
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if zero_init_residual:
            for block in self.blocks:
                nn.init.zeros_(block.norms[-1].weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.norm(self.stem(x)), inplace=True))
        return self.blocks(x).mean((2, 3))


class SimSiam(nn.Module):
    """Backbone, projector (2 or 3 layers, hidden width = the backbone's) and predictor."""

    def __init__(
        self, arch="resnet50", stem="imagenet", width=64, zero_init_residual=True, dim=2048, predictor_dim=512, projector_layers=3
    ):
        super().__init__()
        self.backbone = ResNet(arch, stem, width, zero_init_residual)
        hidden = self.backbone.features
        layers: list[nn.Module] = []
        for _ in range(projector_layers - 1):
            layers += [nn.Linear(hidden, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(inplace=True)]
        layers += [nn.Linear(hidden, dim, bias=False), nn.BatchNorm1d(dim, affine=False)]
        self.projector = nn.Sequential(*layers)
        self.predictor = nn.Sequential(
            nn.Linear(dim, predictor_dim, bias=False),
            nn.BatchNorm1d(predictor_dim),
            nn.ReLU(inplace=True),
            nn.Linear(predictor_dim, dim),
        )

    def forward(self, first: Tensor, second: Tensor, stop_gradient=True) -> tuple[Tensor, Tensor]:
        """The loss and the first view's output z. Each view has its own pass, so its own batch statistics."""
        z1, z2 = self.projector(self.backbone(first)), self.projector(self.backbone(second))
        p1, p2 = self.predictor(z1), self.predictor(z2)
        t1, t2 = (z1.detach(), z2.detach()) if stop_gradient else (z1, z2)
        loss = -(F.cosine_similarity(p1, t2).mean() + F.cosine_similarity(p2, t1).mean()) / 2
        return loss, z1.detach()


def optimizer(model: SimSiam, momentum=0.9, weight_decay=1e-4) -> torch.optim.SGD:
    """Weight decay on everything; the predictor is the second group, so that its rate can stay fixed."""
    encoder = [*model.backbone.parameters(), *model.projector.parameters()]
    groups = [{"params": encoder}, {"params": list(model.predictor.parameters())}]
    return torch.optim.SGD(groups, lr=0.0, momentum=momentum, weight_decay=weight_decay)


def cosine(initial: float, epoch: int, epochs: int) -> float:
    return initial * (1 + math.cos(math.pi * epoch / epochs)) / 2


def output_std(z: Tensor) -> float:
    """Mean over the dimensions of the normalised output's deviation: 1/sqrt(dim) if healthy, 0 if collapsed."""
    return F.normalize(z).std(0).mean().item()


def effective_rank(z: Tensor) -> float:
    """RankMe (Garrido et al., arXiv 2210.02885): the exponential of the singular values' entropy."""
    s = torch.linalg.svdvals(z.double())
    p = s / s.sum() + 1e-7
    return torch.exp(-(p * p.log()).sum()).item()


def knn_top1(bank: Tensor, labels: Tensor, queries: Tensor, truth: Tensor, k=200, temperature=0.1) -> float:
    """Weighted kNN accuracy in percent (Wu et al., arXiv 1805.01978): votes exp(cosine / temperature)."""
    bank, queries = F.normalize(bank), F.normalize(queries)
    similarity, nearest = (queries @ bank.T).topk(min(k, len(bank)), 1)
    votes = torch.zeros(len(queries), int(labels.max()) + 1)
    votes.scatter_add_(1, labels[nearest], (similarity / temperature).exp())
    return (votes.argmax(1) == truth).float().mean().item() * 100

"""Trains examples/cifar10.yaml: PyTorch's curve to set beside the trainer's.

Arguments: SPEC (JSON: the `spec` of a resolved manifest) OUTPUT (a JSON file) [--seed 0] [--threads 2]. The shards are those of the manifest;
$SIMSIAM_CIFAR10 names another folder with them. OUTPUT gets the curve, linear top-1 and both baselines.
"""

import argparse
import json
import os
import sys
import time

import torch

from shards import load
from training import Split, build, knn, linear_top1, run


def log(row: dict) -> None:
    print(json.dumps(row), file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("spec")
    parser.add_argument("output")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    spec = json.loads(options.spec)
    pretrain = spec["pretrain"]

    def split(name: str) -> Split:
        pattern = spec["data"][name]
        if folder := os.environ.get("SIMSIAM_CIFAR10"):
            pattern = os.path.join(folder, os.path.basename(pattern))
        return Split(*load(pattern, "RGB"))

    train, val = split("train"), split("val")
    torch.manual_seed(options.seed)
    untrained = build({**pretrain, "zeroInitResidual": False}).backbone
    result: dict = {"pixels": {"knn": knn(None, train, val, pretrain)}, "untrained": {"knn": knn(untrained, train, val, pretrain)}}
    log(result)
    start = time.perf_counter()
    outcome = run(pretrain, train, val, options.seed, knn_every=1, log=log)
    result["seconds"] = round(time.perf_counter() - start)
    result["curve"] = outcome.curve
    networks = (("pixels", None), ("untrained", untrained), ("simsiam", outcome.model.backbone))
    for name, network in networks:
        result.setdefault(name, {})["linear"] = linear_top1(network, train, val, spec, options.seed)
    result["simsiam"]["knn"] = outcome.curve[-1]["knnTop1"]
    with open(options.output, "w") as file:
        file.write(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()

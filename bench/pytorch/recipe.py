"""Does a recipe learn? Trains it over several seeds, with its twin without stop-gradient and the two baselines.

Arguments: SPEC (JSON: the `spec` of a resolved manifest) OUTPUT (a JSON file) [--seeds 3] [--twins 3] [--threads 2]; --twins says how many of
the seeds are also trained without stop-gradient. Prints a line of JSON a seed while
it works (on standard error: the curves) and writes them all to OUTPUT.
"""

import argparse
import copy
import json
import sys
import time

import torch

from shards import load
from training import Split, build, knn, linear_top1, run


def log(row: dict) -> None:
    print(json.dumps(row), file=sys.stderr, flush=True)


def of_seed(spec: dict, train: Split, val: Split, seed: int, twin: bool) -> dict:
    pretrain = spec["pretrain"]
    result: dict = {"seed": seed}

    # The untrained backbone starts with residual gammas at 1: at 0 it would see little but its stem.
    torch.manual_seed(seed)
    untrained = build({**pretrain, "zeroInitResidual": False}).backbone
    for name, network in (("pixels", None), ("untrained", untrained)):
        result[name] = {"knn": knn(network, train, val, pretrain), "linear": linear_top1(network, train, val, spec, seed)}

    for name, stop_gradient in (("simsiam", True), ("withoutStopGradient", False))[: 2 if twin else 1]:
        variant = copy.deepcopy(pretrain)
        variant["ablation"]["stopGradient"] = stop_gradient
        start = time.perf_counter()
        outcome = run(variant, train, val, seed, knn_every=max(1, pretrain["epochs"] // 10), log=log)
        seconds = time.perf_counter() - start
        last = outcome.curve[-1]
        result[name] = {
            "knn": last["knnTop1"],
            "linear": linear_top1(outcome.model.backbone, train, val, spec, seed),
            "loss": last["loss"],
            "std": last["std"],
            "lowestStd": min(row["std"] for row in outcome.curve),
            "effectiveRank": last["effectiveRank"],
            "seconds": round(seconds),
        }
    return json.loads(json.dumps(result), parse_float=lambda text: round(float(text), 3))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("spec")
    parser.add_argument("output")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--twins", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    spec = json.loads(options.spec)
    train, val = (Split(*load(spec["data"][name], "L")) for name in ("train", "val"))
    results = []
    for seed in range(options.seeds):
        results.append(of_seed(spec, train, val, seed, seed < options.twins))
        log(results[-1])
    with open(options.output, "w") as file:
        file.write(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()

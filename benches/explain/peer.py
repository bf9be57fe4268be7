"""Draws FullGrad maps of noise with the authors' code on torchvision's ResNet-18, and prints maps per second of each round as JSON.

usage: peer.py code=FOLDER size=224 batch=16 images=64 rounds=3 device=cpu threads=2

What a good user does is done: whole batches, evaluation mode, weights that ask for no gradient.
"""

import contextlib
import json
import sys
import time

import torch
from torchvision.models import resnet18


def main():
    words = dict(word.split("=", 1) for word in sys.argv[1:])
    sys.path.insert(0, words["code"])
    from saliency.fullgrad import FullGrad

    device, size, batch, count = torch.device(words["device"]), *(int(words[name]) for name in ("size", "batch", "images"))
    if words["device"] == "cpu":
        torch.set_num_threads(int(words["threads"]))
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    network = resnet18(num_classes=2).eval().requires_grad_(False).to(device)
    with contextlib.redirect_stdout(sys.stderr):
        fullgrad = FullGrad(network, (3, size, size))
    pixels = torch.rand(count, 1, size, size, device=device)
    mean, std = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    rates = []
    for _ in range(int(words["rounds"])):
        began = time.perf_counter()
        for start in range(0, count, batch):
            x = (pixels[start : start + batch] - mean) / std
            fullgrad.saliency(x, torch.ones(len(x), dtype=torch.long, device=device)).cpu()
        rates.append(count / (time.perf_counter() - began))
    print(json.dumps({"rates": rates}))


if __name__ == "__main__":
    main()

"""Trains ResNet-18 by nt, at, sg or sga as one writes it in PyTorch, and prints images per second of each epoch as JSON.

usage: peer.py method=sga size=224 batch=64 images=640 epochs=3 dtype=bf16 device=cpu compile=false

What a good user does is done: images stay on the device as bytes and are moved about there, channels last, automatic mixed
precision, cuDNN's own search, the fused optimiser, gradients of the input alone where no other is needed.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F
from torchvision.models import resnet18

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
METHODS = {"nt": (0.0, False, 0.0), "at": (0.0, True, 1.0), "sg": (0.1, False, 1.0), "sga": (0.1, True, 1.0)}


class Trainer:
    def __init__(self, words):
        self.device = torch.device(words["device"])
        self.bf16 = words["dtype"] == "bf16"
        self.plain = words["dtype"] == "f32-plain"  # as most people run it: no memory format, no mixed precision
        self.k, self.attacked, self.weight = METHODS[words["method"]]
        torch.manual_seed(0)
        torch.backends.cudnn.benchmark = True
        network = resnet18()
        network.fc = torch.nn.Linear(512, 2)
        network = network.to(self.device)
        self.network = network if self.plain else network.to(memory_format=torch.channels_last)
        self.apply = torch.compile(self.network) if words["compile"] == "true" else self.network
        self.optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4, fused=not self.plain)
        self.mean, self.std = (torch.tensor(values, device=self.device).view(1, 3, 1, 1) for values in (MEAN, STD))

    def logits(self, x):
        u = (x - self.mean) / self.std
        if not self.plain:
            u = u.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            return self.apply(u).float()

    def input_gradient(self, x, scalar):
        x = x.detach().requires_grad_()
        return torch.autograd.grad(scalar(self.logits(x)), x)[0]

    def changed(self, x, y):
        """x without its least salient pixels, attacked."""
        self.network.eval()
        if self.k:
            saliency = self.input_gradient(x, lambda z: z.gather(1, y[:, None]).sum())
            flat = x.flatten(1)
            least = saliency.flatten(1).topk(int(self.k * flat.shape[1]), largest=False).indices
            low, high = flat.amin(1, keepdim=True), flat.amax(1, keepdim=True)
            x = flat.scatter(1, least, low + torch.rand(least.shape, device=x.device) * (high - low)).view_as(x)
        if self.attacked:
            epsilon = 0.01 + 0.04 * torch.rand(()).item()
            x = (x + epsilon * self.input_gradient(x, lambda z: F.cross_entropy(z, y)).sign()).clamp(0, 1)
        self.network.train()
        return x

    def step(self, x, y):
        other = self.changed(x, y) if self.weight else None
        logits = self.logits(x)
        loss = F.cross_entropy(logits, y)
        if other is not None:
            p, q = logits.log_softmax(1), self.logits(other).log_softmax(1)
            loss = loss + self.weight * F.kl_div(q, p, reduction="batchmean", log_target=True)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return loss.detach()


def moved(x):
    """Light changes: shift and scale by up to 5 %."""
    count = x.shape[0]
    zoom = 1 / (1 + 0.05 * (2 * torch.rand(count, device=x.device) - 1))
    shift = 0.1 * (2 * torch.rand(count, 2, device=x.device) - 1)
    maps = torch.zeros(count, 2, 3, device=x.device)
    maps[:, 0, 0] = maps[:, 1, 1] = zoom
    maps[:, :, 2] = -shift * zoom[:, None]
    return F.grid_sample(x, F.affine_grid(maps, x.shape, align_corners=False), align_corners=False)


def main():
    words = dict(word.split("=", 1) for word in sys.argv[1:])
    size, batch, count = int(words["size"]), int(words["batch"]), int(words["images"])
    if words["device"] == "cpu":
        torch.set_num_threads(int(words["threads"]))
    trainer = Trainer(words)
    pixels = torch.randint(0, 256, (count, 1, size, size), dtype=torch.uint8).to(trainer.device)
    labels = torch.randint(0, 2, (count,)).to(trainer.device)
    rates = []
    for _ in range(int(words["epochs"])):
        order = torch.randperm(count).to(trainer.device)
        began, losses = time.perf_counter(), []
        for start in range(0, count, batch):
            places = order[start : start + batch]
            losses.append(trainer.step(moved(pixels[places].float() / 255), labels[places]))
        torch.stack(losses).tolist()  # waits for the device
        rates.append(count / (time.perf_counter() - began))
    print(json.dumps({"rates": rates}))


if __name__ == "__main__":
    main()

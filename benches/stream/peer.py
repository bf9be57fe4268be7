"""Reads the same images with what others use, and prints images per second of each epoch.

usage: peer.py imagefolder|datasets|streaming FOLDER SIDE BATCH EPOCHS WORKERS
"""

import io
import os
import sys
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import datasets as vision
from torchvision import transforms


def main():
    kind, folder, side, batch, epochs, workers = sys.argv[1:]
    side, batch, epochs, workers = map(int, (side, batch, epochs, workers))
    torch.set_num_threads(1)
    global to_tensor
    to_tensor = transforms.Compose([transforms.Resize(side), transforms.CenterCrop(side), transforms.PILToTensor()])
    loader = {"imagefolder": image_folder, "datasets": hugging_face, "streaming": mosaic}[kind](Path(folder), batch, workers)
    for epoch in range(epochs):
        start = time.perf_counter()
        images = 0
        for pixels, labels in loader(epoch):
            assert pixels.shape[1:] == (1, side, side) and pixels.dtype == torch.uint8 and len(labels) == len(pixels)
            images += len(pixels)
        print(images / (time.perf_counter() - start), flush=True)


def grey(png):
    return to_tensor(Image.open(io.BytesIO(png)).convert("L"))


def image_folder(folder, batch, workers):
    read = vision.ImageFolder(folder / "png", transform=to_tensor, loader=lambda path: Image.open(path).convert("L"))
    loader = DataLoader(read, batch, shuffle=True, num_workers=workers, persistent_workers=True)
    return lambda epoch: loader


def hugging_face(folder, batch, workers):
    import datasets

    files = sorted(map(str, (folder / "shards").glob("*.parquet")))
    stream = datasets.load_dataset("parquet", data_files=files, split="train", streaming=True)
    stream = stream.select_columns(["image", "label"]).cast_column("image", datasets.Image(decode=False))
    stream = stream.shuffle(seed=0, buffer_size=1000)

    def collate(rows):
        return torch.stack([grey(row["image"]["bytes"]) for row in rows]), torch.tensor([row["label"] for row in rows])

    loader = DataLoader(stream, batch, num_workers=workers, collate_fn=collate, persistent_workers=True)

    def epoch(number):
        stream.set_epoch(number)
        return loader

    return epoch


def mosaic(folder, batch, workers):
    from streaming import StreamingDataset

    class Radiographs(StreamingDataset):
        def __getitem__(self, index):
            row = super().__getitem__(index)
            return grey(row["image"]), row["label"]

    read = Radiographs(local=str(folder / "mds"), shuffle=True, batch_size=batch)
    loader = DataLoader(read, batch, num_workers=workers, persistent_workers=True)
    return lambda epoch: loader


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The pipeline of data_pipeline.c as it is written in Python: PIL, torchvision's transforms, PyTorch's loader.

    peer_data_pipeline.py FOLDER WORKERS EPOCHS     prints images per second, a line per epoch
"""
import sys
import time

import torch
from torchvision import datasets, transforms


def main():
    folder, workers, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    steps = transforms.Compose([transforms.RandomResizedCrop(224), transforms.ToTensor(),
                                transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])
    loader = torch.utils.data.DataLoader(datasets.ImageFolder(folder, steps), batch_size=64, shuffle=True, drop_last=True,
                                         num_workers=workers, persistent_workers=True, prefetch_factor=4)
    for _ in range(epochs):
        start, images = time.perf_counter(), 0
        for x, _ in loader:
            images += len(x)
        print(f"{images / (time.perf_counter() - start):.1f}", flush=True)


if __name__ == "__main__":
    main()

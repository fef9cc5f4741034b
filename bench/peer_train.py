#!/usr/bin/env python3
"""Trains the small residual network of `ursa train image` in PyTorch: same data, batch size, epochs, optimizer and
schedule. One line per epoch and a last line with the seconds of training, for bench/train to compare.

    bench/peer_train.py DATA [--epochs 3] [--bs 64] [--lr 0.004] [--threads 2] [--seed 42] [--json]
"""
import argparse
import gzip
import json
import os
import struct
import time

import torch
from torch import nn
import torch.nn.functional as F


def read_idx(folder, name):
    for path, opener in ((os.path.join(folder, name), open), (os.path.join(folder, name + ".gz"), gzip.open)):
        if os.path.exists(path):
            with opener(path, "rb") as file:
                data = file.read()
            dims = data[3]
            shape = struct.unpack(f">{dims}I", data[4:4 + 4 * dims])
            return torch.frombuffer(bytearray(data[4 + 4 * dims:]), dtype=torch.uint8).reshape(shape)
    raise SystemExit(f"{folder}: no {name}[.gz]")


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.downsample(x))


def network(classes):
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        Block(16, 32, 2), Block(32, 64, 2), Block(64, 128, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, classes))
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--bs", type=int, default=64)
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)

    x = read_idx(args.data, "train-images-idx3-ubyte").float().div(255).unsqueeze(1)
    y = read_idx(args.data, "train-labels-idx1-ubyte").long()
    xv = read_idx(args.data, "t10k-images-idx3-ubyte").float().div(255).unsqueeze(1)
    yv = read_idx(args.data, "t10k-labels-idx1-ubyte").long()
    mean, std = x.mean(), x.std()
    x, xv = (x - mean) / std, (xv - mean) / std

    model = network(int(y.max()) + 1).to(memory_format=torch.channels_last)
    decay = [p for p in model.parameters() if p.dim() > 1]
    rest = [p for p in model.parameters() if p.dim() <= 1]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.01}, {"params": rest, "weight_decay": 0.0}], lr=args.lr)
    steps = len(x) // args.bs
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, args.lr, total_steps=args.epochs * steps, pct_start=0.25,
                                                   base_momentum=0.85, max_momentum=0.95)
    begin = time.time()
    for epoch in range(args.epochs):
        model.train()
        order = torch.randperm(len(x))
        total = 0.0
        for step in range(steps):
            index = order[step * args.bs:(step + 1) * args.bs]
            xb = x[index].contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(model(xb), y[index])
            opt.zero_grad()
            loss.backward()
            opt.step()
            schedule.step()
            total += loss.item()
        model.eval()
        right = loss_sum = 0
        with torch.no_grad():
            for first in range(0, len(xv), 2 * args.bs):
                xb = xv[first:first + 2 * args.bs].contiguous(memory_format=torch.channels_last)
                out = model(xb)
                right += int((out.argmax(1) == yv[first:first + 2 * args.bs]).sum())
                loss_sum += float(F.cross_entropy(out, yv[first:first + 2 * args.bs], reduction="sum"))
        if not args.json:
            print(f"epoch {epoch}: train {total / steps:.4f} valid {loss_sum / len(xv):.4f} "
                  f"accuracy {right / len(xv):.4f} time {time.time() - begin:.1f} s", flush=True)
    seconds = time.time() - begin
    if args.json:
        print(json.dumps({"what": "train", "peer": f"pytorch {torch.__version__}", "epochs": args.epochs, "bs": args.bs,
                          "seconds": round(seconds, 2), "accuracy": right / len(xv)}))
    else:
        print(f"PyTorch {torch.__version__}: {seconds:.1f} s, accuracy {right / len(xv):.4f}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""PyTorch's half of bench/vs-pytorch: what `ursa bench … --turns` does, in PyTorch.

    bench/peer.py gemm|conv|train|infer|data [the options of `ursa bench`] [--threads N]

Prints the seconds of the first run; then does a run for every line on stdin and prints its seconds; at the end, the
memory that the process held before anything was made, and at most. Images are channels-last; bf16 networks run under
autocast.
"""
import argparse
import json
import sys
import time

import torch
from torch import nn
import torch.nn.functional as F

LEAST = {"data": 0.1, "gemm": 0.05, "conv": 0.02, "train": 0.1, "infer": 0.1}  # seconds of a turn, as in ursa bench

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}

# name: channels in and out, kernel, stride, how much smaller than the images the input is
LAYERS = {
    "conv1": (3, 64, 7, 2, 1), "layer1": (64, 64, 3, 1, 4), "layer2.0.conv1": (64, 128, 3, 2, 4),
    "layer2.down": (64, 128, 1, 2, 4), "layer2": (128, 128, 3, 1, 8), "layer3.0.conv1": (128, 256, 3, 2, 8),
    "layer3.down": (128, 256, 1, 2, 8), "layer3": (256, 256, 3, 1, 16), "layer4.0.conv1": (256, 512, 3, 2, 16),
    "layer4.down": (256, 512, 1, 2, 16), "layer4": (512, 512, 3, 1, 32)}


def status_bytes(name):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    return 0


def make_gemm(args):
    dtype = DTYPES[args.dtype]
    x, y = torch.rand(args.m, args.k).to(dtype), torch.rand(args.k, args.n).to(dtype)
    out = torch.empty(args.m, args.n, dtype=dtype)
    return lambda: torch.mm(x, y, out=out)


def make_conv(args):
    inputs, outputs, kernel, stride, shrink = LAYERS[args.layer]
    size = args.size // shrink
    x = torch.rand(args.bs, inputs, size, size).to(DTYPES[args.dtype], memory_format=torch.channels_last)
    w = torch.rand(outputs, inputs, kernel, kernel).to(DTYPES[args.dtype], memory_format=torch.channels_last)
    pad = kernel // 2
    y = F.conv2d(x, w, None, stride, pad)
    dy = torch.rand_like(y)
    masks = {"grad_input": (True, False, False), "grad_weight": (False, True, False),
             "backward": (inputs > 3, True, False)}
    if args.pass_ == "forward":
        return lambda: F.conv2d(x, w, None, stride, pad)
    mask = masks[args.pass_]
    return lambda: torch.ops.aten.convolution_backward(dy, x, w, None, [stride, stride], [pad, pad], [1, 1], False, [0, 0], 1,
                                                       mask)


def make_network(args):
    if args.arch == "mlp":
        model = nn.Sequential(nn.Flatten(), nn.Linear(args.size ** 2, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(),
                              nn.Linear(1024, 10))
        return model, torch.randn(args.bs, 1, args.size, args.size)
    import torchvision
    model = getattr(torchvision.models, args.arch)().to(memory_format=torch.channels_last)
    return model, torch.randn(args.bs, 3, args.size, args.size).to(memory_format=torch.channels_last)


def make_train(args):
    model, x = make_network(args)
    y = torch.zeros(args.bs, dtype=torch.long)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    model.train()

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=args.dtype == "bf16"):
            loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return step


def make_infer(args):
    model, x = make_network(args)
    model.eval()

    def step():
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=args.dtype == "bf16"):
            model(x)
    return step


def make_data(args):
    from torchvision import datasets, transforms
    steps = transforms.Compose([transforms.RandomResizedCrop(args.size, scale=(0.35, 1)), transforms.RandomHorizontalFlip(),
                                transforms.ToTensor(),
                                transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    loader = torch.utils.data.DataLoader(datasets.ImageFolder(args.data, steps), batch_size=args.bs, shuffle=True,
                                         num_workers=args.threads, persistent_workers=True, drop_last=True)

    def epoch():
        for _ in loader:
            pass
    return epoch


def time_runs(run, times):
    begin = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - begin) / times


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=LEAST)
    parser.add_argument("--arch", default="resnet18")
    parser.add_argument("--data")
    parser.add_argument("--layer", default="layer1")
    parser.add_argument("--dtype", choices=DTYPES, default="f32")
    parser.add_argument("--pass", dest="pass_", default="forward")
    for name, standard in (("size", 128), ("bs", 32), ("m", 2048), ("n", 2048), ("k", 2048), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=standard)
    args = parser.parse_args()
    if args.arch != "mlp" and args.what in ("train", "infer"):
        import torchvision  # noqa: F401 — what it takes is not the network's
    torch.set_num_threads(args.threads)
    before = status_bytes("VmRSS")
    run = {"data": make_data, "gemm": make_gemm, "conv": make_conv, "train": make_train, "infer": make_infer}[args.what](args)
    times, each = 1, time_runs(run, 1)
    print(json.dumps({"first_s": each, "peer": torch.__version__}), flush=True)
    while each * times < LEAST[args.what]:
        times *= 2
        each = time_runs(run, times)
    for _ in sys.stdin:
        begin = time.process_time()
        seconds = time_runs(run, times)
        print(json.dumps({"s": seconds, "cpu_s": (time.process_time() - begin) / times}), flush=True)
    print(json.dumps({"resident_before": before, "resident_peak": status_bytes("VmHWM")}), flush=True)


if __name__ == "__main__":
    main()

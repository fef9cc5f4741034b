#!/usr/bin/env python3
"""Writes networks.safetensors: logits of every architecture, for tests/golden/test_networks.c to compare with.

    /usr/bin/python3 tests/golden/make_networks.py [--peers]

Made with PyTorch 1.13 and torchvision 0.14 (Debian's python3-torchvision). xResNets and EfficientNet-Lite0, which
torchvision lacks, are written out here; --peers compares them, names and logits, with the Python packages fastai and
efficientnet_lite_pytorch, where PYTHONPATH has them. Weights come from the name and index of each number by a formula that
the test has too, so that nothing large is kept. Everything is computed in double precision.
"""
import collections
import json
import os
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

CLASSES = 16
SIZES = (64, 224)


# ---- the formula -------------------------------------------------------------------
def noise(name, count):
    """Numbers in [-1, 1) from a name: a hash of the name, and a mixer of 32 bits over the index."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 % 2**32
    x = (np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(seed)).astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 2**31 - 1


def value(name, shape, gain):
    u = noise(name, int(np.prod(shape)))
    if name.endswith("running_var"):
        u = 1 + 0.4 * u
    elif name.endswith("running_mean") or name.endswith("bias"):
        u = 0.2 * u
    elif len(shape) == 1:
        u = gain * (1 + 0.2 * u)
    elif name != "input":
        u = u * np.sqrt(6 / np.prod(shape[1:]))
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


def fill(model, gain):
    state = model.state_dict()
    for name, tensor in state.items():
        if not name.endswith("num_batches_tracked"):
            tensor.copy_(value(name, tuple(tensor.shape), gain))


# ---- xResNet (He et al. 2019) --------------------------------------------------------
def conv_norm(i, o, kernel, stride=1, relu=True):
    layers = [nn.Conv2d(i, o, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*layers, *([nn.ReLU()] if relu else []))


class XBlock(nn.Module):
    def __init__(self, i, o, stride, bottleneck):
        super().__init__()
        middle = o // 4
        self.convpath = nn.Sequential(
            conv_norm(i, middle, 1), conv_norm(middle, middle, 3, stride), conv_norm(middle, o, 1, relu=False)
        ) if bottleneck else nn.Sequential(conv_norm(i, o, 3, stride), conv_norm(o, o, 3, relu=False))
        path = [nn.AvgPool2d(stride, ceil_mode=True)] if stride > 1 else []
        self.idpath = nn.Sequential(*path, *([conv_norm(i, o, 1, relu=False)] if i != o else []))

    def forward(self, x):
        return F.relu(self.convpath(x) + self.idpath(x))


def xresnet(blocks, bottleneck):
    layers = [conv_norm(3, 32, 3, 2), conv_norm(32, 32, 3), conv_norm(32, 64, 3), nn.MaxPool2d(3, 2, 1)]
    i = 64
    for stage, count in enumerate(blocks):
        o = 64 * 2**stage * (4 if bottleneck else 1)
        layers.append(nn.Sequential(*(XBlock(i if b == 0 else o, o, 2 if stage and b == 0 else 1, bottleneck)
                                      for b in range(count))))
        i = o
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0), nn.Linear(i, CLASSES))


# ---- EfficientNet-Lite0 ----------------------------------------------------------------
class SameConv(nn.Conv2d):
    """Padded as TensorFlow's "SAME"."""

    def forward(self, x):
        pad = []
        for axis in (3, 2):
            kernel, stride, extent = self.kernel_size[axis - 2], self.stride[axis - 2], x.shape[axis]
            needed = max((-(-extent // stride) - 1) * stride + kernel - extent, 0)
            pad += [needed // 2, needed - needed // 2]
        return F.conv2d(F.pad(x, pad), self.weight, None, self.stride, 0, 1, self.groups)


def same_conv(i, o, kernel, stride=1, groups=1):
    return SameConv(i, o, kernel, stride, bias=False, groups=groups)


def lite_norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class LiteBlock(nn.Module):
    def __init__(self, i, o, kernel, stride, expand):
        super().__init__()
        wide = i * expand
        if expand > 1:
            self._expand_conv, self._bn0 = same_conv(i, wide, 1), lite_norm(wide)
        self._depthwise_conv, self._bn1 = same_conv(wide, wide, kernel, stride, wide), lite_norm(wide)
        self._project_conv, self._bn2 = same_conv(wide, o, 1), lite_norm(o)
        self.expand, self.shortcut = expand, stride == 1 and i == o

    def forward(self, x):
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expand > 1 else x
        y = self._bn2(self._project_conv(F.relu6(self._bn1(self._depthwise_conv(y)))))
        return x + y if self.shortcut else y


class EfficientNetLite0(nn.Module):
    STAGES = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5),
              (6, 192, 4, 2, 5), (6, 320, 1, 1, 3))

    def __init__(self):
        super().__init__()
        self._conv_stem, self._bn0 = same_conv(3, 32, 3, 2), lite_norm(32)
        blocks, i = [], 32
        for expand, o, count, stride, kernel in self.STAGES:
            for b in range(count):
                blocks.append(LiteBlock(i, o, kernel, 1 if b else stride, expand))
                i = o
        self._blocks = nn.Sequential(*blocks)
        self._conv_head, self._bn1 = same_conv(i, 1280, 1), lite_norm(1280)
        self._fc = nn.Linear(1280, CLASSES)

    def forward(self, x):
        x = self._blocks(F.relu6(self._bn0(self._conv_stem(x))))
        return self._fc(F.relu6(self._bn1(self._conv_head(x))).mean((2, 3)))


# ---- the small ones ---------------------------------------------------------------------
def small_cnn():
    layers, i = collections.OrderedDict(), 3
    for block in range(3):
        o = 32 * 2**block
        layers[f"block{block + 1}"] = nn.Sequential(nn.Conv2d(i, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(),
                                                    nn.MaxPool2d(2))
        i = o
    return nn.Sequential(collections.OrderedDict(
        **layers, pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), fc=nn.Linear(i, CLASSES)))


def small_resnet():
    def block(i, o):
        shortcut = nn.Sequential(nn.Conv2d(i, o, 1, 2, bias=False), nn.BatchNorm2d(o))
        return torchvision.models.resnet.BasicBlock(i, o, 2, shortcut)

    return nn.Sequential(collections.OrderedDict(
        conv1=nn.Conv2d(3, 16, 3, 1, 1, bias=False), bn1=nn.BatchNorm2d(16), relu=nn.ReLU(), layer1=block(16, 32),
        layer2=block(32, 64), layer3=block(64, 128), pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(),
        fc=nn.Linear(128, CLASSES)))


# ---- all of them ---------------------------------------------------------------------
def of_torchvision(name):
    options = {"init_weights": False} if "vgg" in name else {}
    return getattr(torchvision.models, name)(weights=None, num_classes=CLASSES, **options)


# The mean scale of batch norms: below 1 where a shortcut adds up what goes on growing.
NETWORKS = {name: (lambda name=name: of_torchvision(name), gain) for name, gain in (
    ("resnet18", 0.75), ("resnet34", 0.75), ("resnet50", 0.75), ("resnet101", 0.75), ("resnet152", 0.75),
    ("vgg11_bn", 1), ("vgg13_bn", 1), ("vgg16_bn", 1), ("vgg19_bn", 1), ("squeezenet1_0", 1), ("squeezenet1_1", 1),
    ("densenet121", 1), ("mobilenet_v2", 1))}
NETWORKS["small-cnn"] = (small_cnn, 1)
NETWORKS["small-resnet"] = (small_resnet, 0.75)
NETWORKS["xresnet18"] = (lambda: xresnet((2, 2, 2, 2), False), 0.75)
NETWORKS["xresnet34"] = (lambda: xresnet((3, 4, 6, 3), False), 0.75)
NETWORKS["xresnet50"] = (lambda: xresnet((3, 4, 6, 3), True), 0.75)
NETWORKS["efficientnet_lite0"] = (EfficientNetLite0, 1)


def run(model, gain, size):
    fill(model, gain)
    with torch.no_grad():
        return model.double().eval()(value("input", (1, 3, size, size), 1).double())[0]


def peer(name):
    """The same network from the package that has it; None where it is torchvision's."""
    if name.startswith("xresnet"):
        from fastai.vision.models import xresnet as module
        return getattr(module, name)(n_out=CLASSES)
    if name == "efficientnet_lite0":
        from efficientnet_lite_pytorch import EfficientNet
        return EfficientNet.from_name("efficientnet-lite0", num_classes=CLASSES)
    return None


def save(path, tensors):
    header, body = {}, b""
    for name, array in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [len(body), len(body) + array.nbytes]}
        body += array.tobytes()
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


def main(peers):
    tensors = {}
    for name, (make, gain) in NETWORKS.items():
        model = make()
        for size in SIZES:
            logits = run(model, gain, size)
            tensors[f"{name}.{size}"] = logits.float().numpy()
            print(f"{name}.{size}: {logits.mean():.4g} ± {logits.std():.4g}")
            other = peer(name) if peers else None
            if other is not None:
                assert list(other.state_dict()) == list(model.state_dict()), name
                assert torch.allclose(run(other, gain, size), logits, rtol=1e-9, atol=1e-9), name
                print("  as the package's")
    save(os.path.join(os.path.dirname(os.path.abspath(__file__)), "networks.safetensors"), tensors)


if __name__ == "__main__":
    main("--peers" in sys.argv)

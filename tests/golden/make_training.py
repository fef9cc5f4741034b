#!/usr/bin/env python3
"""Writes training.safetensors: what fastai's Learner does, for test_training.c to compare with.

    python3 -m venv --system-site-packages env
    env/bin/pip install --no-deps fastai==2.7.12 'fastcore<1.6' fastprogress fastdownload
    env/bin/python tests/golden/make_training.py

Made with fastai 2.7.12 on PyTorch 1.13 in double precision, but for the losses, which fastai casts to float. Every case "<name>" is a small network trained from the same
weights ("model.…") on the same batches, and holds what was seen at every step: "<name>.loss" [steps],
"<name>.lr" [steps, groups], "<name>.mom" [steps], and after every epoch "<name>.valid" [epochs, loss and accuracy]; at
the end "<name>.<parameter>".
"""
import json
import os
import struct

import numpy as np
import torch
from fastai.basics import *
from fastai.callback.all import *
from fastai.callback.schedule import minimum, slide, steep, valley
from fastai.losses import FocalLossFlat
from torch import nn

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
torch.manual_seed(3)
tensors = {}


def put(name, value):
    array = value.detach().numpy() if torch.is_tensor(value) else np.asarray(value)
    tensors[name] = array.astype(np.float32) if array.dtype.kind == "f" else array


# ---- the task: noisy classes of points -------------------------------------------------------------
ITEMS, BATCH, CLASSES = 44, 8, 3


def points(count):
    y = torch.arange(count) % CLASSES
    x = torch.randn(count, 4) + torch.eye(4)[y] * 1.5
    return x.float().double(), y


train, valid = points(ITEMS), points(20)
put("train.x", train[0]), put("train.y", train[1]), put("valid.x", valid[0]), put("valid.y", valid[1])


def network():
    torch.manual_seed(5)
    model = nn.Sequential()
    model.add_module("body", nn.Sequential(nn.Linear(4, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU()))
    model.add_module("middle", nn.Sequential(nn.Linear(8, 6, bias=False), nn.BatchNorm1d(6), nn.ReLU()))
    model.add_module("head", nn.Sequential(nn.Linear(6, CLASSES)))
    for parameter in model.parameters():
        parameter.data = parameter.data.float().double()
    return model


for name, value in network().state_dict().items():
    if "num_batches" not in name:
        put(f"model.{name}", value)


def groups(model):
    return [list(model.body.parameters()), list(model.middle.parameters()), list(model.head.parameters())]


class Watch(Callback):
    order = 55  # behind the recorder, before what may end the fit

    def before_fit(self):
        if not hasattr(self, "seen"):
            self.seen = {"loss": [], "lr": [], "mom": [], "valid": []}

    def after_batch(self):
        if self.training and not hasattr(self, "lr_finder"):
            self.seen["loss"].append(self.learn.loss.item())
            self.seen["lr"].append([h["lr"] for h in self.opt.hypers])
            self.seen["mom"].append(self.opt.hypers[-1].get("mom", 0))

    def after_epoch(self):
        if not hasattr(self, "lr_finder"):
            self.seen["valid"].append([float(v) for v in self.recorder.values[-1][1:3]])


def case(name, fit, **options):
    loaders = DataLoaders(*[DataLoader(L(zip(*data)), bs=BATCH, shuffle=False, num_workers=0) for data in (train, valid)])
    options.setdefault("loss_func", CrossEntropyLossFlat())
    watch = Watch()
    learn = Learner(loaders, network(), metrics=accuracy, splitter=groups, cbs=[watch], **options)
    with learn.no_logging(), learn.no_bar():
        fit(learn)
    for key, value in watch.seen.items():
        put(f"{name}.{key}", np.array(value))
    for key, value in learn.model.state_dict().items():
        if "num_batches" not in key:
            put(f"{name}.{key}", value)
    return learn


case("fit", lambda l: l.fit(2, 1e-2))
case("slice", lambda l: l.fit(2, slice(1e-4, 1e-2), wd=0.1))
case("tenth", lambda l: l.fit(2, slice(1e-2)))
case("one_cycle", lambda l: l.fit_one_cycle(3, slice(1e-3, 2e-2)))
case("one_cycle_options", lambda l: l.fit_one_cycle(3, 1e-2, div=10, div_final=100, pct_start=0.4, moms=(0.9, 0.8, 0.7)))
case("flat_cos", lambda l: l.fit_flat_cos(3, slice(1e-3, 2e-2)))
case("sgdr", lambda l: l.fit_sgdr(2, 1, 2e-2))
case("fine_tune", lambda l: l.fine_tune(2, base_lr=2e-2))
case("frozen", lambda l: (l.freeze_to(1), l.fit(2, 1e-2)))
case("frozen_norms", lambda l: (l.freeze(), l.fit(2, 1e-2)), train_bn=False)
case("sgd", lambda l: l.fit_one_cycle(2, 5e-2), opt_func=partial(SGD, mom=0.9))
case("accumulate", lambda l: l.fit(3, 1e-2, cbs=GradientAccumulation(20)))
case("clip", lambda l: l.fit(2, 1e-2, cbs=GradientClip(0.3)))
case("smoothing", lambda l: l.fit(2, 1e-2), loss_func=LabelSmoothingCrossEntropyFlat(eps=0.1))
case("focal", lambda l: l.fit(2, 1e-2), loss_func=FocalLossFlat(gamma=2.0))
case("weighted", lambda l: l.fit(2, 1e-2),
     loss_func=CrossEntropyLossFlat(weight=torch.tensor([1.0, 2.0, 0.5], dtype=torch.float32)))
case("plateau", lambda l: l.fit(10, 1.5, cbs=ReduceLROnPlateau(patience=2, factor=4, min_delta=0.02)), opt_func=SGD)
case("stopping", lambda l: l.fit(12, 0.5, cbs=EarlyStoppingCallback(monitor="accuracy", patience=3, min_delta=0.01)), opt_func=SGD)

# ---- the learning rate finder -------------------------------------------------------------------------
learn = case("after_find", lambda l: (l.lr_find(num_it=60, show_plot=False), l.fit(1, 1e-2)))
find = Learner(learn.dls, network(), CrossEntropyLossFlat(), splitter=groups)
with find.no_logging(), find.no_bar():
    find.lr_find(start_lr=1e-6, end_lr=100, num_it=60, show_plot=False)
put("find.lrs", np.array(find.recorder.lrs)), put("find.losses", np.array([float(l) for l in find.recorder.losses]))


def suggestions(name, lrs, losses):
    lrs, losses = torch.tensor(lrs), torch.tensor(losses)
    put(f"{name}.lrs", lrs), put(f"{name}.losses", losses)
    put(f"{name}.suggested", np.array([f(lrs, losses, 100)[0] for f in (minimum, steep, valley, slide)]))


lrs = 1e-7 * 1e8 ** (np.arange(85) / 100).astype(np.float64)
ramp = np.log10(lrs)
rng = np.random.default_rng(1)
for number in range(6):
    noise = rng.normal(0, 0.01 * number, len(lrs))
    losses = 2.3 - 1.5 / (1 + np.exp(-3 * (ramp + 4 - 0.3 * number))) + np.exp(4 * (ramp + 0.5 + 0.1 * number)) + noise
    suggestions(f"suggest.{number}", lrs.astype(np.float32).astype(np.float64), losses.astype(np.float32).astype(np.float64))
suggestions("suggest.rising", lrs[:40], np.linspace(1, 3, 40) ** 2)
suggestions("suggest.flat", lrs[:40], np.ones(40))

# ---- the file ------------------------------------------------------------------------------------------
names = {np.dtype(np.float32): "F32", np.dtype(np.int64): "I64"}
header, offset = {"__metadata__": {"made_with": f"fastai 2.7.12 on PyTorch {torch.__version__}"}}, 0
for name, value in tensors.items():
    header[name] = {"dtype": names[value.dtype], "shape": list(value.shape), "data_offsets": [offset, offset + value.nbytes]}
    offset += value.nbytes
text = json.dumps(header, separators=(",", ":")).encode()
text += b" " * (-len(text) % 8)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "training.safetensors"), "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text)
    for value in tensors.values():
        file.write(np.ascontiguousarray(value).tobytes())
print(f"{len(tensors)} tensors, {offset} bytes")
for name in ("plateau", "stopping"):
    print(name, tensors[f"{name}.valid"].tolist(), tensors[f"{name}.lr"][:, -1].tolist()[::6])
print(len(tensors["find.lrs"]), tensors["find.losses"].tolist())

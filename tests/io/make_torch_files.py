#!/usr/bin/env python3
"""Writes the small files of tests/io/torch: what torch.save() makes, and what nobody should load.

    /usr/bin/python3 tests/io/make_torch_files.py

Made with PyTorch 1.13 (Debian's python3-torch). Number i of a tensor is i, counted in PyTorch's order, unless said
otherwise, plus 100 for the second tensor and so on.
"""
import collections
import io
import os
import pickle
import struct
import zipfile

import torch

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch")


def numbers(*shape, start=0, dtype=torch.float32):
    count = 1
    for extent in shape:
        count *= extent
    return (torch.arange(count) + start).reshape(shape).to(dtype)


def state():
    return collections.OrderedDict([("conv.weight", numbers(2, 3, 2, 2)), ("conv.bias", numbers(2, start=100)),
                                    ("bn.num_batches_tracked", torch.tensor(7))])


def save(name, value, legacy=False):
    torch.save(value, os.path.join(HERE, name), _use_new_zipfile_serialization=not legacy)


def write(name, data):
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(data)


def types():
    tensors = {str(dtype)[6:]: numbers(3, start=-1, dtype=dtype) for dtype in (
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8)}
    tensors["uint8"] = numbers(3, start=253, dtype=torch.uint8)
    tensors["bool"] = torch.tensor([True, False, True])
    tensors["empty"] = torch.empty(0, 4)
    tensors["scalar"] = torch.tensor(3.5)
    return tensors


def views():
    base = numbers(4, 6)
    return {"base": base, "rows": base[1:3], "columns": base[:, 1:3], "turned": base.t(),
            "channels_last": numbers(2, 3, 2, 2).to(memory_format=torch.channels_last), "parameter":
            torch.nn.Parameter(base[3])}


class Evil:
    def __reduce__(self):
        return os.system, ("echo this must never be printed; touch /tmp/ursa-was-here",)


def edited(name, change):
    """A zip file of torch.save(state()) with its entries changed by `change(name, bytes)`."""
    source = io.BytesIO()
    torch.save(state(), source)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(os.path.join(HERE, name), "w") as new:
        for entry in old.infolist():
            path, data, compression = change(entry.filename, old.read(entry))
            new.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), data, compression)


def main():
    os.makedirs(HERE, exist_ok=True)
    torch.manual_seed(0)
    for legacy in (False, True):
        kind = "legacy" if legacy else "zip"
        save(f"{kind}.pth", state(), legacy)
        save(f"{kind}_types.pth", types(), legacy)
        save(f"{kind}_views.pth", views(), legacy)
        save(f"{kind}_nested.pth", {"epoch": 3, "loss": 0.25, "best": torch.tensor(0.5), "optimizer": {
            "state": {0: {"step": 5, "exp_avg": numbers(2)}}, "param_groups": [{"lr": 1e-3, "params": [0, 1]}]},
            "model": collections.OrderedDict(("module." + key, value) for key, value in state().items())}, legacy)
        save(f"{kind}_evil.pth", {"weight": numbers(2), "extra": Evil()}, legacy)
        save(f"{kind}_module.pth", torch.nn.Linear(2, 2), legacy)
    save("protocol4.pth", state())
    torch.save(state(), os.path.join(HERE, "protocol4.pth"), pickle_protocol=4)
    write("evil.pkl", pickle.dumps(Evil(), 2))
    edited("compressed.pth", lambda path, data: (path, data, zipfile.ZIP_DEFLATED))
    edited("missing_storage.pth", lambda path, data: (path.replace("data/1", "data/9"), data, zipfile.ZIP_STORED))
    edited("short_storage.pth", lambda path, data: (path, data[:40] if path.endswith("data/0") else data, 0))
    edited("no_pickle.pth", lambda path, data: (path.replace("data.pkl", "data.pickle"), data, 0))
    edited("up.pth", lambda path, data: ("../../" + path, data, 0))
    with open(os.path.join(HERE, "zip.pth"), "rb") as file:
        data = bytearray(file.read())
    # A storage's last byte but one of its entry: the sum no longer holds.
    at = data.find(struct.pack("<f", 23.0))
    data[at + 1] ^= 1
    write("damaged.pth", bytes(data))
    source = io.BytesIO()
    torch.save(state(), source)
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(os.path.join(HERE, "big_endian.pth"), "w") as new:
        for entry in old.infolist():
            new.writestr(zipfile.ZipInfo(entry.filename, (2020, 1, 1, 0, 0, 0)), old.read(entry))
        new.writestr(zipfile.ZipInfo("archive/byteorder", (2020, 1, 1, 0, 0, 0)), b"big")


if __name__ == "__main__":
    main()

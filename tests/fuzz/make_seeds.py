#!/usr/bin/env python3
"""Writes small files of every kind for the fuzzers to start from: make_seeds.py FOLDER"""
import gzip
import json
import os
import struct
import sys
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
import data
from archives import tar, zipped


def safetensors(header, body):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def learner(format, **more):
    """A learner's file for a linear layer of two inputs and outputs."""
    raw = {"optimizer/steps": bytes(24), "optimizer/groups": struct.pack("<3d", 1e-3, 0.9, 0.01), **more}
    header, body = {"__metadata__": {"format": format}}, b""
    for name, shape in (("model.weight", [2, 2]), ("model.bias", [2]), ("optimizer.weight.square", [2, 2]),
                        ("training/losses", [3])):
        size = 4 * shape[0] * (shape + [1])[1]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + size]}
        body += bytes(size)
    for name, value in raw.items():
        header[name] = {"dtype": "U8", "shape": [len(value)], "data_offsets": [len(body), len(body) + len(value)]}
        body += value
    return safetensors(header, body)


def checkpoint(epoch, batch):
    """One of the second of two epochs of three batches."""
    losses = {"training/rates": bytes(8 * batch), "training/counts": bytes(8 * batch)}
    counters = struct.pack("<10q", 1, epoch, epoch, 2, batch, 3 * epoch + batch, batch, 0, epoch, 3 * epoch)
    return learner("ursa-checkpoint", **losses, **{
        "training/streams": bytes(8 * 7 * 8), "training/counters": counters, "training/epochs": bytes(88 * epoch),
        "training/steps": bytes(16 * 3 * epoch), "checkpoint/place": struct.pack("<4q", 1, 2, epoch, batch)})


def main(folder):
    tensor = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
    inside = {
        "ursa": "0.1.0",
        "network": {"application": "vision", "arch": "small-cnn", "channels": 1, "outputs": 2,
                    "head": {"dropout": 0, "hidden": [8, 0, 0, 0], "no_concat_pool": False, "no_first_norm": False,
                             "final_norm": False, "y_range": [0, 0]}},
        "data": {"x": {"name": "image", "channels": 1, "count": 0},
                 "y": {"name": "category", "channels": 0, "count": 0, "vocab": ["a", "b"]},
                 "item_tfms": [{"name": "resize", "arguments": {"rows": 8, "columns": 8, "method": 0, "pad_mode": 0}}],
                 "batch_tfms": []},
        "loss": {"name": "cross_entropy", "thresh": 0}, "precision": "bf16"}
    meta = {"format": "ursa-model", "version": "2", "model": json.dumps(inside)}
    idx = data.idx(range(32), 2, 4, 4)
    grey = bytes(range(64))
    bmp = b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54 + 48, 0, 0, 54, 40, 4, 4, 1, 24, 0, 48, 0, 0, 0, 0) + bytes(48)
    gif = (b"GIF89a\x02\x00\x02\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x02\x00\x02\x00\x00"
           b"\x02\x03\x44\x02\x05\x00;")
    good = [("a/x", "file", b"hello"), ("a/l", "symlink", "x"), ("a/h", "link", "a/x")]
    bad = [("a/../../x", "file", b"1"), ("/x", "file", b"2"), ("a/l", "symlink", "../../x"), ("p", "pipe", None)]
    listed = {"files": [{"name": "a.csv", "totalBytes": 12, "creationDate": None}, {"ref": True}], "nextPageToken": "t"}
    seeds = {
        "csv/plain": b'\0a,b,a\n1,"x, ""y""\n",NA\n2.5,,True\r\n',
        "csv/sniffed": b"\x44\xef\xbb\xbfa;b\n1;2\n\n",
        "csv/latin": b"\x1b1|caf\xe9\n2|\n",
        "kaggle/login": b'{"username":"bear","key":"k"}',
        "kaggle/list": json.dumps(listed).encode(),
        "kaggle/name": b"https://www.kaggle.com/datasets/owner/name/versions/3",
        "archive/good": tar(good, "w")[:4096],
        "archive/gzipped": tar(good),
        "archive/zip": zipped({"a/x": b"hello", "y": b"1"}),
        **{f"archive/bad-{i}": tar([entry], "w")[:2048] for i, entry in enumerate(bad)},
        "safetensors/one": safetensors({"a": tensor, "__metadata__": {"k": "v"}}, bytes(16)),
        "safetensors/two": safetensors({"a": tensor, "b": {"dtype": "BF16", "shape": [3], "data_offsets": [16, 22]}}, bytes(22)),
        "model/one": safetensors({"__metadata__": meta, "fc.bias": {"dtype": "F32", "shape": [20000], "data_offsets": [0, 80000]}}, bytes(80000)),
        "learner/file": learner("ursa-learner"),
        "learner/epoch": checkpoint(1, 0),
        "learner/batch": checkpoint(1, 2),
        "idx/plain": idx,
        "idx/gzipped": gzip.compress(idx),
        "image/grey.png": data.png(grey, 8, 8, 1),
        "image/colour.png": data.png(bytes(192), 8, 8, 3),
        "image/a.bmp": bmp,
        "image/a.gif": gif,
    }
    torch = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../io/torch")
    for name in os.listdir(torch):
        with open(f"{torch}/{name}", "rb") as file:
            content = file.read()
        seeds[f"checkpoint/{name}"] = content
        if zipfile.is_zipfile(f"{torch}/{name}"):
            with zipfile.ZipFile(f"{torch}/{name}") as archive:
                seeds.update({f"pickle/{name}": archive.read(entry) for entry in archive.namelist() if
                              entry.endswith("data.pkl") and name != "damaged.pth"})
    pictures = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../vision/pictures")
    for name in sorted(os.listdir(pictures)):
        with open(f"{pictures}/{name}", "rb") as file:
            seeds[f"image/{name}"] = file.read()
    seeds["image/exif"] = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"
    for name, content in seeds.items():
        os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
        data.write(f"{folder}/{name}", content)


if __name__ == "__main__":
    main(sys.argv[1])

#!/usr/bin/env python3
"""Writes transforms.safetensors, what fastai makes of pictures and batches, and the picture files of
tests/vision/pictures, whose pixels as PIL reads them are in there, too.

    /usr/bin/python3 -m venv --system-site-packages venv
    venv/bin/pip install --no-deps fastai==2.7.12 fastcore==1.5.29 fastdownload==0.0.8 fastprogress==1.0.3
    venv/bin/python tests/golden/make_transform_fixtures.py

Made with fastai 2.7.12 on Debian's PyTorch 1.13, torchvision 0.14, Pillow 9.4, NumPy 1.24. Batches are stored
[N, H, W, C]. Every transform is given its draws, or is the sure variant of validation.
"""
import json
import os
import struct
import zlib

import numpy as np
import torch
from fastai.vision.augment import *
from fastai.vision.core import PILImage, PILMask, TensorImage, TensorMask, TensorPoint
from PIL import Image, ImageOps

HERE = os.path.dirname(os.path.abspath(__file__))
PICTURES = os.path.join(HERE, "../vision/pictures")
rng = np.random.default_rng(11)
tensors = {}


def put(name, value):
    tensors[name] = np.array(value, order="C", copy=True)


def nhwc(x):
    return x.permute(0, 2, 3, 1).numpy()


def smooth(rows, columns, channels, waves=3):
    """A picture of soft waves and a few hard edges, 0 ... 1."""
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float64)
    out = np.zeros((rows, columns, channels))
    for c in range(channels):
        for _ in range(waves):
            fy, fx, phase = rng.uniform(-0.35, 0.35), rng.uniform(-0.35, 0.35), rng.uniform(0, 6)
            out[..., c] += np.sin(fy * y + fx * x + phase)
        out[..., c] += 1.5 * ((x * rng.uniform(0.5, 1) + y) % 17 < 5)
    out -= out.min()
    return out / out.max()


# ---- batches ---------------------------------------------------------------------------------------------

def batch_case(name, batch, *transforms, mask=None, points=None, training=True):
    """The transforms of one list, composed as fastai composes them."""
    split = 0 if training else 1
    steps = setup_aug_tfms(list(transforms))

    def through(value, like):
        for step in steps:
            # One call settles the draws; they are all given, so that every call settles the same.
            step.before_call(like, split)
            value = step.encodes(value)
        return value

    put(name + ".x", nhwc(through(TensorImage(batch.clone()), batch)))
    if mask is not None:
        put(name + ".mask", through(TensorMask(mask.clone()), batch).numpy().astype(np.int64))
    if points is not None:
        value = TensorPoint(points.clone(), img_size=tuple(batch.shape[-2:]))
        put(name + ".points", through(value, batch).numpy().astype(np.float32))


def batches():
    wide = torch.tensor(np.stack([smooth(18, 25, 3) for _ in range(2)]), dtype=torch.float32).permute(0, 3, 1, 2)
    square = torch.tensor(np.stack([smooth(24, 24, 3) for _ in range(2)]), dtype=torch.float32).permute(0, 3, 1, 2)
    mask = torch.tensor(rng.integers(0, 5, (2, 5, 5)).repeat(4, 1).repeat(5, 2)[:, :18, :25])
    points = torch.tensor(rng.uniform(-0.9, 0.9, (2, 4, 2)), dtype=torch.float32)
    put("wide", nhwc(wide))
    put("square", nhwc(square))
    put("mask", mask.numpy().astype(np.int64))
    put("points", points.numpy())
    both = dict(mask=mask, points=points)

    batch_case("flip", wide, Flip(p=1), **both)
    for k in range(1, 8):
        batch_case(f"dihedral_{k}", wide, Dihedral(p=1, draw=k, align_corners=True), **both)
    batch_case("rotate", wide, Rotate(p=1, draw=30), **both)
    batch_case("rotate_zeros", wide, Rotate(p=1, draw=-50, pad_mode="zeros"))
    batch_case("rotate_border", wide, Rotate(p=1, draw=75, pad_mode="border"))
    batch_case("zoom", wide, Zoom(p=1, draw=1.35, draw_x=0.2, draw_y=0.9))
    batch_case("warp", wide, Warp(p=1, draw_x=0.15, draw_y=-0.1))
    batch_case("warp_other", square, Warp(p=1, draw_x=-0.2, draw_y=0.2))
    batch_case("resized", wide, Rotate(p=1, draw=20, size=(19, 41)))
    # Square: fastai takes the columns of the result for its rows here.
    batch_case("reduced", square, Rotate(p=1, draw=20, size=(7, 7)))
    batch_case("validation", wide, Flip(p=1, size=(20, 20)), Rotate(p=1, draw=20), training=False)
    batch_case("composed", square, Flip(p=1), Rotate(p=1, draw=12),
               Zoom(p=1, draw=1.08, draw_x=0.7, draw_y=0.3), Warp(p=1, draw_x=0.1, draw_y=0.05))
    batch_case("brightness", wide, Brightness(p=1, draw=0.63))
    batch_case("contrast", wide, Contrast(p=1, draw=1.4))
    batch_case("saturation", wide, Saturation(p=1, draw=0.4))
    batch_case("light", wide, Brightness(p=1, draw=0.42), Contrast(p=1, draw=0.8), Saturation(p=1, draw=1.7))
    for name, draw in (("hue", 0.07), ("hue_far", 0.6)):
        put(name + ".x", nhwc(TensorImage(wide.clone()).hue(p=1, draw=draw)))
    stats = (torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225]))
    put("normalize.x", nhwc((wide - stats[0][:, None, None]) / stats[1][:, None, None]))


# ---- items -----------------------------------------------------------------------------------------------

def item_case(name, transform, picture, mask, points):
    """As in validation, where nothing is random."""
    transform.before_call(picture, 1) if hasattr(transform, "before_call") else None
    put(f"item.{name}.x", np.array(transform.encodes(picture)))
    put(f"item.{name}.mask", np.array(transform.encodes(mask)))
    moved = transform.encodes(points)
    if not isinstance(transform, RandomResizedCrop):  # whose second crop takes points for still being in the first picture
        put(f"item.{name}.points", moved.numpy().astype(np.float32))


def items():
    rows, columns = 45, 61
    pixels = (smooth(rows, columns, 3) * 255).round().astype(np.uint8)
    classes = rng.integers(0, 7, (9, 13)).repeat(5, 0).repeat(5, 1)[:rows, :columns].astype(np.uint8)
    where = rng.uniform(0, 1, (5, 2)) * (columns, rows)
    Image.fromarray(pixels).save(f"{PICTURES}/item.png")
    Image.fromarray(classes).save(f"{PICTURES}/item_mask.png")
    put("item.points", where.astype(np.float32))
    picture, mask = PILImage.create(pixels), PILMask.create(classes)
    scaled = torch.tensor(where * (2 / columns, 2 / rows) - 1, dtype=torch.float32)
    points = TensorPoint(scaled, img_size=(columns, rows))
    for method in ("crop", "squish", "pad"):
        for size in (32, (20, 50), (66, 30)):
            label = "x".join(map(str, size)) if isinstance(size, tuple) else str(size)
            item_case(f"{method}_{label}", Resize(size, method=method), picture, mask, points)
    item_case("pad_zeros", Resize((40, 30), method="pad", pad_mode="zeros"), picture, mask, points)
    item_case("pad_border", Resize((40, 30), method="pad", pad_mode="border"), picture, mask, points)
    item_case("crop_pad_small", CropPad(32), picture, mask, points)
    item_case("crop_pad_large", CropPad((60, 80)), picture, mask, points)
    item_case("crop_pad_reflection", CropPad((50, 40), pad_mode="reflection"), picture, mask, points)
    item_case("random_crop", RandomCrop((30, 41)), picture, mask, points)
    item_case("random_resized_crop", RandomResizedCrop((24, 32)), picture, mask, points)


# ---- files -----------------------------------------------------------------------------------------------

def keep(name, image):
    image = ImageOps.exif_transpose(image)
    put(f"picture.{name}", np.array(image.convert("RGB")))


def save(image, name, **options):
    image.save(f"{PICTURES}/{name}", **options)
    keep(name, Image.open(f"{PICTURES}/{name}"))


def deep_png(name, pixels):
    """16 bits a channel, which PIL cannot write."""
    rows, columns, channels = pixels.shape
    lines = b"".join(b"\0" + pixels[row].astype(">u2").tobytes() for row in range(rows))

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", columns, rows, 16, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    with open(f"{PICTURES}/{name}", "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b""))
    put(f"picture.{name}", np.repeat(pixels[..., :3] >> 8, 3 if channels == 1 else 1, axis=2).astype(np.uint8))


def files():
    colour = Image.fromarray((smooth(19, 29, 3) * 255).round().astype(np.uint8))
    large = Image.fromarray((smooth(75, 101, 3, 5) * 255).round().astype(np.uint8))
    grey = colour.convert("L")
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(colour, f"exif_{orientation}.jpg", quality=92, exif=exif.tobytes())
    save(large, "large_420.jpg", quality=88, subsampling=2)
    save(large, "large_422.jpg", quality=88, subsampling=1)
    save(large, "large_444.jpg", quality=88, subsampling=0)
    save(large, "large_progressive.jpg", quality=88, progressive=True)
    save(grey, "grey.jpg", quality=92)
    save(colour.convert("CMYK"), "cmyk.jpg", quality=95)
    save(grey, "grey.png")
    save(colour, "colour.png")
    save(colour, "colour.bmp")
    save(colour.quantize(16), "palette.gif")
    save(colour.quantize(16), "palette.png")
    save(colour.quantize(16), "palette_clear.png", transparency=3)
    save(colour.convert("1"), "bits.png")
    alpha = colour.copy()
    alpha.putalpha(Image.fromarray((smooth(19, 29, 1)[..., 0] * 255).astype(np.uint8)))
    save(alpha, "alpha.png")
    save(alpha.convert("LA"), "grey_alpha.png")
    deep_png("deep.png", (smooth(19, 29, 3) * 65535).astype(np.uint16))
    deep_png("deep_alpha.png", (smooth(19, 29, 4) * 65535).astype(np.uint16))
    deep_png("deep_grey.png", (smooth(19, 29, 1) * 65535).astype(np.uint16))
    whole = open(f"{PICTURES}/large_420.jpg", "rb").read()
    with open(f"{PICTURES}/truncated.jpg", "wb") as file:
        file.write(whole[:len(whole) // 2])
    with open(f"{PICTURES}/no_end.jpg", "wb") as file:
        file.write(whole[:-2])


def write(path):
    types = {"float32": "F32", "int64": "I64", "uint8": "U8"}
    header, body = {}, b""
    for name, array in tensors.items():
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        data = array.tobytes()
        header[name] = {"dtype": types[array.dtype.name], "shape": list(array.shape),
                        "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


if __name__ == "__main__":
    os.makedirs(PICTURES, exist_ok=True)
    batches()
    items()
    files()
    write(f"{HERE}/transforms.safetensors")

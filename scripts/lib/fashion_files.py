#!/usr/bin/env python3
"""Writes some of Fashion-MNIST's pictures as PNG files, a folder per class.

usage: fashion_files.py IDX_FOLDER OUT COUNT CLASS…

COUNT pictures of each CLASS go to OUT/CLASS/0000.png and so on. Classes are
numbers or names ("ankle boot"). Standard library only.
"""
import gzip
import os
import struct
import sys
import zlib

NAMES = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]


def read_idx(path):
    """The sizes and the bytes of an IDX file of unsigned bytes."""
    with gzip.open(path) as file:
        data = file.read()
    dims = data[3]
    return struct.unpack_from(f">{dims}I", data, 4), data[4 + 4 * dims:]


def png(pixels, columns, rows):
    """8-bit grey as the bytes of a PNG file."""
    lines = b"".join(b"\0" + pixels[r * columns:(r + 1) * columns] for r in range(rows))

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def garments(folder, part="train"):
    """(class, 784 bytes) of every picture, in the order of the file."""
    (count, rows, columns), pixels = read_idx(f"{folder}/{part}-images-idx3-ubyte.gz")
    _, labels = read_idx(f"{folder}/{part}-labels-idx1-ubyte.gz")
    size = rows * columns
    for i in range(count):
        yield labels[i], pixels[i * size:(i + 1) * size]


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    folder, out, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    wanted = {int(name) if name.isdigit() else NAMES.index(name): name for name in sys.argv[4:]}
    written = dict.fromkeys(wanted, 0)
    for name in wanted.values():
        os.makedirs(f"{out}/{name}", exist_ok=True)
    for label, pixels in garments(folder):
        if label in wanted and written[label] < count:
            with open(f"{out}/{wanted[label]}/{written[label]:04}.png", "wb") as file:
                file.write(png(pixels, 28, 28))
            written[label] += 1


if __name__ == "__main__":
    main()

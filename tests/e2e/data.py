"""Makes small data sets: IDX files and folders of PNG files."""
import gzip
import os
import random
import struct
import zlib


def pattern(kind, size, rng):
    """A square with a bright band: across, down or along the diagonal, somewhere, in noise."""
    at = rng.randrange(2, size - 2)
    image = bytearray()
    for row in range(size):
        for column in range(size):
            distance = (row - at, column - at, (row - column + at) % size - size // 2)[kind]
            image.append((200 if abs(distance) < 2 else 40) + rng.randrange(50))
    return bytes(image)


def idx(values, *shape):
    return struct.pack(">BBBB", 0, 0, 8, len(shape)) + struct.pack(f">{len(shape)}I", *shape) + bytes(values)


def write(path, data):
    with (gzip.open if path.endswith(".gz") else open)(path, "wb") as file:
        file.write(data)


def idx_folder(path, count=240, size=12, seed=1, gzipped=True, valid=True):
    """Three classes of patterns in MNIST's format."""
    os.makedirs(path, exist_ok=True)
    rng, end = random.Random(seed), ".gz" if gzipped else ""
    for part, items in (("train", count), ("t10k", count // 4))[:2 if valid else 1]:
        labels = [i % 3 for i in range(items)]
        pixels = b"".join(pattern(label, size, rng) for label in labels)
        write(f"{path}/{part}-images-idx3-ubyte{end}", idx(pixels, items, size, size))
        write(f"{path}/{part}-labels-idx1-ubyte{end}", idx(labels, items))
    return path


def png(pixels, columns, rows, channels):
    """8-bit grey (1) or colour (3) as the bytes of a PNG file."""
    width = columns * channels
    lines = b"".join(b"\0" + pixels[r * width:(r + 1) * width] for r in range(rows))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 0 if channels == 1 else 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


def class_folders(path, names=("across", "down", "diagonal"), count=30, size=20, seed=2, colour=False):
    """A folder of PNG files per class."""
    rng = random.Random(seed)
    for kind, name in enumerate(names):
        os.makedirs(f"{path}/{name}", exist_ok=True)
        for i in range(count):
            grey = pattern(kind, size, rng)
            pixels = bytes(value for grey_value in grey for value in (grey_value, 255 - grey_value, 90)) if colour else grey
            write(f"{path}/{name}/{i:03}.png", png(pixels, size, size, 3 if colour else 1))
    return path

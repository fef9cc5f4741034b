"""Makes data sets of real pictures from Fashion-MNIST, as files: sheets with
several garments and their names, and pictures with a garment whose centre is
known. JPEG files are written by cjpeg (Debian's libjpeg-turbo-progs)."""
import os
import random
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../scripts/lib"))
from fashion_files import NAMES, garments, png  # noqa: E402

from command import Skip  # noqa: E402

FASHION = os.environ.get("URSA_FASHION", "/usr/share/datasets/fashion-mnist")
STAMPS = "/usr/share/tuxpaint/stamps"
SIDE = 28


def need_fashion():
    if not os.path.exists(f"{FASHION}/train-images-idx3-ubyte.gz"):
        raise Skip("the package dataset-fashion-mnist is not installed")


def need_cjpeg():
    if not shutil.which("cjpeg"):
        raise Skip("cjpeg of libjpeg-turbo-progs is not installed")


def some_garments(classes, count, skip=0):
    """`count` pictures of each class: {class name: [784 bytes, …]}."""
    need_fashion()
    found, passed = {name: [] for name in classes}, dict.fromkeys(classes, 0)
    for label, pixels in garments(FASHION):
        name = NAMES[label]
        if name not in found:
            continue
        passed[name] += 1
        if passed[name] > skip and len(found[name]) < count:
            found[name].append(pixels)
        elif all(len(pictures) == count for pictures in found.values()):
            break
    return found


def write_jpeg(path, grey, columns, rows):
    subprocess.run(["cjpeg", "-quality", "92", "-outfile", path], check=True,
                   input=b"P5 %d %d 255\n" % (columns, rows) + bytes(grey))


def write_png(path, grey, columns, rows):
    with open(path, "wb") as file:
        file.write(png(bytes(grey), columns, rows))


def class_files(path, classes, count, skip=0, jpeg=False):
    """A folder of files per class."""
    write, end = (write_jpeg, "jpg") if jpeg else (write_png, "png")
    for name, pictures in some_garments(classes, count, skip).items():
        os.makedirs(f"{path}/{name}", exist_ok=True)
        for i, pixels in enumerate(pictures):
            write(f"{path}/{name}/{i:04}.{end}", pixels, SIDE, SIDE)
    return path


def paste(canvas, side, pixels, left, top, scale=1):
    """Puts a garment on a square canvas, the lighter of both pixels, every pixel scale × scale."""
    for row in range(SIDE * scale):
        start = (top + row) * side + left
        line = pixels[row // scale * SIDE:row // scale * SIDE + SIDE]
        for column in range(SIDE * scale):
            value = line[column // scale]
            if value > canvas[start + column]:
                canvas[start + column] = value


def sheets(path, count, classes, side=64, seed=5):
    """The layout of Kaggle's planet data: train-jpg/train_N.jpg, and train_v2.csv with the
    garments on each, apart by spaces."""
    need_cjpeg()
    rng, stock = random.Random(seed), some_garments(classes, 200)
    os.makedirs(f"{path}/train-jpg", exist_ok=True)
    with open(f"{path}/train_v2.csv", "w", newline="") as table:
        table.write("image_name,tags\n")
        for i in range(count):
            chosen = rng.sample(classes, rng.randint(1, 3))
            corners = rng.sample([(0, 0), (0, 1), (1, 0), (1, 1)], len(chosen))
            canvas = bytearray(side * side)
            for name, (row, column) in zip(chosen, corners):
                slack = side // 2 - SIDE
                paste(canvas, side, rng.choice(stock[name]), column * side // 2 + rng.randint(0, slack),
                      row * side // 2 + rng.randint(0, slack))
            write_jpeg(f"{path}/train-jpg/train_{i}.jpg", canvas, side, side)
            table.write(f"train_{i},{' '.join(name.replace(' ', '_') for name in chosen)}\n")
    return path


def centres(path, count, name="bag", side=64, seed=6):
    """Pictures N.png with one garment somewhere on a noisy ground, and centres.csv: file,x,y
    of its middle, in pixels."""
    rng, stock = random.Random(seed), some_garments([name], 200)[name]
    os.makedirs(path, exist_ok=True)
    with open(f"{path}/centres.csv", "w", newline="") as table:
        table.write("file,x,y\n")
        for i in range(count):
            canvas = bytearray(rng.randrange(60) for _ in range(side * side))
            left, top = rng.randint(0, side - SIDE), rng.randint(0, side - SIDE)
            paste(canvas, side, rng.choice(stock), left, top)
            write_png(f"{path}/{i:04}.png", canvas, side, side)
            table.write(f"{i:04}.png,{left + SIDE / 2},{top + SIDE / 2}\n")
    return path

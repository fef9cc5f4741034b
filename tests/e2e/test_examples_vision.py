#!/usr/bin/env python3
"""The course's scripts in C, on data made of real pictures."""
import csv
import math
import os

from command import main, run, test
import pictures

CPU = {"URSA_DEVICE": "cpu"}
SIDE = 64


def program(name):
    return os.path.abspath(os.environ[f"URSA_{name.upper()}"])


def epochs(out):
    """The rows of the tables of epochs that a training printed, without the header."""
    return [[float(cell) for cell in line.split()[1:-1]] for line in out.splitlines()
            if line[:1].isdigit() and len(line.split()) > 3 and ":" in line.split()[-1]]


def run_in(folder, name, *arguments):
    before = os.getcwd()
    os.chdir(folder)
    try:
        return run(*arguments, program=program(name), env=CPU)[0]
    finally:
        os.chdir(before)


def garments(folder):
    """Weights of a network that knows some garments."""
    pictures.class_files(f"{folder}/garments", ["t-shirt", "pullover", "dress", "bag", "sandal", "trouser"], 250)
    run("train", "image", f"{folder}/garments", "--arch", "resnet18", "--size", 32, "--epochs", 2, "--bs", 32, "--quiet", "--out",
        f"{folder}/garments.ursa", env=CPU)
    return f"{folder}/garments.ursa"


@test
def bears_on_shoes(folder):
    path = pictures.class_files(f"{folder}/shoes", ["sandal", "sneaker", "ankle boot"], 60, jpeg=True)
    out = run_in(folder, "bears", path, f"{path}/ankle boot/0007.jpg", 32)
    for name in ("batch.png", "lr_find.png", "losses.png", "confusion.png", "top_losses.png"):
        with open(f"{folder}/{name}", "rb") as file:
            assert len(file.read()) > 5000, name
    assert out.splitlines()[-1].endswith(" %)"), out
    again, _ = run("predict", f"{folder}/bears.ursa", f"{path}/ankle boot/0007.jpg", env=CPU)
    assert again.split("\t")[1] == out.splitlines()[-1].split(" (")[0], (again, out)


@test
def planet_on_sheets(folder):
    path = pictures.sheets(f"{folder}/planet", 1200, ["trouser", "dress", "sandal", "bag"], side=SIDE)
    out = run_in(folder, "planet", path, SIDE // 2, garments(folder))
    f2 = [row[3] for row in epochs(out)]
    assert len(f2) == 9, out
    assert f2[-1] > 0.90 and f2[-1] > f2[4], f2


@test
def head_pose_on_centres(folder):
    path = pictures.centres(f"{folder}/centres", 1000, side=SIDE)
    run_in(folder, "head_pose", path, SIDE)
    assert os.path.getsize(f"{folder}/head_pose_results.png") > 5000
    new = pictures.centres(f"{folder}/new", 60, side=SIDE, seed=77)
    out, _ = run("predict", f"{folder}/head_pose.ursa", new, "--csv", env=CPU)
    found = {os.path.basename(row["file"]): (float(row["1"]), float(row["2"])) for row in csv.DictReader(out.splitlines())}
    with open(f"{new}/centres.csv", newline="") as file:
        errors = [math.dist(found[row["file"]], (float(row["x"]), float(row["y"]))) for row in csv.DictReader(file)]
    assert len(errors) == 60 and sum(errors) / 60 < 0.03 * SIDE, sum(errors) / 60


if __name__ == "__main__":
    main()

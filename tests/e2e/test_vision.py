#!/usr/bin/env python3
"""Learning from real pictures: transfer, several labels, points, resuming after a kill, prediction and reports."""
import csv
import json
import os
import signal
import subprocess
import time

from command import CPU, main, one_line, rows, run, Skip, test, URSA, WRAPPER
import data
import pictures


def contents(path):
    with open(path, "rb") as file:
        return file.read()


def last(path, column):
    return float(rows(path)[-1][column])


@test
def transfer_beats_a_start_from_nothing(folder):
    """A body trained on eight kinds of garments, then 80 pictures of two others; same epochs, judged on 400 more; the
    mean of two seeds."""
    eight = [name for name in pictures.NAMES if name not in ("pullover", "coat")]
    pictures.class_files(f"{folder}/eight", eight, 1500)
    pictures.class_files(f"{folder}/two/train", ["pullover", "coat"], 40)
    pictures.class_files(f"{folder}/two/valid", ["pullover", "coat"], 200, skip=100)
    common = ["--arch", "small-cnn", "--size", 28, "--quiet"]
    run("train", "image", f"{folder}/eight", *common, "--epochs", 3, "--out", f"{folder}/eight.ursa", env=CPU)
    scratch, tuned = [], []
    for seed in (42, 43):
        two = ["train", "image", f"{folder}/two", *common, "--bs", 20, "--seed", seed, "--log", f"{folder}/log.csv"]
        run(*two, "--epochs", 3, env=CPU)
        scratch.append(last(f"{folder}/log.csv", "accuracy"))
        run(*two, f"--pretrained={folder}/eight.ursa", "--fine-tune", 2, env=CPU)
        assert len(rows(f"{folder}/log.csv")) == 3
        tuned.append(last(f"{folder}/log.csv", "accuracy"))
    assert sum(tuned) / 2 > sum(scratch) / 2 + 0.05, (scratch, tuned)


@test
def a_table_of_several_labels(folder):
    names = ["trouser", "dress", "sandal", "bag"]
    path = pictures.sheets(f"{folder}/planet", 300, names)
    model, log = f"{folder}/planet.ursa", f"{folder}/log.csv"
    out, _ = run("train", "image", path, "--labels", f"csv:{path}/train_v2.csv", "--label-delim", " ", "--folder", "train-jpg",
                 "--suffix", ".jpg", "--size", 32, "--bs", 16, "--epochs", 6, "--metrics", "accuracy,f2@0.3", "--log", log,
                 "--out", model, env=CPU)
    assert "240 training and 60 validation images of 32 × 32 px, 4 classes" in out, out
    assert last(log, "f2") > 0.7, rows(log)
    out, _ = run("predict", model, f"{path}/train-jpg", "--json", env=CPU)
    found = [json.loads(line) for line in out.splitlines()]
    assert len(found) == 300 and set(found[0]["probabilities"]) == set(names), found[:1]


@test
def labels_in_names(folder):
    for i, name in enumerate(("across", "down", "diagonal")):
        data.class_folders(f"{folder}/d", names=[name], count=20, seed=i)
    os.makedirs(f"{folder}/flat")
    for name in ("across", "down", "diagonal"):
        for file in os.listdir(f"{folder}/d/{name}"):
            os.rename(f"{folder}/d/{name}/{file}", f"{folder}/flat/{name}_{file}")
    out, _ = run("train", "image", f"{folder}/flat", "--labels", r"regex:^(.+)_\d+\.png$", "--size", 16, "--epochs", 1, "--bs", 8, env=CPU)
    assert "48 training and 12 validation images of 16 × 16 px, 3 classes" in out, out


@test
def predictions_as_lines_tables_and_json(folder):
    path, model = data.class_folders(f"{folder}/d"), f"{folder}/m.ursa"
    run("train", "image", path, "--size", 16, "--epochs", 8, "--bs", 8, "--quiet", "--out", model, env=CPU)
    out, _ = run("predict", model, path, env=CPU)
    lines = [line.split("\t") for line in out.splitlines()]
    right = sum(os.path.basename(os.path.dirname(file)) == name for file, name, _ in lines)
    assert len(lines) == 90 and right > 72 and lines[0][2].endswith(" %"), lines[:3]
    out, _ = run("predict", model, f"{path}/down/000.png", f"{path}/across/001.png", "--csv", env=CPU)
    table = list(csv.DictReader(out.splitlines()))
    assert [row["file"] for row in table] == [f"{path}/down/000.png", f"{path}/across/001.png"], table
    assert abs(sum(float(table[0][name]) for name in ("across", "down", "diagonal")) - 1) < 1e-4, table
    out, _ = run("predict", model, f"{path}/down/000.png", "--json", env=CPU)
    assert set(json.loads(out)["probabilities"]) == {"across", "down", "diagonal"}, out


@test
def a_killed_training_resumes_to_the_same_bytes(folder):
    path = data.class_folders(f"{folder}/d", count=40)
    command = ["train", "image", path, "--size", 16, "--epochs", 12, "--bs", 8, "--augment", "default", "--quiet"]
    run(*command, "--out", f"{folder}/whole.ursa", env=CPU)
    checkpoint = f"{folder}/checkpoints"
    full = [*WRAPPER, URSA, *map(str, command), "--checkpoint", checkpoint, "--out", f"{folder}/resumed.ursa"]
    kills = 0
    for wait in (0.3, 0.5, 0.8, 1.2):
        process = subprocess.Popen([*full, "--resume"], env=dict(os.environ, **CPU))
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
    assert kills, "the training was over before it could be killed"
    run(*command, "--checkpoint", checkpoint, "--resume", "--out", f"{folder}/resumed.ursa", env=CPU)
    assert contents(f"{folder}/whole.ursa") == contents(f"{folder}/resumed.ursa")


@test
def reports_and_curves(folder):
    path, model, report = data.class_folders(f"{folder}/d"), f"{folder}/m.ursa", f"{folder}/report"
    run("train", "image", path, "--size", 16, "--epochs", 2, "--bs", 8, "--quiet", "--out", model, "--report", report, env=CPU)
    assert os.path.exists(f"{report}/index.html"), os.listdir(report)
    out, _ = run("interpret", model, path, "--out", f"{folder}/interpret", env=CPU)
    assert {"confusion.png", "top_losses.png"} <= set(os.listdir(f"{folder}/interpret")), out
    out, _ = run("lr-find", path, "--size", 16, "--bs", 8, "--out", f"{folder}/lr.png", env=CPU)
    assert out.count("\n") >= 5 and "valley" in out and os.path.getsize(f"{folder}/lr.png") > 5000, out
    out, _ = run("summary", "--arch", "resnet18", "--size", 64, env=CPU)
    assert "11,689,512" in out, out


@test
def hostile_models_are_refused(folder):
    path, model = data.class_folders(f"{folder}/d", count=6), f"{folder}/m.ursa"
    run("train", "image", path, "--size", 16, "--epochs", 1, "--bs", 4, "--quiet", "--out", model, env=CPU)
    whole = contents(model)
    length = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8:8 + length])
    for name, change in {
        "arch": lambda m: m["network"].update(arch="../../etc/passwd"),
        "outputs": lambda m: m["network"].update(outputs=2000000000),
        "channels": lambda m: m["network"].update(channels=-1),
        "transform": lambda m: m["data"]["item_tfms"][0].update(name="os.system"),
        "size": lambda m: m["data"]["item_tfms"][0]["arguments"].update({k: 1e300 for k in m["data"]["item_tfms"][0]["arguments"]}),
        "vocab": lambda m: m["data"]["y"].update(vocab=[1, 2, 3]),
        "loss": lambda m: m["loss"].update(name="eval"),
        "nothing": lambda m: m.clear(),
    }.items():
        inside = json.loads(header["__metadata__"]["model"])
        change(inside)
        hostile = dict(header, __metadata__=dict(header["__metadata__"], model=json.dumps(inside)))
        text = json.dumps(hostile).encode()
        text += b" " * (-len(text) % 8)
        with open(f"{folder}/{name}.ursa", "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text + whole[8 + length:])
        _, err = run("predict", f"{folder}/{name}.ursa", f"{path}/down/000.png", status=1, env=CPU)
        assert one_line(err).startswith(f"{folder}/{name}.ursa: "), err


if __name__ == "__main__":
    main()

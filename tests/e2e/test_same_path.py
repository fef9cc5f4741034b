#!/usr/bin/env python3
"""Training takes the same path on every device and instruction set."""
import os

from command import CPU, main, rows, run, Skip, test

FASHION = "/usr/share/datasets/fashion-mnist"


def first_steps(folder, name, count, *options, env=None):
    """The losses of the first steps of the demo's training."""
    if not os.path.exists(f"{FASHION}/train-images-idx3-ubyte.gz"):
        raise Skip("the package dataset-fashion-mnist is not installed")
    steps = f"{folder}/{name}.csv"
    run("train", "image", FASHION, "--epochs", 3, "--steps", count, "--quiet", "--log-steps", steps, *options, env=env)
    losses = [float(row["loss"]) for row in rows(steps)]
    assert len(losses) == count and losses[-1] < losses[0], losses
    return losses


def assert_same_path(first, second):
    for step, (a, b) in enumerate(zip(first, second), 1):
        assert abs(a - b) <= 1e-3 * abs(a), f"step {step}: {a} and {b}"


@test
def opencl_takes_the_same_path_as_the_cpu(folder):
    if "opencl:0" not in run("devices")[0]:
        raise Skip("no OpenCL device is installed")
    cpu = first_steps(folder, "cpu", 50, "--device", "cpu")
    assert_same_path(cpu, first_steps(folder, "opencl", 50, "--device", "opencl"))


@test
def plain_c_takes_the_same_path_as_the_best_set(folder):
    # Few steps: plain C rounds its multiply-adds once, as the others do, and that in software.
    best = first_steps(folder, "best", 5, env=CPU)
    assert_same_path(best, first_steps(folder, "reference", 5, env={**CPU, "URSA_CPU": "reference"}))


if __name__ == "__main__":
    main()

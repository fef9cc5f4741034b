#!/usr/bin/env python3
"""The examples do what their comments say."""
import os

from command import main, one_line, run, test
import data

IMAGES = os.environ["URSA_IMAGES"]
MLP, BY_HAND = os.environ["URSA_MLP"], os.environ["URSA_MLP_BY_HAND"]


def losses(program, *arguments):
    out, _ = run(*arguments, program=program, env={"URSA_DEVICE": "cpu"})
    return [float(line.split()[-1]) for line in out.splitlines()]


@test
def the_network_by_hand_has_the_same_losses(folder):
    for name in ("tanh", "relu"):
        ours, by_hand = losses(MLP, name), losses(BY_HAND, name)
        assert len(ours) == len(by_hand) == 11
        # Printed with five decimals; rounding differs within the sums.
        assert all(abs(a - b) <= 2e-5 + 2e-4 * b for a, b in zip(ours, by_hand)), (name, ours, by_hand)


@test
def every_activation_of_the_seed_learns(folder):
    for name in ("logistic", "tanh", "arctan", "relu"):
        path = losses(MLP, name)
        assert path[-1] < path[0] / 1.5, (name, path)
    assert losses(MLP, "binary_step")[-1] < losses(MLP, "binary_step")[0]


@test
def an_unknown_activation_is_told_the_known_ones(folder):
    line = one_line(run("sigmund", program=MLP, status=1)[1])
    assert "sigmund" in line and "logistic" in line and "relu" in line, line


@test
def a_folder_of_images_in_a_dozen_lines(folder):
    out, _ = run(data.class_folders(folder), program=IMAGES, env={"URSA_DEVICE": "cpu"})
    assert len(out.splitlines()) == 6 and out.split()[:4] == ["epoch", "train_loss", "valid_loss", "accuracy"], out
    assert one_line(run(f"{folder}/nothing", program=IMAGES, status=1)[1]).startswith(f"{folder}/nothing: ")


if __name__ == "__main__":
    main()

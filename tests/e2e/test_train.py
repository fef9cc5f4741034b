#!/usr/bin/env python3
"""`ursa train image` and what works with its result."""
import json
import re
import struct

from command import CPU, main, rows, run, Skip, test
import data


def contents(path):
    with open(path, "rb") as file:
        return file.read()


@test
def learns_idx_files_and_logs(folder):
    path, log, steps, model = data.idx_folder(f"{folder}/data"), f"{folder}/log.csv", f"{folder}/steps.csv", f"{folder}/m.ursa"
    out, _ = run("train", "image", path, "--epochs", 4, "--bs", 16, "--log", log, "--log-steps", steps, "--out", model, env=CPU)
    assert contents(log).split(b"\n")[0] == b"epoch,train_loss,valid_loss,accuracy,time"
    assert contents(steps).split(b"\n")[0] == b"step,loss,lr"
    epochs, losses = rows(log), rows(steps)
    assert [row["epoch"] for row in epochs] == ["1", "2", "3", "4"]
    assert [int(row["step"]) for row in losses] == list(range(1, 4 * 15 + 1))
    assert float(epochs[-1]["accuracy"]) > 0.9, epochs[-1]
    assert float(losses[-1]["loss"]) < float(losses[0]["loss"]) / 2
    assert "240 training and 60 validation images of 12 × 12 px, 3 classes" in out and f"saved {model}" in out


@test
def learns_folders_of_grey_and_of_colour_pictures(folder):
    for colour in (False, True):
        path, log = data.class_folders(f"{folder}/{colour}", colour=colour), f"{folder}/log.csv"
        out, _ = run("train", "image", path, "--epochs", 8, "--bs", 8, "--size", 16, "--log", log, env=CPU)
        assert "72 training and 18 validation images of 16 × 16 px" in out, out
        assert float(rows(log)[-1]["accuracy"]) > 0.8, rows(log)


@test
def train_and_valid_folders_are_taken_as_they_are(folder):
    data.class_folders(f"{folder}/d/train", count=12)
    data.class_folders(f"{folder}/d/valid", count=5, seed=3)
    out, _ = run("train", "image", f"{folder}/d", "--epochs", 1, "--bs", 8, env=CPU)
    assert "36 training and 15 validation images of 64 × 64 px" in out, out


@test
def bytes_do_not_depend_on_threads(folder):
    path = data.idx_folder(f"{folder}/data")
    for threads in (1, 2, 3):
        run("train", "image", path, "--epochs", 2, "--bs", 16, "--threads", threads, "--quiet", "--out", f"{folder}/{threads}", env=CPU)
    assert contents(f"{folder}/1") == contents(f"{folder}/2") == contents(f"{folder}/3")


@test
def seeds_decide(folder):
    path = data.idx_folder(f"{folder}/data")
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        run("train", "image", path, "--epochs", 1, "--bs", 16, "--seed", seed, "--quiet", "--out", f"{folder}/{name}", env=CPU)
    assert contents(f"{folder}/a") == contents(f"{folder}/b") != contents(f"{folder}/c")


@test
def a_saved_network_predicts_and_shows_itself(folder):
    path, model = data.class_folders(f"{folder}/data", colour=True), f"{folder}/m.ursa"
    run("train", "image", path, "--epochs", 8, "--bs", 8, "--size", 16, "--quiet", "--out", model, env=CPU)
    out, _ = run("predict", model, f"{path}/down/003.png", f"{path}/across/004.png", env=CPU)
    lines = [line.split("\t") for line in out.splitlines()]
    assert [line[1] for line in lines] == ["down", "across"], out
    assert all(line[2].endswith(" %") and 50 < float(line[2][:-2]) <= 100 for line in lines), out
    run("interpret", model, path, "--out", f"{folder}/report", "--count", 6, env=CPU)
    picture = contents(f"{folder}/report/results.png")
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    columns, lines = struct.unpack(">II", picture[16:24])
    assert columns > 300 and lines > 300, (columns, lines)


@test
def the_model_file_is_safetensors(folder):
    path, model = data.idx_folder(f"{folder}/data"), f"{folder}/m.ursa"
    run("train", "image", path, "--epochs", 1, "--quiet", "--out", model, env=CPU)
    file = contents(model)
    (length,) = struct.unpack("<Q", file[:8])
    header = json.loads(file[8:8 + length])
    meta = header.pop("__metadata__")
    assert meta["format"] == "ursa-model" and json.loads(meta["model"])["data"]["y"]["vocab"] == ["0", "1", "2"]
    assert header["conv1.weight"]["shape"] == [16, 3, 3, 1] and header["fc.bias"]["shape"] == [3]
    assert "layer1.downsample.0.weight" in header and "layer2.bn1.running_mean" in header
    ends = sorted(entry["data_offsets"] for entry in header.values())
    assert ends[0][0] == 0 and ends[-1][1] == len(file) - 8 - length
    assert all(a[1] == b[0] for a, b in zip(ends, ends[1:]))


@test
def every_precision_learns_and_predicts(folder):
    path = data.idx_folder(f"{folder}/data")
    for name, dtype in (("fp32", "f32"), ("fp16", "f16"), ("bf16", "bf16")):
        model, log = f"{folder}/{name}.ursa", f"{folder}/{name}.csv"
        out, _ = run("train", "image", path, "--precision", name, "--epochs", 4, "--bs", 16, "--log", log, "--out", model, env=CPU)
        assert f"in {name} on" in out, out
        assert float(rows(log)[-1]["accuracy"]) > 0.9, (name, rows(log))
        file = contents(model)
        header = json.loads(file[8:8 + struct.unpack("<Q", file[:8])[0]])
        assert json.loads(header.pop("__metadata__")["model"])["precision"] == dtype
        assert {entry["dtype"] for entry in header.values()} == {"F32"}
        run("interpret", model, path, "--out", f"{folder}/{name}", "--count", 2, env=CPU)
        bench = run("bench", "infer", "--precision", name, "--arch", "small-resnet", "--size", 16, "--bs", 2, "--repeats", 1, "--json", env=CPU)[0]
        assert json.loads(bench)["dtype"] == dtype


@test
def half_types_take_half_the_memory(folder):
    """Of what a step keeps beside weights, their gradients and the optimizer's state."""
    def peak(precision, batch):
        out, _ = run("bench", "train", "--precision", precision, "--arch", "small-resnet", "--size", 64, "--bs", batch, "--repeats", 1, "--json", env=CPU)
        return json.loads(out)["peak_bytes"]
    full, half = (peak(precision, 32) - peak(precision, 16) for precision in ("fp32", "bf16"))
    assert half < 0.53 * full, (half, full)


@test
def bench_prints_the_promised_objects(folder):
    (gemm,) = map(json.loads, run("bench", "gemm", "--m", 96, "--n", 64, "--k", 80, "--repeats", 1, "--json", env=CPU)[0].splitlines())
    assert list(gemm) == ["what", "m", "n", "k", "dtype", "gflops", "peak_gflops", "fraction"]
    assert gemm["what"] == "gemm" and gemm["m"] == 96 and gemm["gflops"] > 0 and 0 < gemm["fraction"]
    (train,) = map(json.loads, run("bench", "train", "--arch", "small-resnet", "--size", 16, "--bs", 2, "--repeats", 1, "--json", env=CPU)[0].splitlines())
    assert list(train) == ["what", "arch", "size", "bs", "dtype", "images_per_s", "peak_bytes"]
    assert train["arch"] == "small-resnet" and train["images_per_s"] > 0 and train["peak_bytes"] > 0
    (infer,) = map(json.loads, run("bench", "infer", "--arch", "mlp", "--size", 16, "--bs", 2, "--repeats", 1, "--json", env=CPU)[0].splitlines())
    assert infer["what"] == "infer" and infer["arch"] == "mlp" and infer["images_per_s"] > 0
    (conv,) = map(json.loads, run("bench", "conv", "--layer", "layer4.down", "--pass", "backward", "--bs", 1, "--size", 32, "--repeats", 1, "--json", env=CPU)[0].splitlines())
    assert conv["layer"] == "layer4.down" and conv["pass"] == "backward" and conv["gflops"] > 0


def skip_without_opencl():
    if "opencl:0" not in run("devices")[0]:
        raise Skip("there is no OpenCL device")


STEP = ("bench", "train", "--arch", "small-resnet", "--size", 16, "--bs", 2, "--repeats", 1)


def events(path, category):
    with open(path) as file:
        return [event for event in json.load(file)["traceEvents"] if event.get("cat") == category]


@test
def a_profile_accounts_for_every_operator(folder):
    _, table = run(*STEP, env={**CPU, "URSA_PROFILE": "1"})
    assert "conv2d_grad_weight" in table and " others " in table and "of peak" in table, table
    _, table = run("profile", "--rows", 1000, *STEP, env=CPU)
    assert "batch_norm_grad" in table and "[2, 16, 16, 3] · [16, 3, 3, 3]" in table and " others " not in table, table
    run("profile", "--trace", f"{folder}/trace.json", *STEP, env=CPU)
    calls = events(f"{folder}/trace.json", "operator")
    (stem, *_) = [call for call in calls if call["name"] == "conv2d"]
    assert stem["args"]["flops"] == 2 * 2 * 16 * 16 * 16 * 27 and stem["dur"] > 0
    statistics = 2 * 16  # for the batch norm behind it
    assert stem["args"]["bytes"] == 4 * (2 * 16 * 16 * (3 + 16) + 16 * 27 + statistics)
    assert all(a["ts"] + a["dur"] <= b["ts"] + 0.01 for a, b in zip(calls, calls[1:]))


@test
def a_profile_of_opencl_has_the_times_of_the_device(folder):
    skip_without_opencl()
    out, _ = run("profile", "--json", "--trace", f"{folder}/trace.json", *STEP, "--device", "opencl")
    rows = [row for row in map(json.loads, out.splitlines()[1:])]
    total = rows.pop()
    assert total["what"] == "profile_total" and total["kernels"] == sum(row["kernels"] for row in rows)
    assert abs(sum(row["share"] for row in rows) - 1) < 0.01 and all(row["ms"] > 0 for row in rows)
    kernels = events(f"{folder}/trace.json", "kernel")
    assert len(kernels) == total["kernels"] and len({kernel["tid"] for kernel in kernels if kernel["name"] != "upload"}) == 1
    assert abs(sum(kernel["dur"] for kernel in kernels) * 1e-3 - total["ms"]) < 0.01 * total["ms"]
    # A kernel runs after it was enqueued: the clocks of host and device agree.
    calls = events(f"{folder}/trace.json", "call")
    first = min(call["ts"] for call in calls if call["name"] == "sgd_step")
    assert min(kernel["ts"] for kernel in kernels if kernel["name"] == "sgd_step") > first - 1000


@test
def batches_go_up_while_earlier_steps_are_computed(folder):
    skip_without_opencl()
    path, steps = data.idx_folder(f"{folder}/data", count=320, size=28), 20
    run("profile", "--trace", f"{folder}/trace.json", "train", "image", path, "--bs", 16, "--steps", steps, "--quiet", "--device", "opencl")
    calls, kernels = events(f"{folder}/trace.json", "call"), events(f"{folder}/trace.json", "kernel")
    begin = min(call["ts"] for call in calls if call["name"] == "cross_entropy")
    uploads = [kernel for kernel in kernels if kernel["name"] == "upload" and kernel["ts"] > begin]
    updates = sorted(kernel["ts"] for kernel in kernels if kernel["args"]["operator"] == "adam_step")
    # The host is ahead: most batches of later steps are there before a quarter of the updates is done.
    early = [upload for upload in uploads if upload["ts"] + upload["dur"] < updates[len(updates) // 4]]
    assert len(early) > len(uploads) / 3, f"{len(early)} of {len(uploads)}"
    assert {upload["tid"] for upload in uploads}.isdisjoint(kernel["tid"] for kernel in kernels if kernel["name"] != "upload")


def memory_ends(folder, device):
    """One line says what was wanted, what is held and which batch would fit; that one does, and the old model stays."""
    path, model = data.idx_folder(f"{folder}/data", count=256, size=28), f"{folder}/m-{device}.ursa"
    with open(model, "w") as file:
        file.write("the old one")
    step = ("train", "image", path, "--epochs", 1, "--quiet", "--out", model, "--device", device)
    limit = {"URSA_DEVICE_MEMORY": "48M"}
    _, message = run(*step, "--bs", 256, env=limit, status=1)
    found = re.fullmatch(r"ursa: \S+ is out of memory: wanted [\d.]+ MiB for f32 \[256, .*\], with [\d.]+ MiB in use of 48.0 MiB;"
                         r" weights, gradients and the optimizer's state take [\d.]+ MiB, the rest is for a batch of 256;"
                         r" a batch of (\d+) would fit\n", message)
    assert found, message
    assert contents(model) == b"the old one"
    run(*step, "--bs", found[1], env=limit)
    assert contents(model) != b"the old one"


@test
def no_memory_on_the_cpu(folder):
    memory_ends(folder, "cpu")
    _, message = run(*STEP, env={**CPU, "URSA_DEVICE_MEMORY": "much"}, status=1)
    assert message == 'ursa: URSA_DEVICE_MEMORY is "much"; expected a size such as 512M or 2G\n', message


@test
def no_memory_on_opencl(folder):
    skip_without_opencl()
    memory_ends(folder, "opencl")


@test
def what_was_tuned_is_listed_and_forgotten(folder):
    _, message = run("tune", "--device", "cpu", status=1)
    assert message == "ursa: tune: there is nothing to tune on cpu\n", message
    skip_without_opencl()
    cache = {"XDG_CACHE_HOME": folder, "URSA_DEVICE": "opencl:0"}
    assert run("tune", "--list", env=cache)[0].startswith("0 kinds of products are tuned on opencl:0")
    run("tune", "--forget", env=cache)


@test
def devices_marks_one_default(folder):
    out, _ = run("devices")
    assert sum(line.startswith("*") for line in out.splitlines()) == 1, out
    assert any(line[2:].startswith("cpu ") for line in out.splitlines()), out


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What goes wrong is said in one line that names the file or the argument, what was expected and what was found."""
import os
import resource
import signal

from command import CPU, main, one_line, run, test
import data


def refuses(expected, *arguments, status=1, **kw):
    """The one line of an error, which must hold all of `expected`."""
    line = one_line(run(*arguments, status=status, env=CPU, **kw)[1])
    for text in expected if isinstance(expected, tuple) else (expected,):
        assert text in line, f"{text!r} is not in {line!r}"
    return line


@test
def an_empty_folder(folder):
    refuses((folder, "expected a folder of images per class"), "train", "image", folder)


@test
def a_folder_that_is_not_there(folder):
    refuses((f"{folder}/nothing", "No such file"), "train", "image", f"{folder}/nothing")


@test
def a_file_in_the_place_of_a_folder(folder):
    data.write(f"{folder}/file", b"text")
    refuses((f"{folder}/file", "not a folder"), "train", "image", f"{folder}/file")


@test
def one_class(folder):
    data.class_folders(folder, names=("only",))
    refuses((folder, '"only"', "two or more"), "train", "image", folder)


@test
def folders_without_images(folder):
    os.makedirs(f"{folder}/a")
    os.makedirs(f"{folder}/b")
    refuses((folder, "no image"), "train", "image", folder)


@test
def a_truncated_idx_file(folder):
    path = data.idx_folder(folder, gzipped=False)
    name = f"{path}/train-images-idx3-ubyte"
    os.truncate(name, 5000)
    refuses((name, "promises 34560 bytes", "found 4984"), "train", "image", path)


@test
def a_damaged_gzip_file(folder):
    path = data.idx_folder(folder)
    name = f"{path}/train-images-idx3-ubyte.gz"
    os.truncate(name, os.path.getsize(name) // 2)
    refuses((name, "truncated or damaged"), "train", "image", path)


@test
def an_idx_file_that_is_none(folder):
    path = data.idx_folder(folder, gzipped=False)
    data.write(f"{path}/train-images-idx3-ubyte", b"hello, world")
    refuses(("train-images-idx3-ubyte", "expected it to begin with 00 00 08, found 68 65 6c"), "train", "image", path)


@test
def an_idx_file_that_claims_too_much(folder):
    path = data.idx_folder(folder, gzipped=False)
    data.write(f"{path}/train-images-idx3-ubyte", b"\0\0\x08\x03" + b"\xff" * 12)
    refuses("train-images-idx3-ubyte", "train", "image", path)


@test
def labels_that_do_not_match(folder):
    path = data.idx_folder(folder, gzipped=False)
    data.write(f"{path}/train-labels-idx1-ubyte", data.idx([0, 1, 2], 3))
    refuses(("train-labels-idx1-ubyte", "3 labels for the 240 images"), "train", "image", path)


@test
def missing_labels(folder):
    path = data.idx_folder(folder)
    os.remove(f"{path}/train-labels-idx1-ubyte.gz")
    refuses((path, "no train-labels-idx1-ubyte"), "train", "image", path)


def spoilt_folder(folder):
    data.class_folders(folder)
    data.write(f"{folder}/down/text.png", b"this is no picture")
    data.write(f"{folder}/across/empty.png", b"")
    return folder


@test
def bad_images_are_reported_and_skipped(folder):
    out, err = run("train", "image", spoilt_folder(folder), "--epochs", 1, "--bs", 8, "--size", 16, env=CPU)
    assert "2 files skipped" in out, out
    lines = [line for line in err.splitlines() if "skipped" in line]
    assert len(lines) == 2 and "across/empty.png" in lines[0] and "0 bytes" in lines[0], err
    assert "down/text.png" in lines[1] and "not an image" in lines[1], err


@test
def bad_images_are_errors_when_strict(folder):
    refuses(("across/empty.png", "found 0 bytes"), "train", "image", spoilt_folder(folder), "--strict")


@test
def numbers_out_of_bounds_are_usage_errors(folder):
    for option, value, text in (("--size", 0, "--size is 0; expected 1 to 4096"), ("--size", "x", "expected a whole number"),
                                ("--epochs", 0, "--epochs is 0"), ("--bs", -1, "--bs is -1"), ("--lr", 0, "--lr is 0"),
                                ("--lr", "nan", "expected a number"), ("--precision", "fp8", "expected fp32, fp16 or bf16"),
                                ("--valid-pct", 1, "--valid-pct is 1"),
                                ("--threads", "2x", "expected a whole number")):
        refuses(text, "train", "image", folder, option, value, status=2)


@test
def wrong_usage(folder):
    refuses("an argument is missing", "train", "image", status=2)
    refuses("one argument too many", "train", "image", folder, folder, status=2)
    refuses("there is no option --sise", "train", "image", folder, "--sise", "4", status=2)
    refuses("--size needs a value", "train", "image", folder, "--size", status=2)
    refuses("there is no `ursa train sound`", "train", "sound", folder, status=2)
    refuses('there is no command "trian"', "trian", status=2)


@test
def help_is_no_error(folder):
    for words in ([], ["train"], ["predict"], ["interpret"], ["devices"], ["arch"], ["bench"]):
        out, err = run(*words, "--help")
        assert out.startswith("usage: ursa") and not err, (words, err)


@test
def unknown_names_list_what_there_is(folder):
    data.idx_folder(folder)
    refuses(('"resnet19"', "small-resnet, resnet18"), "train", "image", folder, "--arch", "resnet19")
    refuses(("opencl:9", "cpu"), "train", "image", folder, "--device", "opencl:9")
    refuses(("voodoo", "cpu"), "train", "image", folder, "--device", "voodoo")


@test
def an_unknown_instruction_set(folder):
    data.idx_folder(folder)
    line = one_line(run("train", "image", folder, status=1, env={**CPU, "URSA_CPU": "mmx"})[1])
    assert "mmx" in line and "reference" in line, line


def small_files_only():
    """As on a full disk, writing beyond 100 kB fails."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


@test
def a_full_disk_leaves_the_old_model(folder):
    path, model = data.idx_folder(f"{folder}/data"), f"{folder}/m.ursa"
    data.write(model, b"the old model")
    refuses((model, "unchanged"), "train", "image", path, "--epochs", 1, "--quiet", "--out", model, limit=small_files_only)
    with open(model, "rb") as file:
        assert file.read() == b"the old model"
    assert sorted(os.listdir(folder)) == ["data", "m.ursa"]


@test
def a_log_on_a_full_disk(folder):
    path = data.idx_folder(f"{folder}/data")
    refuses(("/dev/full", "No space left"), "train", "image", path, "--epochs", 1, "--quiet", "--log", "/dev/full")


@test
def an_output_folder_that_is_not_there(folder):
    path = data.idx_folder(f"{folder}/data")
    refuses((f"{folder}/no/m.ursa", "No such file"), "train", "image", path, "--epochs", 1, "--quiet", "--out", f"{folder}/no/m.ursa")


@test
def models_that_are_none(folder):
    name = f"{folder}/m.ursa"
    data.write(name, b"nonsense")
    refuses((name, "not a safetensors file"), "predict", name, "x.png")
    data.write(name, b"\x02\0\0\0\0\0\0\0{}")
    refuses((name, 'its metadata has no "format"'), "predict", name, "x.png")


@test
def an_image_that_cannot_be_predicted(folder):
    path, model = data.idx_folder(f"{folder}/data"), f"{folder}/m.ursa"
    run("train", "image", path, "--epochs", 1, "--quiet", "--out", model, env=CPU)
    data.write(f"{folder}/text.png", b"text")
    refuses((f"{folder}/text.png", "not an image"), "predict", model, f"{folder}/text.png")


if __name__ == "__main__":
    main()

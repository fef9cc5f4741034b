#!/usr/bin/env python3
"""`ursa data`: tables looked at, data sets brought from a server on loopback, archives that nobody should trust."""
import gzip
import hashlib
import os
import random
import resource
import signal
import subprocess
import threading
import time

from archives import tar, tree, zipped
from command import URSA, main, one_line, run, test
from server import Answer, Server, file_answer
import data

NOISE = random.Random(1).randbytes(3_000_000)  # does not compress: archives keep their size


GOOD = tar([("bears", "folder", None), ("bears/grizzly/1.txt", "file", b"grrr"), ("bears/noise", "file", NOISE)])


def home(folder, server=None):
    environment = {"URSA_HOME": f"{folder}/home"}
    if server:
        environment["URSA_DATA_URL"] = server.url
    return environment


def get(folder, what, *arguments, status=0, server=None, **kw):
    return run("data", "get", what, "-q", *arguments, env=home(folder, server), status=status, **kw)


def get_fails(folder, what, expected, *arguments, server=None, **kw):
    """The one line of an error; nothing appears under the name of the data."""
    err = get(folder, what, *arguments, status=1, server=server, **kw)[1]
    lines = err.splitlines()
    for text in expected if isinstance(expected, tuple) else (expected,):
        assert text in lines[-1], f"{text!r} is not in {lines[-1]!r}"
    assert lines[-1].startswith("ursa: "), err
    return lines


# ---- tables --------------------------------------------------------------------------

@test
def the_head_of_a_table(folder):
    name = f"{folder}/train_v2.csv"
    with open(name, "w") as file:
        file.write("image_name,tags\n" + "".join(f"train_{i},haze primary\n" for i in range(7)))
    out, _ = run("data", "head", name, "-n", 2)
    assert out == ("   image_name          tags\n0     train_0  haze primary\n1     train_1  haze primary\n"
                   "\n[2 of 7 rows × 2 columns]\n"), out
    assert run("data", "head", "--rows=2", name)[0] == out


@test
def a_table_with_tabs_and_one_without_a_header(folder):
    name = f"{folder}/a.tsv"
    with open(name, "wb") as file:
        file.write("1\tToy Story\n2\tRené\n".encode("latin-1"))
    out, _ = run("data", "head", name, "--no-header", "--latin1")
    assert "1  2       René" in out and "[2 rows × 2 columns]" in out, out
    line = one_line(run("data", "head", name, "--no-header", status=1)[1])
    assert f"{name}: line 2: not UTF-8: byte 0xe9" in line, line


@test
def a_table_that_is_none(folder):
    name = f"{folder}/a.csv"
    data.write(name, b"a,b\n1,2\n3\n")
    assert f"{name}: row 2 (line 3) has 1 field; expected 2" in one_line(run("data", "head", name, status=1)[1])
    assert "-n" in one_line(run("data", "head", name, "-n", status=2)[1])
    assert "expected a whole number" in one_line(run("data", "head", name, "-n", "x", status=2)[1])


# ---- names ---------------------------------------------------------------------------

FASTAI = """ADULT_SAMPLE BIWI_SAMPLE CIFAR COCO_SAMPLE COCO_TINY HUMAN_NUMBERS IMDB IMDB_SAMPLE ML_SAMPLE ML_100k MNIST_SAMPLE
    MNIST_TINY MNIST_VAR_SIZE_TINY PLANET_SAMPLE PLANET_TINY IMAGENETTE IMAGENETTE_160 IMAGENETTE_320 IMAGEWOOF IMAGEWOOF_160
    IMAGEWOOF_320 IMAGEWANG IMAGEWANG_160 IMAGEWANG_320 DOGS CALTECH_101 CARS CIFAR_100 CUB_200_2011 FLOWERS FOOD MNIST PETS
    AG_NEWS AMAZON_REVIEWS AMAZON_REVIEWS_POLARITY DBPEDIA MT_ENG_FRA SOGOU_NEWS WIKITEXT WIKITEXT_TINY YAHOO_ANSWERS
    YELP_REVIEWS YELP_REVIEWS_POLARITY BIWI_HEAD_POSE CAMVID CAMVID_TINY LSUN_BEDROOMS PASCAL_2007 PASCAL_2012 MACAQUES
    ZEBRA_FINCH SIIM_SMALL TCGA_SMALL OPENAI_TRANSFORMER WT103_FWD WT103_BWD""".split()


@test
def the_list_has_all_names_of_fastai_and_two_more(folder):
    names = run("data", "list", "--names")[0].split()
    assert sorted(names) == sorted(FASTAI + ["MNIST_IDX", "FASHION_MNIST"]), set(names) ^ set(FASTAI)
    out = run("data", "list", env=home(folder))[0]
    assert "  PETS                     811.7 MB  " in out, out


@test
def a_wrong_name_suggests_near_ones(folder):
    get_fails(folder, "petz", 'no data set "petz"; did you mean PETS?')
    get_fails(folder, "planet", "did you mean PLANET_SAMPLE, PLANET_TINY?")
    get_fails(folder, "xyzzy", "`ursa data list` shows all")


@test
def a_data_set_by_its_name(folder):
    with Server(lambda request: file_answer(request, tar([("wt103-fwd/model.txt", "file", b"weights")]))) as server:
        out, err = get(folder, "wt103-fwd", server=server)
        assert out == f"{folder}/home/data/wt103-fwd\n" and not err, (out, err)
        assert [repr(request) for request in server.requests] == ["GET /wt103-fwd.tgz"]
        assert tree(f"{folder}/home") == ["data/wt103-fwd/model.txt"]
        assert get(folder, "WT103_FWD", server=server)[0] == out and len(server.requests) == 1  # it is there
        assert "* WT103_FWD" in run("data", "list", env=home(folder))[0]
        get(folder, "WT103_FWD", "--force", "--keep-archive", server=server)
        assert tree(f"{folder}/home") == ["data/wt103-fwd.tgz", "data/wt103-fwd/model.txt"]
        get(folder, "WT103_FWD", "--to", f"{folder}/here", server=server)
        assert tree(f"{folder}/here") == ["wt103-fwd/model.txt"]


@test
def another_file_under_a_name_is_refused(folder):
    with Server(lambda request: file_answer(request, GOOD)) as server:
        get_fails(folder, "PETS", ("oxford-iiit-pet.tgz", f"has {len(GOOD)} bytes, expected 811706944"), server=server)
        get_fails(folder, "FASHION_MNIST", "/fashion_mnist/train-images-idx3-ubyte.gz", server=server)
        assert tree(folder) == [], tree(folder)


# ---- downloads ------------------------------------------------------------------------

@test
def a_connection_that_is_cut_goes_on(folder):
    cuts = iter([1_000_000, 1_500_000, None])
    with Server(lambda request: file_answer(request, GOOD, cut=next(cuts))) as server:
        _, err = get(folder, f"{server.url}/bears.tgz", "--sha256", hashlib.sha256(GOOD).hexdigest())
        begins = [int(request.headers.get("Range", "bytes=0-")[6:-1]) for request in server.requests]
        assert len(begins) == 3 and 0 < begins[1] <= 1_000_000 < begins[2] <= 2_500_000, begins
        etag = f'"{hashlib.md5(GOOD).hexdigest()}"'
        assert [request.headers.get("If-Range") for request in server.requests] == [None, etag, etag]
        assert err.count("trying again") == 2, err
    assert tree(f"{folder}/home") == ["data/bears/grizzly/1.txt", "data/bears/noise"]
    with open(f"{folder}/home/data/bears/noise", "rb") as file:
        assert file.read() == NOISE


def killed_download(folder, url):
    """Starts a download and kills it when something has come; the size of what it leaves."""
    part = f"{folder}/home/data/bears.tgz.part"
    process = subprocess.Popen([URSA, "data", "get", url, "-q"], env=dict(os.environ, **home(folder)))
    deadline = time.time() + 60
    while not (os.path.exists(part) and os.path.getsize(part) > 200_000):
        assert time.time() < deadline and process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    return os.path.getsize(part)


@test
def a_killed_download_goes_on(folder):
    slow = [True]
    with Server(lambda request: file_answer(request, GOOD, pause=0.05 if slow[0] else 0)) as server:
        size = killed_download(folder, f"{server.url}/bears.tgz")
        slow[0] = False
        get(folder, f"{server.url}/bears.tgz")
        assert server.requests[-1].headers["Range"] == f"bytes={size}-", server.requests[-1].headers
    assert tree(f"{folder}/home") == ["data/bears/grizzly/1.txt", "data/bears/noise"]


@test
def a_file_that_has_changed_meanwhile_comes_anew(folder):
    content, slow = [GOOD], [True]
    with Server(lambda request: file_answer(request, content[0], pause=0.05 if slow[0] else 0)) as server:
        killed_download(folder, f"{server.url}/bears.tgz")
        slow[0], content[0] = False, tar([("bears/new", "file", NOISE[::-1])])
        get(folder, f"{server.url}/bears.tgz")
        assert "Range" in server.requests[-1].headers
    with open(f"{folder}/home/data/bears/new", "rb") as file:
        assert file.read() == NOISE[::-1]


@test
def a_server_that_knows_no_ranges(folder):
    cuts = iter([1_000_000, None])
    with Server(lambda request: file_answer(request, GOOD, ranges=False, cut=next(cuts))) as server:
        get(folder, f"{server.url}/bears.tgz")
    assert tree(f"{folder}/home") == ["data/bears/grizzly/1.txt", "data/bears/noise"]


@test
def a_server_that_sends_another_range(folder):
    def answer(request):
        reply = file_answer(request, GOOD, cut=None if "Range" in request.headers else 1_000_000)
        if reply.status == 206:
            reply.headers["Content-Range"] = f"bytes 5-{len(GOOD) - 1}/{len(GOOD)}"
        return reply
    with Server(answer) as server:
        get_fails(folder, f"{server.url}/bears.tgz", 'sent "bytes 5-')


@test
def a_wrong_checksum_leaves_nothing(folder):
    with Server(lambda request: file_answer(request, GOOD)) as server:
        expected = ("SHA-256 is " + hashlib.sha256(GOOD).hexdigest(), "expected " + 64 * "0", "damaged")
        get_fails(folder, f"{server.url}/bears.tgz", expected, "--sha256", 64 * "0")
        get_fails(folder, f"{server.url}/bears.tgz", "hexadecimal digits", "--sha256", "abc")
    assert tree(folder) == [], tree(folder)


@test
def what_the_server_refuses(folder):
    with Server(lambda request: Answer(404)) as server:
        get_fails(folder, f"{server.url}/bears.tgz", (f"{server.url}/bears.tgz", "404 Not Found"))
        assert len(server.requests) == 1
    with Server(lambda request: Answer(503, headers={"Retry-After": "3600"})) as server:
        get_fails(folder, f"{server.url}/bears.tgz", ("503", "asks to wait 3600 s"))
        assert len(server.requests) == 1
    with Server(lambda request: Answer(302, headers={"Location": "file:///etc/passwd"})) as server:
        get_fails(folder, f"{server.url}/bears.tgz", f"{server.url}/bears.tgz")
    with Server(lambda request: Answer(302, headers={"Location": "/bears.tgz"})) as server:
        get_fails(folder, f"{server.url}/bears.tgz", "redirects")
    assert tree(folder) == [], tree(folder)
    get_fails(folder, "http://127.0.0.1:1/bears.tgz", "connect")
    get_fails(folder, "ftp://127.0.0.1/bears.tgz", "expected http://")


@test
def a_server_that_asks_to_wait(folder):
    answers = iter([Answer(429, headers={"Retry-After": "1"}), Answer(500), None])
    with Server(lambda request: next(answers) or file_answer(request, GOOD)) as server:
        begun = time.time()
        _, err = get(folder, f"{server.url}/bears.tgz")
        assert time.time() - begun >= 1 and len(server.requests) == 3
        assert "429 Too Many Requests; trying again in 1.0 s" in err, err


@test
def two_at_once_download_once(folder):
    with Server(lambda request: file_answer(request, GOOD, pause=0.01)) as server:
        outputs = []
        threads = [threading.Thread(target=lambda: outputs.append(get(folder, f"{server.url}/bears.tgz")[0]))
                   for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outputs == [f"{folder}/home/data/bears\n"] * 2, outputs
        assert len(server.requests) == 1, server.requests
    assert tree(f"{folder}/home") == ["data/bears/grizzly/1.txt", "data/bears/noise"]


def small_files_only():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


@test
def a_full_disk(folder):
    with Server(lambda request: file_answer(request, GOOD)) as server:
        get_fails(folder, f"{server.url}/bears.tgz", ("bears.tgz.part", "File too large"), limit=small_files_only)
        get(folder, f"{server.url}/bears.tgz")  # and then there is room again
        assert 0 < int(server.requests[-1].headers["Range"][6:-1]) <= 100_000


@test
def a_full_disk_while_unpacking(folder):
    data.write(f"{folder}/zeros.tgz", tar([("zeros/a", "file", b"x"), ("zeros/z", "file", bytes(1_000_000))]))
    get_fails(folder, f"{folder}/zeros.tgz", ("zeros.tgz", "File too large"), limit=small_files_only)
    assert tree(folder) == ["zeros.tgz"], tree(folder)


@test
def a_killed_unpacking_leaves_nothing(folder):
    with open(f"{folder}/zeros.tgz", "wb") as file:
        file.write(tar([("zeros/a", "file", b"x"), ("zeros/z", "file", bytes(240_000_000)), ("zeros/b", "file", b"y")]))
    top = f"{folder}/home/data"
    process = subprocess.Popen([URSA, "data", "get", file.name, "-q"], env=dict(os.environ, **home(folder)))
    while not (os.path.exists(top) and any(name.endswith("/z") for name in tree(top))):
        assert process.poll() is None
    process.kill()
    process.wait()
    assert any("incomplete" in name for name in tree(top)) and not os.path.exists(f"{top}/zeros"), tree(top)
    get(folder, file.name)
    assert tree(top) == ["zeros/a", "zeros/b", "zeros/z"] and os.listdir(top) == ["zeros"], tree(top)


# ---- archives -------------------------------------------------------------------------

@test
def archives_of_all_kinds(folder):
    files = {"grizzly/1.txt": b"grrr", "größe.txt": "größe".encode()}
    entries = [(f"bears/{name}", "file", content) for name, content in files.items()]
    for ending, content in (("tgz", tar(entries)), ("tar.gz", tar(entries)), ("tar", tar(entries, "w")),
                            ("tar.xz", tar(entries, "w:xz")), ("tar.bz2", tar(entries, "w:bz2")),
                            ("zip", zipped({f"bears/{name}": content for name, content in files.items()})),
                            ("ZIP", zipped(files))):
        name = f"{folder}/{ending}/bears.{ending}"
        os.makedirs(os.path.dirname(name))
        with open(name, "wb") as file:
            file.write(content)
        out, _ = get(folder, name, "--to", f"{folder}/{ending}")
        assert out == f"{folder}/{ending}/bears\n", out
        assert tree(out.strip()) == sorted(files), (ending, tree(out.strip()))
    data.write(f"{folder}/t.csv.gz", b"a,b\n1,2\n")
    out, _ = get(folder, f"{folder}/t.csv.gz")
    assert tree(out.strip()) == ["t.csv"]


@test
def links_that_stay_inside(folder):
    with open(f"{folder}/bears.tgz", "wb") as file:
        file.write(tar([("bears/a/1.txt", "file", b"grrr"), ("bears/b/2.txt", "symlink", "../a/1.txt"),
                        ("bears/3.txt", "link", "bears/a/1.txt"), ("./bears/a/1.txt", "file", b"again")]))
    out, _ = get(folder, f"{folder}/bears.tgz")
    contents = {name: open(f"{out.strip()}/{name}", "rb").read() for name in ("a/1.txt", "b/2.txt", "3.txt")}
    assert contents == {"a/1.txt": b"again", "b/2.txt": b"again", "3.txt": b"grrr"}, contents


HOSTILE = {
    "up": ([("bears/x", "file", b"1"), ("bears/../../evil", "file", b"2")], "leads out of the archive's folder (..)"),
    "dots": ([("..", "folder", None)], "leads out"),
    "absolute": ([("/EVIL/evil", "file", b"2")], "absolute name"),
    "symlink-absolute": ([("bears/l", "symlink", "/EVIL")], "a link that leads out"),
    "symlink-up": ([("bears/a/l", "symlink", "../../..")], "a link that leads out"),
    "symlink-beside": ([("bears/l", "symlink", "../other")], "a link that leads out"),
    "symlink-down-up": ([("bears/l", "symlink", "a/../../..")], "a link that leads out"),
    "through-symlink": ([("bears/l", "symlink", "a"), ("bears/a", "folder", None), ("bears/l/x", "file", b"2")],
                        "Not a directory"),
    "symlink-then-file": ([("bears/l", "symlink", "x"), ("bears/l/../../y", "file", b"2")], "leads out"),
    "link-absolute": ([("bears/l", "link", "/etc/passwd")], "absolute name"),
    "link-up": ([("bears/l", "link", "../../../../../../etc/passwd")], "leads out"),
    "link-to-symlink": ([("bears/s", "symlink", "x"), ("bears/l", "link", "bears/s")], "no file of the archive"),
    "pipe": ([("bears/p", "pipe", None)], "a device, a pipe or a socket"),
    "device": ([("bears/d", "device", None)], "a device, a pipe or a socket"),
    "deep": ([("d/" * 100 + "x", "file", b"2")], "too many folders"),
    "bomb": ([("bears/zeros", "file", bytes(400_000_000))], "unpacks to more than"),
}


@test
def hostile_archives_are_refused(folder):
    for name, (entries, expected) in HOSTILE.items():
        entries = [(entry.replace("EVIL", folder.strip("/")), kind, what.replace("EVIL", folder.strip("/"))
                    if isinstance(what, str) else what) for entry, kind, what in entries]
        with open(f"{folder}/{name}.tgz", "wb") as file:
            file.write(tar(entries))
        lines = get_fails(folder, f"{folder}/{name}.tgz", (f"{name}.tgz", expected))
        assert len(lines) == 1, lines
    assert tree(folder) == sorted(f"{name}.tgz" for name in HOSTILE), tree(folder)
    assert os.listdir(f"{folder}/home/data") == []


@test
def hostile_zip_files_are_refused(folder):
    for name, files, expected in (("up", {"../evil": b"1"}, "leads out"), ("absolute", {f"{folder}/evil": b"1"}, "absolute"),
                                  ("bomb", {"zeros": bytes(400_000_000)}, "unpacks to more than")):
        with open(f"{folder}/{name}.zip", "wb") as file:
            file.write(zipped(files))
        get_fails(folder, f"{folder}/{name}.zip", (f"{name}.zip", expected))
    assert tree(folder) == ["absolute.zip", "bomb.zip", "up.zip"], tree(folder)


@test
def damaged_archives(folder):
    for name, content in (("cut.tgz", GOOD[:1_000_000]), ("text.tgz", b"hello, world"), ("empty.zip", b""),
                          ("cut.zip", zipped({"a": NOISE})[:1_000_000]), ("none.tgz", gzip.compress(b""))):
        with open(f"{folder}/{name}", "wb") as file:
            file.write(content)
        get_fails(folder, f"{folder}/{name}", name)
    assert os.listdir(f"{folder}/home/data") == []


if __name__ == "__main__":
    main()

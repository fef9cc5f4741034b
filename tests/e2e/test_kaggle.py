#!/usr/bin/env python3
"""`ursa kaggle` against a server on loopback that speaks Kaggle's API (its public client, versions 1.5 to 1.7) and checks
what it is sent: method, path, query, credentials, body."""
import base64
import json
import os
import random
import time
import urllib.parse

from archives import tree, zipped
from command import main, one_line, run, test
from server import Answer, Server, file_answer

NOISE = random.Random(2).randbytes(2_000_000)
FILES = zipped({"train.csv": b"id,label\n1,0\n", "images/noise.bin": NOISE})
KEY = {"KAGGLE_USERNAME": "bear", "KAGGLE_KEY": "secret-of-the-bear"}
AUTHORIZATION = "Basic " + base64.b64encode(b"bear:secret-of-the-bear").decode()


def parts(request):
    """The path behind /api/v1, and the query as a dictionary."""
    path, _, query = request.path.partition("?")
    assert path.startswith("/api/v1/"), request
    return path[7:], dict(urllib.parse.parse_qsl(query, strict_parsing=True)) if query else {}


def as_json(value, status=200, headers=None):
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})


class Kaggle(Server):
    """`routes`: from "GET /path" to a function of the request and its query that makes an answer."""

    def __init__(self, routes):
        self.problems = []

        def answer(request):
            path, query = parts(request)
            if request.headers.get("Authorization") != AUTHORIZATION:
                self.problems.append(f"{request}: Authorization is {request.headers.get('Authorization')}")
                return as_json({"code": 401, "message": "Unauthenticated"}, 401)
            route = routes.get(f"{request.method} {path}")
            if not route:
                return as_json({"code": 404, "message": "Not found"}, 404)
            return route(request, query)

        super().__init__(answer)

    def __exit__(self, *reason):
        super().__exit__(*reason)
        assert not self.problems, self.problems


def kaggle(folder, server, *words, status=0, env=None, **kw):
    return run("kaggle", *words, status=status, env={"URSA_KAGGLE_URL": server.url, "HOME": folder, **KEY, **(env or {})}, **kw)


def fails(folder, server, expected, *words, **kw):
    """The last line of what is said, which must hold all of `expected`."""
    line = kaggle(folder, server, *words, status=1, **kw)[1].splitlines()[-1]
    assert line.startswith("ursa: "), line
    for text in expected if isinstance(expected, tuple) else (expected,):
        assert text in line, f"{text!r} is not in {line!r}"


# ---- credentials -----------------------------------------------------------------------

def no_variables(folder):
    return {"HOME": folder, "KAGGLE_USERNAME": "", "KAGGLE_KEY": ""}


def write_login(folder, text='{"username":"bear","key":"secret-of-the-bear"}', mode=0o600):
    os.makedirs(f"{folder}/.kaggle", exist_ok=True)
    with open(f"{folder}/.kaggle/kaggle.json", "w") as file:
        file.write(text)
    os.chmod(file.name, mode)
    return file.name


@test
def credentials_from_the_file(folder):
    routes = {"GET /competitions/list": lambda request, query: as_json([])}
    with Kaggle(routes) as server:
        name = write_login(folder)
        out, err = kaggle(folder, server, "competitions", "list", env=no_variables(folder))
        assert out == "no competitions found\n" and not err, (out, err)
        write_login(folder, mode=0o644)
        err = kaggle(folder, server, "competitions", "list", env=no_variables(folder))[1]
        assert err.count("chmod 600") == 1 and name in err, err
        os.rename(f"{folder}/.kaggle", f"{folder}/elsewhere")
        kaggle(folder, server, "competitions", "list", env={**no_variables(folder), "KAGGLE_CONFIG_DIR": f"{folder}/elsewhere"})


@test
def credentials_that_are_missing_or_wrong(folder):
    with Server(lambda request: as_json({"code": 401, "message": "Unauthenticated"}, 401)) as server:
        line = one_line(kaggle(folder, server, "competitions", "list", status=1, env=no_variables(folder))[1])
        assert f"there is no {folder}/.kaggle/kaggle.json" in line and "Create New Token" in line, line
        for text in ("", "{}", "[1]", '{"username":"bear"}', '{"username":"bear","key":7}', '{"username":"a:b","key":"x"}',
                     '{"username":"a\\nb","key":"x"}', '{"username":"bear","key":""}', "[" * 100000):
            write_login(folder, text)
            fails(folder, server, ("kaggle.json", 'expected {"username"'), "competitions", "list", env=no_variables(folder))
        assert not server.requests
        fails(folder, server, ('user "bear" is not accepted (401)', "settings", "the server says: Unauthenticated"),
              "competitions", "list")
        assert len(server.requests) == 1


# ---- lists ----------------------------------------------------------------------------

@test
def competitions_listed(folder):
    asked = []

    def answer(request, query):
        asked.append(query)
        return as_json([{"ref": "https://www.kaggle.com/competitions/titanic", "deadline": "2030-01-01T00:00:00Z",
                         "category": "Getting Started", "reward": "Knowledge", "teamCount": 13000, "userHasEntered": True,
                         "tags": [{"name": "binary"}], "description": None}, 7])
    with Kaggle({"GET /competitions/list": answer}) as server:
        out, _ = kaggle(folder, server, "competitions", "list")
        assert "competitions/titanic" in out and "[1 row × 6 columns]" in out, out
        out, _ = kaggle(folder, server, "competitions", "list", "-s", "a b&c", "-p", 3, "--sort-by", "prize", "--category",
                        "featured", "--group", "entered", "-v")
        assert out == ("ref,deadline,category,reward,teamCount,userHasEntered\nhttps://www.kaggle.com/competitions/titanic,"
                       "2030-01-01T00:00:00Z,Getting Started,Knowledge,13000,True\n"), out
    assert asked == [{"page": "1"}, {"search": "a b&c", "page": "3", "sortBy": "prize", "category": "featured",
                                     "group": "entered"}], asked


@test
def data_sets_listed(folder):
    asked = []

    def answer(request, query):
        asked.append(query)
        return as_json({"datasets": [{"ref": "zynicide/wine-reviews", "title": "Wine Reviews", "totalBytes": 52000000,
                                      "lastUpdated": "2017-11-27", "downloadCount": 5, "voteCount": 4, "usabilityRating": 0.7}]})
    with Kaggle({"GET /datasets/list": answer}) as server:
        out, _ = kaggle(folder, server, "datasets", "list", "-s", "wine", "--user", "zynicide", "-v")
        assert out.splitlines()[1] == "zynicide/wine-reviews,Wine Reviews,52.0 MB,2017-11-27,5,4,0.7", out
        kaggle(folder, server, "datasets", "list", "-m")
        kaggle(folder, server, "datasets", "list", "-m", "--user", "x", status=2)
    assert asked == [{"search": "wine", "user": "zynicide", "group": "user", "page": "1"}, {"group": "my", "page": "1"}], asked


@test
def files_on_several_pages(folder):
    pages = {None: ([{"name": "train.csv", "totalBytes": 61194, "creationDate": "2019-12-11"}], "a/b="),
             "a/b=": ([{"name": "test.csv", "totalBytes": 999, "creationDate": "2019-12-11"}], "")}
    asked = []

    def answer(request, query):
        asked.append(query)
        files, token = pages[query.get("pageToken")]
        key = "files" if "competitions" in request.path else "datasetFiles"
        return as_json({key: files, "nextPageToken": token})
    routes = {"GET /competitions/data/list/titanic": answer, "GET /datasets/list/zynicide/wine-reviews": answer}
    with Kaggle(routes) as server:
        expected = "name,size,creationDate\ntrain.csv,61.2 kB,2019-12-11\ntest.csv,999 bytes,2019-12-11\n"
        for words in (("competitions", "files", "titanic"), ("competitions", "files", "-c", "titanic"),
                      ("competitions", "files", "https://www.kaggle.com/c/titanic/data"),
                      ("datasets", "files", "zynicide/wine-reviews"),
                      ("datasets", "files", "https://www.kaggle.com/datasets/zynicide/wine-reviews"),
                      ("datasets", "files", "-d", "zynicide/wine-reviews/versions/3")):
            assert kaggle(folder, server, *words, "-v")[0] == expected, words
    assert asked[-1] == {"datasetVersionNumber": "3", "pageToken": "a/b=", "pageSize": "200"}, asked


@test
def submissions_listed(folder):
    routes = {"GET /competitions/submissions/list/titanic": lambda request, query: as_json(
        [{"fileName": "mine.csv", "date": "2026-01-01", "description": "first, try", "status": "complete", "publicScore": "0.78"}])}
    with Kaggle(routes) as server:
        out, _ = kaggle(folder, server, "competitions", "submissions", "titanic", "--csv")
        assert out.splitlines()[1] == 'mine.csv,2026-01-01,"first, try",complete,0.78,', out


@test
def answers_that_make_no_sense(folder):
    for body, expected in ((b"<html>", "no JSON"), (b"", "no JSON"), (b'{"a":1}', 'no list "files"'), (b"[" * 5000, "no JSON"),
                           (b'{"files":7}', 'no list "files"')):
        with Kaggle({"GET /competitions/data/list/x": lambda request, query: Answer(200, body)}) as server:
            fails(folder, server, expected, "competitions", "files", "x")
    endless = lambda request, query: as_json({"files": [], "nextPageToken": "again"})
    with Kaggle({"GET /competitions/data/list/x": endless}) as server:
        fails(folder, server, "goes on after 500 pages", "competitions", "files", "x")


# ---- downloads ---------------------------------------------------------------------------

class Storage(Server):
    """Where Kaggle sends one for the file; it must never see the credentials."""

    def __init__(self, content, **kw):
        self.leaks = []

        def answer(request):
            if "Authorization" in request.headers:
                self.leaks.append(request)
            return file_answer(request, content, **{name: value(request) for name, value in kw.items()})

        super().__init__(answer)
        # Another name of the same machine, as storage is another machine.
        self.url = f"http://localhost:{self.port}"

    def __exit__(self, *reason):
        super().__exit__(*reason)
        assert not self.leaks, self.leaks


def sent_to(storage, name):
    return lambda request, query: Answer(302, headers={"Location": f"{storage.url}/bucket/{name}?X-Goog-Signature=abc"})


@test
def a_competition_downloaded(folder):
    with Storage(FILES) as storage, Kaggle({"GET /competitions/data/download-all/planet": sent_to(storage, "archive.zip")}) as server:
        out, _ = kaggle(folder, server, "competitions", "download", "planet", "-p", f"{folder}/planet")
        assert out == f"{folder}/planet/planet.zip\n", out
        with open(out.strip(), "rb") as file:
            assert file.read() == FILES
        err = kaggle(folder, server, "competitions", "download", "planet", "-p", f"{folder}/planet")[1]
        assert "is there already" in err and len(server.requests) == 1, err
        out, err = kaggle(folder, server, "competitions", "download", "planet", "-p", f"{folder}/planet", "-o", "-q", "--unzip")
        assert not out and not err and len(server.requests) == 2, (out, err)
        assert tree(f"{folder}/planet") == ["images/noise.bin", "train.csv"], tree(folder)
    assert tree(folder) == ["planet/images/noise.bin", "planet/train.csv"]


@test
def one_file_downloaded(folder):
    table = b"id,label\n1,0\n"
    with Storage(table) as plain, Storage(zipped({"big.csv": table})) as packed:
        routes = {"GET /competitions/data/download/planet/train.csv": sent_to(plain, "train.csv"),
                  "GET /competitions/data/download/planet/a%2Fb%20c.csv": sent_to(plain, "b%20c.csv"),
                  "GET /competitions/data/download/planet/big.csv": sent_to(packed, "big.csv.zip")}
        with Kaggle(routes) as server:
            for words, name in ((("-f", "train.csv"), "train.csv"), (("-f", "a/b c.csv"), "b c.csv"),
                                (("-f", "big.csv"), "big.csv.zip"), (("-f", "big.csv"), "big.csv.zip")):
                out, _ = kaggle(folder, server, "competitions", "download", "-c", "planet", *words, "-w", cwd=folder)
                assert out == f"./{name}\n", (out, name)
            assert len(server.requests) == 3  # the last was there
            kaggle(folder, server, "competitions", "download", "planet", "-f", "big.csv", "--unzip", "-o", "-p", folder)
    assert tree(folder) == ["b c.csv", "big.csv", "train.csv"], tree(folder)
    assert open(f"{folder}/big.csv", "rb").read() == table


@test
def a_data_set_downloaded(folder):
    with Storage(FILES) as storage:
        routes = {"GET /datasets/download/zynicide/wine-reviews": sent_to(storage, "archive.zip"),
                  "GET /datasets/download/zynicide/wine-reviews/train.csv": sent_to(storage, "train.csv")}
        with Kaggle(routes) as server:
            kaggle(folder, server, "datasets", "download", "zynicide/wine-reviews", "--unzip", "-p", f"{folder}/a")
            assert tree(f"{folder}/a") == ["images/noise.bin", "train.csv"]
            kaggle(folder, server, "datasets", "download", "-d", "zynicide/wine-reviews/versions/2", "-p", f"{folder}/b")
            assert parts(server.requests[-1])[1] == {"datasetVersionNumber": "2"}
            kaggle(folder, server, "datasets", "download", "zynicide/wine-reviews", "-f", "train.csv", "-p", f"{folder}/c")
    assert tree(f"{folder}/b") + tree(f"{folder}/c") == ["wine-reviews.zip", "train.csv"]


@test
def a_connection_cut_half_way_goes_on(folder):
    cuts = iter([700_000, 600_000, None])
    with Storage(FILES, cut=lambda request: next(cuts)) as storage:
        with Kaggle({"GET /competitions/data/download-all/planet": sent_to(storage, "archive.zip")}) as server:
            kaggle(folder, server, "competitions", "download", "planet", "-p", folder)
            begins = [int(request.headers.get("Range", "bytes=0-")[6:-1]) for request in storage.requests]
            assert len(begins) == 3 == len(server.requests) and 0 < begins[1] <= 700_000 < begins[2], begins
    with open(f"{folder}/planet.zip", "rb") as file:
        assert file.read() == FILES
    assert tree(folder) == ["planet.zip"]


@test
def rules_not_accepted(folder):
    refusal = lambda request, query: as_json({"code": 403, "message": "You must accept this competition's rules"}, 403)
    with Kaggle({"GET /competitions/data/download-all/planet": refusal, "GET /datasets/download/a/b": refusal,
                 "GET /competitions/data/list/planet": refusal}) as server:
        rules = "accept the competition's rules first, at https://www.kaggle.com/competitions/planet/rules"
        fails(folder, server, (rules, "the server says: You must accept"), "competitions", "download", "planet", "-p", folder)
        fails(folder, server, rules, "competitions", "files", "planet")
        fails(folder, server, "https://www.kaggle.com/datasets/a/b", "datasets", "download", "a/b", "-p", folder)
    assert tree(folder) == [], tree(folder)


@test
def names_that_are_not_there_or_wrong(folder):
    with Kaggle({}) as server:
        fails(folder, server, ('no competition "planett"', "competitions list -s"), "competitions", "download", "planett", "-p", folder)
        fails(folder, server, ('no data set "a/b"', "datasets list -s"), "datasets", "files", "a/b")
        assert len(server.requests) == 2
        for name in ("a/b", "..", "x y", "a?b", "https://www.kaggle.com"):
            fails(folder, server, "is no competition", "competitions", "files", name)
        for name in ("a", "a/b/c", "a/b/versions/x", "/b", "a b/c", "../b", "a/.."):
            fails(folder, server, "expected OWNER/NAME", "datasets", "files", name)
        fails(folder, server, "no name of a file", "competitions", "download", "x", "-f", "a/..")
    assert tree(folder) == []


@test
def too_many_requests(folder):
    answers = [as_json({"message": "Too many requests"}, 429, {"Retry-After": "1"})] * 2
    routes = {"GET /competitions/data/download-all/planet": lambda request, query: answers.pop() if answers else file_answer(request, FILES),
              "GET /competitions/list": lambda request, query: answers.pop() if answers else as_json([]),
              "GET /datasets/list": lambda request, query: as_json({}, 429, {"Retry-After": "3600"}),
              "GET /datasets/download/a/b": lambda request, query: as_json({}, 429, {"Retry-After": "3600"})}
    with Kaggle(routes) as server:
        begun = time.time()
        err = kaggle(folder, server, "competitions", "download", "planet", "-p", folder)[1]
        assert time.time() - begun >= 2 and err.count("429 Too Many Requests; trying again in 1.0 s") == 2, err
        answers += [as_json({}, 429, {"Retry-After": "1"})]
        kaggle(folder, server, "competitions", "list")
        assert len(server.requests) == 5
        fails(folder, server, "asks to wait 3600 s", "datasets", "list")
        fails(folder, server, "asks to wait 3600 s", "datasets", "download", "a/b", "-p", folder)
        assert len(server.requests) == 7
    assert tree(folder) == ["planet.zip"], tree(folder)


# ---- submitting -------------------------------------------------------------------------------

PREDICTIONS = b"id,label\n" + b"".join(b"%d,%d\n" % (i, i % 7) for i in range(200_000))


class Upload(Server):
    """Google's resumable uploads; `cuts` says after how many bytes each connection breaks."""

    def __init__(self, broken=()):
        self.received, self.broken, self.leaks = b"", list(broken), []

        def answer(request):
            if "Authorization" in request.headers:
                self.leaks.append(request)
            assert request.method == "PUT" and request.path == "/upload/1?id=2", request
            span = request.headers.get("Content-Range", "")
            if span.startswith("bytes */"):
                return self.progress()
            begin = int(span[6:].split("-")[0]) if span else 0
            if begin != len(self.received):
                return Answer(400)
            if self.broken:
                self.received += request.body[:self.broken.pop(0)]
                return Answer(503)
            self.received += request.body
            return Answer(200, b"{}")

        super().__init__(answer)

    def progress(self):
        if len(self.received) == len(PREDICTIONS):
            return Answer(200)
        return Answer(308, headers={"Range": f"bytes=0-{len(self.received) - 1}"} if self.received else {})

    def __exit__(self, *reason):
        super().__exit__(*reason)
        assert not self.leaks, self.leaks


def submit_routes(upload, name, bodies, url=None, message="Successfully submitted to Planet"):
    size, date = os.path.getsize(name), int(os.path.getmtime(name))

    def where(request, query):
        bodies.append((request.headers["Content-Type"], json.loads(request.body)))
        return as_json({"token": "tok/en=", "createUrl": url or f"{upload.url}/upload/1?id=2"})

    def submit(request, query):
        bodies.append((request.headers["Content-Type"], json.loads(request.body)))
        return as_json({"message": message})
    return {f"POST /competitions/planet/submissions/url/{size}/{date}": where,
            "POST /competitions/submissions/submit/planet": submit}


def write_predictions(folder):
    name = f"{folder}/mine.csv"
    with open(name, "wb") as file:
        file.write(PREDICTIONS)
    return name


@test
def predictions_submitted(folder):
    name, bodies = write_predictions(folder), []
    with Upload() as upload, Kaggle(submit_routes(upload, name, bodies)) as server:
        out, _ = kaggle(folder, server, "competitions", "submit", "planet", "-f", name, "-m", 'first "try" é')
        assert out == "Successfully submitted to Planet\n", out
        assert upload.received == PREDICTIONS and len(upload.requests) == 1
    assert bodies == [("application/json", {"fileName": "mine.csv"}),
                      ("application/json", {"blobFileTokens": "tok/en=", "submissionDescription": 'first "try" é'})], bodies


@test
def an_upload_that_breaks_goes_on(folder):
    name, bodies = write_predictions(folder), []
    with Upload(broken=[0, 500_000, 300_000]) as upload, Kaggle(submit_routes(upload, name, bodies)) as server:
        kaggle(folder, server, "competitions", "submit", "planet", "-f", name, "-m", "again")
        assert upload.received == PREDICTIONS
        assert upload.requests[-1].headers["Content-Range"] == f"bytes 800000-{len(PREDICTIONS) - 1}/{len(PREDICTIONS)}"
        assert len(server.requests) == 2  # submitted once


@test
def submissions_that_fail(folder):
    name, bodies = write_predictions(folder), []
    with Upload() as upload, Kaggle(submit_routes(upload, name, bodies, url="file:///etc/passwd")) as server:
        fails(folder, server, "not https", "competitions", "submit", "planet", "-f", name, "-m", "x")
        fails(folder, server, ('no competition "other"', "404"), "competitions", "submit", "other", "-f", name, "-m", "x")
        fails(folder, server, f"{folder}/none.csv", "competitions", "submit", "planet", "-f", f"{folder}/none.csv", "-m", "x")
        open(f"{folder}/empty.csv", "w").close()
        fails(folder, server, "is empty", "competitions", "submit", "planet", "-f", f"{folder}/empty.csv", "-m", "x")
        assert len(server.requests) == 2 and not upload.requests
        line = one_line(kaggle(folder, server, "competitions", "submit", "planet", "-f", name, status=2)[1])
        assert "--message is missing" in line, line
    with Server(lambda request: Answer(400)) as upload, Kaggle(submit_routes(upload, name, bodies)) as server:
        fails(folder, server, ("could not be uploaded", "400"), "competitions", "submit", "planet", "-f", name, "-m", "x")
        assert len(server.requests) == 1
    # What was sent may have been taken: a submission is not repeated unless it was refused unheard.
    with Upload() as upload:
        routes = submit_routes(upload, name, bodies)
        routes["POST /competitions/submissions/submit/planet"] = lambda request, query: Answer(500)
        with Kaggle(routes) as server:
            fails(folder, server, "500", "competitions", "submit", "planet", "-f", name, "-m", "x")
            assert len(server.requests) == 2


@test
def help_of_every_command(folder):
    for words in (["competitions"], ["datasets"], [], *(["competitions", word] for word in ("list", "files", "download", "submit", "submissions")),
                  *(["datasets", word] for word in ("list", "files", "download"))):
        out, err = run("kaggle", *words, "--help")
        assert out.startswith("usage: ursa kaggle") and not err, words
    assert "there is no command `ursa kaggle kernels`" in one_line(run("kaggle", "kernels", status=2)[1])
    assert "which competition?" in one_line(run("kaggle", "competitions", "files", status=2)[1])


if __name__ == "__main__":
    main()

"""Runs the ursa command and speaks TAP, so that every check counts."""
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

URSA = os.path.abspath(os.environ.get("URSA_COMMAND", "build/src/cli/ursa"))
WRAPPER = os.environ.get("URSA_WRAPPER", "").split()
CPU = {"URSA_DEVICE": "cpu"}
tests = []


class Skip(Exception):
    """A check that cannot run here, and why."""


def run(*arguments, status=0, env=None, program=None, limit=None, cwd=None):
    """stdout and stderr of a run that must end with `status`."""
    environment = dict(os.environ, **(env or {}))
    done = subprocess.run([*WRAPPER, program or URSA, *map(str, arguments)], capture_output=True, text=True, timeout=900,
                          env=environment, preexec_fn=limit, cwd=cwd)
    assert done.returncode == status, f"exit status {done.returncode}, expected {status}\n{done.stdout}\n{done.stderr}"
    return done.stdout, done.stderr


def rows(path):
    """Of a CSV file, by the names of its columns."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def one_line(stderr):
    """The only line of an error, without its newline."""
    assert stderr.startswith("ursa: ") and stderr.count("\n") == 1 and stderr.endswith("\n"), f"not one line: {stderr!r}"
    return stderr[6:-1]


def test(function):
    tests.append(function)
    return function


def main():
    """Runs the tests, each in a fresh folder, and prints TAP."""
    print(f"1..{len(tests)}")
    failed = 0
    for number, function in enumerate(tests, 1):
        folder, name = tempfile.mkdtemp(prefix="ursa-e2e-"), function.__name__.replace("_", " ")
        try:
            function(folder)
            print(f"ok {number} - {name}")
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}")
        except Exception:
            failed += 1
            print(f"not ok {number} - {name}")
            print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), end="")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        sys.stdout.flush()
    sys.exit(failed > 0)

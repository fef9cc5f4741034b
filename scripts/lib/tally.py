#!/usr/bin/env python3
"""Counts the tests of one run of `meson test`.

usage: tally.py LOG.json

Prints a line "passed failed skipped" and then one line per failed or skipped
test. A program that speaks TAP counts each of its tests, test_kernels each
operator, any other counts as one. A program that ends badly without saying which test failed adds a failure.
"""
import json
import re
import sys

TAP = re.compile(r"^(not )?ok\b(?: \d+)?(?: -)?\s*(.*?)\s*(?:#\s*(SKIP)\S*\s*(.*))?$", re.I)


def read_tap(test):
    """Lists (outcome, name, reason) of the tests in a TAP stream."""
    found = []
    for line in test.get("stdout", "").splitlines():
        match = TAP.match(line)
        if not match:
            continue
        bad, name, skip, reason = match.groups()
        outcome = "skipped" if skip else "failed" if bad else "passed"
        found.append((outcome, f"{test['name']}: {name or reason}", reason if name else ""))
    return found


def read_trials(test):
    """Lists the operators in the output of test_kernels: "ok   add   150 of 150 trials"."""
    found = re.findall(r"^(ok|FAIL) +(\w+) +(\d+ of \d+ trials)", test.get("stdout", ""), re.M)
    return [("passed" if word == "ok" else "failed", f"{test['name']}: {name}", trials) for word, name, trials in found]


def last_line(test):
    lines = (test.get("stdout", "") + test.get("stderr", "")).strip().splitlines()
    return lines[-1] if lines else ""


def outcomes(test):
    """Lists (outcome, name, reason) of one test program."""
    result = test["result"]
    test["name"] = test["name"].split(" / ")[-1]
    speaks_tap = re.search(r"^1\.\.\d", test.get("stdout", ""), re.M)
    found = read_tap(test) if speaks_tap else read_trials(test)
    if result == "SKIP":
        return [("skipped", test["name"], last_line(test))]
    if result in ("OK", "EXPECTEDFAIL"):
        return found or [("passed", test["name"], "")]
    if not any(outcome == "failed" for outcome, _, _ in found):
        found.append(("failed", test["name"], f"{result.lower()}, exit status {test['returncode']}"))
    return found


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1]) as log:
        found = [outcome for line in log for outcome in outcomes(json.loads(line))]
    count = {kind: sum(outcome == kind for outcome, _, _ in found) for kind in ("passed", "failed", "skipped")}
    print(count["passed"], count["failed"], count["skipped"])
    for outcome, name, reason in found:
        if outcome != "passed":
            print(f"{outcome}: {name}" + (f": {reason}" if reason else ""))


if __name__ == "__main__":
    main()

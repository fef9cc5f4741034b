#!/usr/bin/env python3
"""Checks that the shared library exports what the public headers declare, and
nothing else.

usage: symbols.py LIBRARY INCLUDE_FOLDER
"""
import pathlib
import re
import subprocess
import sys

library, include = sys.argv[1:]
declared = set()
for header in pathlib.Path(include).glob("*.h"):
    text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
    for declaration in re.findall(r"^URSA_API[^;]*;", text, re.M):
        function = re.search(r"\b(ursa_\w+)\s*\(", declaration)
        declared.update([function[1]] if function else re.findall(r"\b(ursa_\w+)\s*(?:\[[^]]*\]\s*)?[,;]", declaration))

lines = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
exported, unversioned = set(), set()
for line in lines.splitlines():
    kind, symbol = line.split()[-2:]
    if kind == "A":
        continue  # the name of the version itself
    name, _, version = symbol.partition("@@")
    exported.add(name)
    if version != "URSA_0.1":
        unversioned.add(symbol)

problems = [f"{name}: exported, but in no public header" for name in sorted(exported - declared)]
problems += [f"{name}: exported without the version URSA_0.1" for name in sorted(unversioned)]
if not exported:
    problems.append(f"{library}: exports nothing")
print("\n".join(problems) if problems else f"{len(exported)} symbols, all public")
sys.exit(1 if problems else 0)

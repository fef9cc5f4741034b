#!/usr/bin/env python3
"""Checks that includes only point down the floors of the house.

usage: floors.py ROOT

A room may include its own floor and the ones below (docs/architecture.md).
Public headers belong to the room they are named after. Examples see the public
headers only, and nobody but the command, examples and tests sees the umbrella
ursa.h. Prints one line per include that points up; exit status 1 if any does.
"""
import pathlib
import re
import sys

FLOORS = [
    ["base"],
    ["device", "simd", "cl"],
    ["tensor"],
    ["nn", "optim", "data", "io"],
    ["learner"],
    ["vision", "text", "tabular", "collab"],
    ["interpret", "plot", "model"],
    ["cli"],
]
# Public headers of a room that has more than one.
ROOM_OF_HEADER = {"transform": "data", "datablock": "data", "frame": "data", "download": "data", "kaggle": "data",
                  "metrics": "learner", "loss": "learner", "callbacks": "learner", "image": "vision",
                  "vision_data": "vision"}
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
SUFFIXES = {".c", ".h", ".def", ".cl"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<(ursa/[^>]+)>)')


def room_of(path):
    """The room of a file, given relative to the root."""
    parts = path.parts
    if parts[0] in ("simd", "cl", "examples"):
        return parts[0]
    if parts[:2] == ("include", "ursa"):
        return ROOM_OF_HEADER.get(path.stem, path.stem)
    if parts[0] == "src":
        return parts[1] if len(parts) > 2 else path.stem
    return None


def resolve(root, includer, name):
    """The file an include means, relative to the root; None when it is not in the
    source tree, as generated files are not."""
    for folder in (includer.parent, root / "src", root, root / "include"):
        candidate = (folder / name).resolve()
        if candidate.is_file() and candidate.is_relative_to(root):
            return candidate.relative_to(root)
    return None


def complaint(root, includer, target):
    room, other = room_of(includer), room_of(target)
    if room == "examples":
        return None if target.parts[0] in ("include", "examples") else "examples see public headers only"
    if other == "ursa":
        return None if room in ("cli", "ursa") else "the umbrella is for programs"
    if room == "ursa":
        return None
    for name in (room, other):
        if name not in FLOOR_OF:
            return f'"{name}" is not a room; add it to its floor in tests/house/floors.py'
    if FLOOR_OF[other] > FLOOR_OF[room]:
        return f"{room} is on floor {FLOOR_OF[room]}, {other} on {FLOOR_OF[other]}"
    return None


def check(root):
    """Yields a line per wrong include; returns how many files were read."""
    files = 0
    for top in ("include", "src", "simd", "cl", "examples"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in SUFFIXES:
                continue
            files += 1
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = INCLUDE.match(line)
                target = match and resolve(root, path, match[1] or match[2])
                wrong = target and complaint(root, path.relative_to(root), target)
                if wrong:
                    yield f"{path.relative_to(root)}:{number}: includes {target}: {wrong}"
    if files == 0:
        yield f"{root}: no sources found"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    wrong = list(check(pathlib.Path(sys.argv[1]).resolve()))
    print("\n".join(wrong) if wrong else "all includes point down")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

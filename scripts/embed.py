#!/usr/bin/env python3
"""Writes a C file that holds OpenCL sources as strings.

    embed.py OUTPUT SOURCE.cl ...

A line `#include "other.cl"` is replaced by that file, once per source, so that
a driver's compiler needs no files.
"""
import os
import re
import sys

INCLUDE = re.compile(r'\s*#include\s+"([^"]+)"')


def lines_of(path, seen):
    seen.add(os.path.basename(path))
    with open(path, encoding="utf-8") as source:
        for line in source:
            match = INCLUDE.match(line)
            if not match:
                yield line.rstrip("\n")
            elif match.group(1) not in seen:
                yield from lines_of(os.path.join(os.path.dirname(path), match.group(1)), seen)


def quoted(line):
    escaped = line.replace("\\", "\\\\").replace('"', '\\"')
    return '    "' + "".join(c if ord(c) < 128 else "?" for c in escaped) + '\\n"'


def main(output, sources):
    with open(output, "w", encoding="ascii") as out:
        out.write('#include "device/opencl/runtime.h"\n\nconst struct ursa_cl_source ursa_cl_sources[] = {\n')
        for path in sources:
            name = os.path.splitext(os.path.basename(path))[0]
            text = "\n".join(quoted(line) for line in lines_of(path, set()))
            out.write('{"%s",\n%s},\n' % (name, text))
        out.write("{NULL, NULL}};\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

#!/usr/bin/env python3
"""Checks that gradients.def has every function of tensor.h that has a gradient.

Usage: coverage.py include/ursa/tensor.h tests/tensor/gradients.def tests/tensor/gradcheck.c
A new function is either checked there or named below with those that have none.
"""
import re
import sys

WITHOUT = set("""
keep promote requires_grad grad detach to_device
empty full arange uniform normal bernoulli from scalar_like zeros_like empty_like
eq ne lt le gt ge logical_and logical_or logical_xor logical_not is_nan is_finite
prod argmax argmin one_hot
""".split())


def main(header_path, *test_paths):
    header = re.sub(r"/\*.*?\*/", "", open(header_path, encoding="utf-8").read(), flags=re.S)
    functions = set(re.findall(r"^URSA_API (?:ursa_tensor \*|ursa_activation_fn \*)ursa_(\w+?)(?:_opt)?\(", header, re.M))
    functions |= {"sort", "topk", "split"}
    tests = "".join(open(path, encoding="utf-8").read() for path in test_paths)
    missing = sorted(f for f in functions - WITHOUT if not re.search(rf"\bursa_{f}\(", tests))
    unknown = sorted(WITHOUT - functions)
    for name in missing:
        print(f"{test_paths[0]}: no gradient check of ursa_{name}")
    for name in unknown:
        print(f"{sys.argv[0]}: ursa_{name} is not in {header_path}")
    assert len(functions) > 100, "the header was not understood"
    return 1 if missing or unknown else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

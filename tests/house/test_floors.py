#!/usr/bin/env python3
"""The check of the floors finds what it is for, and nothing else."""
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import floors  # noqa: E402


class Floors(unittest.TestCase):
    def complaints(self, **files):
        """What is said of a tree with nothing but these files ("a__b" is a/b.h)."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder).resolve()
            for name, text in files.items():
                path = root / (name.replace("__", "/") + ".h")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return list(floors.check(root))

    def test_up_is_wrong(self):
        found = self.complaints(src__base__a='\n  # include "tensor/b.h"', src__tensor__b="")
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0].startswith("src/base/a.h:2: includes src/tensor/b.h"), found[0])

    def test_up_by_public_header_is_wrong(self):
        found = self.complaints(src__device__a="#include <ursa/tensor.h>", include__ursa__tensor="")
        self.assertEqual(len(found), 1)

    def test_up_by_relative_path_is_wrong(self):
        self.assertEqual(len(self.complaints(simd__a='#include "../src/nn/b.h"', src__nn__b="")), 1)

    def test_down_and_across_are_right(self):
        found = self.complaints(
            src__tensor__a='#include "base/b.h"\n#include "c.h"\n#include <ursa/base.h>\n#include <stdio.h>',
            src__tensor__c="", src__base__b="", include__ursa__base="",
            src__device__d='#include "simd/e.h"', simd__e='#include "device/d.h"')
        self.assertEqual(found, [])

    def test_the_umbrella(self):
        found = self.complaints(src__learner__a="#include <ursa/ursa.h>", include__ursa__ursa="#include <ursa/nn.h>",
                                include__ursa__nn="", src__cli__b="#include <ursa/ursa.h>")
        self.assertEqual(len(found), 1)

    def test_examples_see_no_insides(self):
        self.assertEqual(len(self.complaints(examples__a='#include "../src/base/b.h"', src__base__b="")), 1)

    def test_unknown_rooms(self):
        self.assertEqual(len(self.complaints(src__attic__a='#include "base/b.h"', src__base__b="")), 1)

    def test_nothing_is_wrong(self):
        self.assertEqual(len(self.complaints()), 1)


if __name__ == "__main__":
    unittest.main()

/* golden.h — comparing with what PyTorch computed; see make_fixtures.py. */
#ifndef URSA_TESTS_GOLDEN_H
#define URSA_TESTS_GOLDEN_H

#include "../unit.h"

#include <ursa/ursa.h>

/* The fixtures, opened on first use. */
const ursa_safetensors *fixtures(void);
/* A tensor of the fixtures; fails the test when there is none. */
ursa_tensor *fixture(const char *name);

/* Fails unless every element of `found` is within 1e-5 of the expected one,
 * relative to its own size and that of the largest element: an element is a
 * sum of terms as large as the largest, each rounded to float. */
void assert_close(const char *name, ursa_tensor *found);

#endif

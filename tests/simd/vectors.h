/* vectors.h — between test_vec.c and its main function. */
#ifndef URSA_TESTS_SIMD_VECTORS_H
#define URSA_TESTS_SIMD_VECTORS_H

int test_vectors(void);

#endif

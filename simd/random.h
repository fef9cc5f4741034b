/* random.h — numbers of a Philox stream. */
#ifndef URSA_SIMD_RANDOM_H
#define URSA_SIMD_RANDOM_H

#include <stdint.h>

struct ursa_simd_random {
    /* Words of `blocks` blocks from `counter` on: 4 × blocks of them. */
    void (*words)(int64_t blocks, uint64_t key, uint64_t counter, uint32_t *words);
    /* y[i] = a + (b - a) u[i], where u comes from words as in philox.h. */
    void (*uniform)(int64_t n, const uint32_t *words, float a, float b, float *y);
    /* y[i] = 1 where u[i] < p, else 0. */
    void (*bernoulli)(int64_t n, const uint32_t *words, float p, float *y);
    /* Box and Muller on pairs of words; n is even. */
    void (*normal)(int64_t n, const uint32_t *words, float mean, float deviation, float *y);
    /* y[i] = x[i] / (1 - p) where u[i] ≥ p, else 0; y may be x. */
    void (*dropout)(int64_t n, const uint32_t *words, float p, const float *x, float *y);
};

#endif

/* philox.h — Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011. Shared by the streams of base.h and
 * the random operators of the CPU; cl/philox.cl is its twin.
 */
#ifndef URSA_BASE_PHILOX_H
#define URSA_BASE_PHILOX_H

#include <stdint.h>

/* The generator of the paper: ten rounds over a counter of four words and a
 * key of two. */
static inline void ursa_philox_rounds(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4])
{
    uint32_t k0 = key[0], k1 = key[1];
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* Block `counter` of the stream `key`: four 32-bit words. */
static inline void ursa_philox(uint64_t key, uint64_t counter, uint32_t out[4])
{
    const uint32_t k[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
    const uint32_t c[4] = {(uint32_t)counter, (uint32_t)(counter >> 32), 0, 0};
    ursa_philox_rounds(k, c, out);
}

/* 24 bits of a word as a number in [0, 1). */
static inline float ursa_philox_uniform(uint32_t word)
{
    return (float)(word >> 8) * 0x1p-24f;
}

#endif

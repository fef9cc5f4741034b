/* peak.h — as many multiply-adds as the processor can do. */
#ifndef URSA_SIMD_PEAK_H
#define URSA_SIMD_PEAK_H

#include <stdint.h>

struct ursa_simd_peak {
    /* Does `rounds` rounds of independent multiply-adds in registers and returns how many floating-point operations
     * that was. `sink` takes a result, so that none can be left out. */
    double (*run)(int64_t rounds, float *sink);

    /* The same with products of bf16: of pairs, where the processor multiplies these. */
    double (*run_bf16)(int64_t rounds, float *sink);
};

#endif

/* simd.h — the kernels of one instruction set, as the CPU backend sees them:
 * one table per family. Every family's source is compiled once per set and
 * defines its table as `ursa_simd_<family>_<set>`.
 */
#ifndef URSA_SIMD_SIMD_H
#define URSA_SIMD_SIMD_H

#include <stdbool.h>

#define URSA_SIMD_FAMILY(family) struct ursa_simd_##family;
#include "families.def"
#undef URSA_SIMD_FAMILY

struct ursa_simd {
    const char *name; /* "avx2" */
    int lanes;
    bool emulated; /* on instructions of a lower set, for tests */
#define URSA_SIMD_FAMILY(family) const struct ursa_simd_##family *family;
#include "families.def"
#undef URSA_SIMD_FAMILY
};

extern const struct ursa_simd ursa_simd_reference;
extern const struct ursa_simd ursa_simd_avx2;
extern const struct ursa_simd ursa_simd_avx512;
extern const struct ursa_simd ursa_simd_avx512_bf16; /* where URSA_HAVE_AVX512_BF16 */
extern const struct ursa_simd ursa_simd_avx512_amx;  /* where URSA_HAVE_AVX512_AMX */
extern const struct ursa_simd ursa_simd_neon;
extern const struct ursa_simd ursa_simd_neon_bf16; /* where URSA_HAVE_NEON_BF16 */

#endif

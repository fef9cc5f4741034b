/* vec.h — one vector of floats, whatever the instruction set.
 *
 * The kernels of this folder are written once, on these functions, and
 * compiled once per instruction set: URSA_SIMD is then one of reference, avx2,
 * avx512, neon. Each vec_<set>.h defines:
 *
 *   vf                       a vector of V_LANES floats
 *   vm                       a mask, as comparisons make it
 *   V_LANES                  1, 8, 16, 4
 *
 *   vf_set(x) vf_zero()
 *   vf_load(p) vf_store(p, v)          any alignment
 *   vf_load_n(p, n) vf_store_n(p, v, n)  the first 0 ≤ n ≤ V_LANES lanes; the others load as 0
 *   vf_load_f16(p) vf_store_f16(p, v)  V_LANES halfs; vf_load_bf16 and vf_store_bf16 likewise
 *   vf_from_i32(p) vf_to_i32(p, v)     V_LANES int32 from and to memory, truncating
 *   vf_from_u8(p) vf_to_u8(p, v)       likewise uint8; 0 ≤ v < 256
 *   vf_add vf_sub vf_mul vf_div
 *   vf_fma(a, b, c)  a b + c           vf_fnma(a, b, c)  c - a b
 *   vf_min vf_max                      the second operand where either is not a number
 *   vf_neg vf_abs vf_sqrt vf_floor vf_ceil vf_round (ties to even) vf_copysign(magnitude, sign)
 *   vf_lt vf_le vf_gt vf_ge vf_eq vf_ne → vm   (ordered, but ne is true on NaN)
 *   vm_and vm_or vm_not vm_any
 *   vf_select(m, a, b)       a where m, else b
 *   vi                       a number of a lane for each lane, vi_load(p) from int32
 *   vf_permute(v, i)         lane i[l] of v in lane l
 *   vf_sum(v) vf_hmin(v) vf_hmax(v) → float, in an order that is fixed for the set
 *   vf_exp vf_expm1 vf_log vf_log1p vf_log2 vf_sin vf_cos vf_tan vf_asin vf_acos vf_atan
 *   vf_sinh vf_cosh vf_tanh vf_erf vf_pow vf_atan2      SLEEF's, 1.0 ulp; log1p up to 1e38, sinh and cosh to 88
 *
 * Sets that multiply pairs of bf16 (URSA_SIMD_BF16) are another set, URSA_SIMD_BASE, and define in addition:
 *
 *   vh                       a vector of V_LANES bf16s
 *   vh_load(p) vh_load_n(p, n) vh_store(p, v)
 *   vh_round(v)              floats as bf16
 *   vf_pairs(first, second)  words that each hold a bf16 of either
 *   vf_fma_pairs(a, b, c)    c + the two products of every pair, added up as floats; numbers below 2⁻¹²⁶ count as zero
 *
 * A tail is handled with vf_load_n and vf_store_n and the same arithmetic as
 * the body, so that an element's value does not depend on where it stands.
 */
#ifndef URSA_SIMD_VEC_H
#define URSA_SIMD_VEC_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define URSA_CAT_(a, b) a##_##b
#define URSA_CAT(a, b)  URSA_CAT_(a, b)
/* The name of something that exists once per instruction set. */
#define SIMD(name) URSA_CAT(name, URSA_SIMD)
#ifdef URSA_SIMD_BF16 /* and what such a set takes from the one without */
#define SIMD_BASE(name) URSA_CAT(name, URSA_SIMD_BASE)
#else
#define SIMD_BASE(name) SIMD(name)
#endif

#define V_UNUSED __attribute__((unused))
#define UNROLL   _Pragma("GCC unroll 16")
#define V_INLINE static inline __attribute__((always_inline, unused))

#if defined(URSA_SIMD_AVX512)
#include "vec_avx512.h"
#elif defined(URSA_SIMD_AVX2)
#include "vec_avx2.h"
#elif defined(URSA_SIMD_NEON)
#include "vec_neon.h"
#else
#include "vec_reference.h"
#endif

#endif

/* vec_avx512.h — AVX-512 F, BW, DQ and VL: sixteen floats. See vec.h. */
#ifndef URSA_SIMD_VEC_AVX512_H
#define URSA_SIMD_VEC_AVX512_H

#define V_LANES 16

#endif

/* vec_reference.h — plain C, one float at a time. See vec.h. */
#ifndef URSA_SIMD_VEC_REFERENCE_H
#define URSA_SIMD_VEC_REFERENCE_H

typedef float vf;
typedef bool vm;
#define V_LANES 1

#endif

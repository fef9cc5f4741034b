/* table.c — gathers the families of one instruction set. */
#include "simd.h"
#include "vec.h"

#define URSA_STRING_(x) #x
#define URSA_STRING(x)  URSA_STRING_(x)

#define URSA_SIMD_FAMILY(family)      extern const struct ursa_simd_##family SIMD_BASE(ursa_simd_##family);
#define URSA_SIMD_PAIR_FAMILY(family) extern const struct ursa_simd_##family SIMD(ursa_simd_##family);
#include "families.def"
#undef URSA_SIMD_FAMILY

const struct ursa_simd SIMD(ursa_simd) = {
    .name = URSA_STRING(URSA_SIMD),
    .lanes = V_LANES,
#ifdef URSA_SIMD_EMULATED
    .emulated = true,
#endif
#define URSA_SIMD_FAMILY(family)      .family = &SIMD_BASE(ursa_simd_##family),
#define URSA_SIMD_PAIR_FAMILY(family) .family = &SIMD(ursa_simd_##family),
#include "families.def"
#undef URSA_SIMD_FAMILY
};

/* amx_emulated.h — what amx.h needs on a machine without tiles: one instruction, one loop. To use them before
 * they were taken is the end of the program, as it is there. */
#ifndef URSA_SIMD_AMX_EMULATED_H
#define URSA_SIMD_AMX_EMULATED_H

#include "half.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local uint32_t amx_tile[8][16][16];
static _Thread_local int amx_taken;

V_INLINE void amx_need(void)
{
    if (!amx_taken)
        abort();
}

V_INLINE void amx_take(const void *config)
{
    (void)config;
    memset(amx_tile, 0, sizeof amx_tile);
    amx_taken = 1;
}
#undef _tile_loadconfig
#define _tile_loadconfig amx_take
#undef _tile_release
#define _tile_release() ((void)(amx_taken = 0))

V_INLINE void amx_zero(int tile)
{
    amx_need();
    memset(amx_tile[tile], 0, sizeof amx_tile[tile]);
}
#undef _tile_zero
#define _tile_zero amx_zero

V_INLINE void amx_load(int tile, const void *from, size_t stride)
{
    amx_need();
    for (size_t i = 0; i < 16; i++)
        memcpy(amx_tile[tile][i], (const char *)from + i * stride, sizeof amx_tile[tile][i]);
}
#undef _tile_loadd
#define _tile_loadd amx_load

V_INLINE void amx_store(int tile, void *to, size_t stride)
{
    amx_need();
    for (size_t i = 0; i < 16; i++)
        memcpy((char *)to + i * stride, amx_tile[tile][i], sizeof amx_tile[tile][i]);
}
#undef _tile_stored
#define _tile_stored amx_store

V_UNUSED static void amx_multiply(int to, int a, int b)
{
    amx_need();
    for (int i = 0; i < 16; i++)
        for (int k = 0; k < 16; k++)
            for (int j = 0; j < 16; j++)
                amx_tile[to][i][j] =
                    half_bits(half_dot(amx_tile[a][i][k], amx_tile[b][k][j], half_float(amx_tile[to][i][j])));
}
#undef _tile_dpbf16ps
#define _tile_dpbf16ps amx_multiply

#endif

/* amx.h — the tiles of Intel's matrix extension, as the kernels here use them: all eight hold sixteen rows of sixteen
 * words, the first four sums, then two of the left factor, two of the right. */
#ifndef URSA_SIMD_AMX_H
#define URSA_SIMD_AMX_H

#include "slice.h"
#ifdef URSA_SIMD_EMULATED
#include "amx_emulated.h"
#endif

struct amx_config {
    uint8_t palette, start, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

/* Takes the tiles, all zero, which takes as long as a small product. They belong to the thread, for which the system
 * keeps eight kilobytes more until _tile_release(). */
V_INLINE void amx_begin(void)
{
    static const struct amx_config config = {
        .palette = 1, .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64}, .rows = {16, 16, 16, 16, 16, 16, 16, 16}};
    _tile_loadconfig(&config);
}

#define RUN V_LANES /* words of a row of a tile */

/* to[i RUN + k] = from[k][i] for i < ROWS, k < RUN. */
V_INLINE void turn_words(const float *const from[RUN], float *to)
{
    for (int i = 0; i < ROWS; i += V_BLOCK)
        for (int k = 0; k < RUN; k += V_BLOCK) {
            v_row row[V_BLOCK];
            UNROLL
            for (int j = 0; j < V_BLOCK; j++)
                row[j] = v_row_load(from[k + j] + i);
            v_turn(row);
            UNROLL
            for (int j = 0; j < V_BLOCK; j++)
                v_row_store(to + (i + j) * RUN + k, row[j]);
        }
}

#endif

/* slice.h — the tile of the micro-kernels, and the slices of A that feed it (see gemm.h). */
#ifndef URSA_SIMD_SLICE_H
#define URSA_SIMD_SLICE_H

#include "transpose.h"
#include "vec.h"

/* The tile: ROWS × VECTORS accumulators, VECTORS registers for a row of B and
 * one for the broadcast element of A have to fit the register file: 16
 * registers on AVX2, 32 on AVX-512 and NEON. A multiply-add takes four cycles
 * and two can start in each (four on some Arm cores): there must be at least 8
 * (16) accumulators. INNER: a panel of B, INNER × COLUMNS of floats, should stay near the first-level cache. What does
 * not fit streams in from the second in time, while every visit to out waits for its lines: on AVX2, 512 steps take a
 * tenth less time than 256. It decides the order of the sums, so it is a constant of the instruction set and not of the
 * machine. */
#if defined(URSA_SIMD_AMX) /* two tiles of the processor high and two wide */
#define ROWS    32
#define VECTORS 2
#define INNER   256
#elif defined(URSA_SIMD_EMULATED) /* wide vectors made of small ones: a tile that the compiler can digest */
#define ROWS    2
#define VECTORS 2
#define INNER   192
#elif defined(URSA_SIMD_AVX512)
#define ROWS    12
#define VECTORS 2
#define INNER   512
#elif defined(URSA_SIMD_AVX2)
#define ROWS    6
#define VECTORS 2
#define INNER   512
#elif defined(URSA_SIMD_NEON)
#define ROWS    12
#define VECTORS 2
#define INNER   512
#else
#define ROWS    4
#define VECTORS 4
#define INNER   256
#endif
#define COLUMNS (VECTORS * V_LANES)

/* A slice is narrower than its vectors: every row is stored whole and the next
 * one covers what was too much; the last leaves it in the slack. */
#define SLICE_VECTORS ((ROWS + V_LANES - 1) / V_LANES)
#define SLACK         (SLICE_VECTORS * V_LANES)

/* Blocks of rows that are turned over at once: beside one another, the last one flush with the end of the slice.
 * A slice that is narrower than a block gets what the block has more; the next step overwrites that. */
#define GATHER_WIDTH (ROWS < V_BLOCK ? 1 : (ROWS + V_BLOCK - 1) / V_BLOCK)

/* to[k ROWS + i] = from[i][k] for k < length, a multiple of V_BLOCK. Meanwhile `next`, if it is not
 * NULL, is brought near: the processor does not see so many short rows coming. */
V_INLINE void gather_blocks(const float *const from[ROWS], const float *const next[ROWS], int64_t length, float *to)
{
    for (int64_t k = 0; k < length; k += V_BLOCK, to += V_BLOCK * ROWS) {
        if (next && k % 16 == 0)
            UNROLL
        for (int i = 0; i < ROWS; i++)
            __builtin_prefetch(next[i] + k);
        UNROLL
        for (int w = 0; w < GATHER_WIDTH; w++) {
            int first = ROWS < V_BLOCK || (w + 1) * V_BLOCK <= ROWS ? w * V_BLOCK : ROWS - V_BLOCK;
            v_row row[V_BLOCK];
            UNROLL
            for (int i = 0; i < V_BLOCK; i++)
                row[i] = v_row_load(from[first + i < ROWS ? first + i : ROWS - 1] + k);
            v_turn(row);
            UNROLL
            for (int i = 0; i < V_BLOCK; i++)
                v_row_store(to + i * ROWS + first, row[i]);
        }
    }
}

#endif

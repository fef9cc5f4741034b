/* slice_amx.h — slices and strips of bf16 for the tiles of AMX (gemm_amx.c).
 *
 * There a row of a tile is a line of the cache, sixteen words of one row of A:
 * what lies along the inner dimension is copied as it is, and what lies across
 * it is turned over, sixteen words at a time.
 */
#ifndef URSA_SIMD_SLICE_AMX_H
#define URSA_SIMD_SLICE_AMX_H

#include "amx.h"

/* Words k … k + count-1 of the sixteen that each row of a tile has: to[i RUN + k + j] = from[i RUN + k + j]. */
V_INLINE void put_words(const float *from, int64_t k, int64_t count, float *to)
{
    __mmask16 mask = (__mmask16)(v_tail(count) << k);
    for (int i = 0; i < ROWS; i++)
        _mm512_mask_storeu_ps(to + i * RUN, mask, vf_load(from + i * RUN));
}

V_INLINE vf join_halves(vh low, vh high)
{
    return _mm512_castsi512_ps(_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1));
}

/* Words of `count` neighbours, at most 2 RUN of them; zeros behind. */
V_INLINE vf load_words(const char *from, int64_t count, const bool floats)
{
    if (!floats)
        return _mm512_castsi512_ps(_mm512_maskz_loadu_epi16((__mmask32)((1ull << count) - 1), from));
    const float *f = (const float *)(const void *)from;
    int64_t low = count < V_LANES ? count : V_LANES;
    return join_halves(vh_round(vf_load_n(f, low)), vh_round(vf_load_n(f + low, count - low)));
}

/* One row of a slice, from its segments. */
V_INLINE void gather_row(const void *const *segment, int64_t segments, int64_t length, int64_t skip, float *to,
                         const bool floats)
{
    int64_t size = floats ? 4 : 2, at = 0;
    for (int64_t s = 0; s < segments; s++) {
        const char *from = (const char *)segment[s] + skip * size;
        for (int64_t left = length, count; left > 0; left -= count, from += count * size) {
            int64_t words = RUN - at % RUN;
            count = 2 * words < left ? 2 * words : left;
            words = (count + 1) / 2;
            vf_store_n(to + at / RUN * ROWS * RUN + at % RUN, load_words(from, count, floats), words);
            at += words;
        }
    }
}

/* One slice, from segments that are whole lines of words: line by line, as it lies. */
V_INLINE void gather_lines(const void *const *row, int64_t row_stride, int64_t segments, int64_t length, int64_t skip,
                           int64_t height, float *to, const bool floats)
{
    int64_t size = floats ? 4 : 2;
    for (int64_t s = 0; s < segments; s++)
        for (int64_t k = 0; k < length; k += 2 * RUN, to += ROWS * RUN)
            for (int64_t i = 0; i < height; i++) {
                const char *from = (const char *)row[i * row_stride + s] + (skip + k) * size;
                vf_store(to + i * RUN, floats ? load_words(from, 2 * RUN, true) : vf_load((const void *)from));
            }
}

V_INLINE void gather(const void *const *row, int64_t row_stride, int64_t segments, int64_t length, int64_t skip,
                     int64_t height, float *slices, const enum source source)
{
    const bool floats = source == F32_AS_BF16;
    int64_t words = segments * ((length + 1) / 2), size = (words + RUN - 1) / RUN * RUN * ROWS + SLACK;
    for (int64_t i = 0; i < height; i += ROWS, slices += size, row += ROWS * row_stride) {
        int64_t rows = height - i < ROWS ? height - i : ROWS;
        if (length % (2 * RUN) == 0)
            gather_lines(row, row_stride, segments, length, skip, rows, slices, floats);
        else
            for (int64_t r = 0; r < rows; r++)
                gather_row(row + r * row_stride, segments, length, skip, slices + r * RUN, floats);
    }
}

V_INLINE void slice(const struct ursa_rows *rows, int64_t height, int64_t at, float *slices, int64_t size,
                    const enum source source)
{
    float room[RUN][ROWS] = {{0}}, turned[ROWS * RUN];
    const float *from[RUN];
    for (int k = 0; k < RUN; k++)
        from[k] = room[k];
    for (int64_t k = 0, count; k < words_of(rows); k += count) {
        int64_t first = (at + k) % RUN, left = words_of(rows) - k;
        count = RUN - first < left ? RUN - first : left;
        for (int64_t i = 0; i < height; i += ROWS) {
            float *to = slices + i / ROWS * size + (at + k) / RUN * ROWS * RUN;
            for (int64_t j = 0; j < count; j++)
                across(rows, k + j, i, height - i < ROWS ? height - i : ROWS, room[first + j], source);
            turn_words(from, turned);
            put_words(turned, first, count, to);
        }
    }
}

V_INLINE void strips(const struct ursa_rows *rows, int64_t height, int64_t at, float *to, int64_t size,
                     const enum source source)
{
    for (int64_t k = 0; k < words_of(rows); k++)
        for (int64_t i = 0; i < height; i += ROWS)
            across(rows, k, i, height - i < ROWS ? height - i : ROWS, to + i / ROWS * size + (at + k) * ROWS, source);
}

#endif

/* gemm_half.c — factors of half types, packed. See gemm_half.h.
 *
 * Everything here is made of two ways to turn elements into words: `along` the
 * inner dimension, where neighbours come to stand in one word, and `across` it,
 * where the two of a word come from different rows. Where the words then go is
 * the same as for floats.
 */
#include "gemm_half.h"
#include "slice.h"

/* Where the elements come from, and what they become. */
enum source { F16, BF16, F32_AS_F16, F32_AS_BF16 };

extern const struct ursa_simd_gemm SIMD(ursa_simd_gemm), SIMD_BASE(ursa_simd_gemm);
#define FLOATS SIMD_BASE(ursa_simd_gemm)
#ifdef URSA_SIMD_BF16 /* the micro-kernels of this set are those of pairs of bf16; what is f16 is the other's */
#define DEPTH 2
#else
#define DEPTH 1
#endif
#if defined(URSA_SIMD_AMX)
#define RATE 8
#else
#define RATE DEPTH
#endif
#define SIZE(source) ((source) == F16 || (source) == BF16 ? 2 : 4)

/* ---- words that are floats --------------------------------------------------
 */

V_INLINE vf load_floats(const void *from, const enum source source)
{
    uint16_t rounded[V_LANES];
    switch (source) {
    case F16:
        return vf_load_f16(from);
    case BF16:
        return vf_load_bf16(from);
    case F32_AS_F16:
        vf_store_f16(rounded, vf_load(from));
        return vf_load_f16(rounded);
    default:
        vf_store_bf16(rounded, vf_load(from));
        return vf_load_bf16(rounded);
    }
}

V_INLINE vf load_last_floats(const char *from, int64_t count, const enum source source)
{
    char lanes[V_LANES * sizeof(float)] = {0};
    memcpy(lanes, from, (size_t)(count * SIZE(source)));
    return load_floats(lanes, source);
}

/* Whole vectors are written, zeros after the last. */
V_INLINE void floats(const char *from, int64_t count, float *to, const enum source source)
{
    int64_t i = 0;
    for (; i + V_LANES <= count; i += V_LANES)
        vf_store(to + i, load_floats(from + i * SIZE(source), source));
    if (i < count)
        vf_store(to + i, load_last_floats(from + i * SIZE(source), count - i, source));
}

/* ---- matrix times vector --------------------------------------------------- */

/* Four rows at a time share the loads of x, as those of floats do. */
V_INLINE void dots_body(const float *x, const char *y, int64_t y_stride, const int count, int64_t length, float alpha,
                        float beta, float *out, const enum source source)
{
    vf sum[4];
    int64_t k = 0;
    UNROLL
    for (int i = 0; i < count; i++)
        sum[i] = vf_zero();
    for (; k + V_LANES <= length; k += V_LANES) {
        vf xv = vf_load(x + k);
        UNROLL
        for (int i = 0; i < count; i++)
            sum[i] = vf_fma(xv, load_floats(y + (i * y_stride + k) * SIZE(source), source), sum[i]);
    }
    if (k < length) {
        vf xv = vf_load_n(x + k, length - k);
        UNROLL
        for (int i = 0; i < count; i++)
            sum[i] = vf_fma(xv, load_last_floats(y + (i * y_stride + k) * SIZE(source), length - k, source), sum[i]);
    }
    UNROLL
    for (int i = 0; i < count; i++) {
        float value = alpha * vf_sum(sum[i]);
        out[i] = beta != 0 ? value + beta * out[i] : value;
    }
}

V_INLINE void dots(const float *x, const char *y, int64_t y_stride, int64_t count, int64_t length, float alpha,
                   float beta, float *out, const enum source source)
{
    int64_t i = 0, row = y_stride * SIZE(source);
    for (; i + 4 <= count; i += 4)
        dots_body(x, y + i * row, y_stride, 4, length, alpha, beta, out + i, source);
    for (; i < count; i++)
        dots_body(x, y + i * row, y_stride, 1, length, alpha, beta, out + i, source);
}

/* ---- words that are pairs ---------------------------------------------------
 */

#ifdef URSA_SIMD_BF16
/* V_LANES elements as bf16, the first `count` of them read. */
V_INLINE vh load_halves(const char *from, int64_t count, const enum source source)
{
    if (source == BF16)
        return count < V_LANES ? vh_load_n(from, count) : vh_load(from);
    const float *floats = (const float *)(const void *)from;
    return vh_round(count < V_LANES ? vf_load_n(floats, count) : vf_load(floats));
}

V_INLINE void pairs_along(const char *from, int64_t count, float *to, const enum source source)
{
    for (int64_t i = 0; i < count; i += V_LANES)
        vh_store((uint16_t *)(void *)to + i, load_halves(from + i * SIZE(source), count - i, source));
}

V_INLINE void pairs_across(const char *from, const char *partner, int64_t count, float *to, const enum source source)
{
    for (int64_t i = 0; i < count; i += V_LANES) {
        vh first = load_halves(from + i * SIZE(source), count - i, source), second = vh_round(vf_zero());
        if (partner)
            second = load_halves(partner + i * SIZE(source), count - i, source);
        vf_store(to + i, vf_pairs(first, second));
    }
}

/* Of a block's words at the end of a segment; `count` is of elements. */
V_INLINE v_row load_last_words(const char *from, int64_t count)
{
#ifdef URSA_SIMD_AVX512
    return (v_row)vh_load_n(from, count);
#else
    float words[V_BLOCK] = {0};
    memcpy(words, from, (size_t)count * 2);
    return v_row_load(words);
#endif
}

/* The fewer than V_BLOCK words at the end of segments of bf16; `count` is of elements. */
V_INLINE void gather_last_pairs(const char *const from[ROWS], int64_t count, float *to)
{
    for (int w = 0; w < GATHER_WIDTH; w++) {
        int first = ROWS < V_BLOCK || (w + 1) * V_BLOCK <= ROWS ? w * V_BLOCK : ROWS - V_BLOCK;
        v_row row[V_BLOCK];
        UNROLL
        for (int i = 0; i < V_BLOCK; i++)
            row[i] = load_last_words(from[first + i < ROWS ? first + i : ROWS - 1], count);
        v_turn(row);
        UNROLL
        for (int i = 0; i < V_BLOCK; i++)
            if (2 * i < count)
                v_row_store(to + i * ROWS + first, row[i]);
    }
}
#else
V_INLINE void gather_last_pairs(const char *const from[ROWS], int64_t count, float *to)
{
    (void)from, (void)count, (void)to;
}

V_INLINE void pairs_along(const char *from, int64_t count, float *to, const enum source source)
{
    (void)from, (void)count, (void)to, (void)source;
}

V_INLINE void pairs_across(const char *from, const char *partner, int64_t count, float *to, const enum source source)
{
    (void)from, (void)partner, (void)count, (void)to, (void)source;
}
#endif

/* ---- words ------------------------------------------------------------- */

/* Words of `count` elements in a row; whole vectors are written. */
V_INLINE void along(const char *from, int64_t count, float *to, const enum source source)
{
    if (DEPTH == 2)
        pairs_along(from, count, to, source);
    else
        floats(from, count, to, source);
}

/* Word `index` of each of `count` columns; whole vectors are written. */
V_INLINE void across(const struct ursa_rows *rows, int64_t index, int64_t skip, int64_t count, float *to,
                     const enum source source)
{
    int64_t first = index * rows->hop, second = first + rows->partner;
    const char *from = (const char *)rows->data + skip * SIZE(source);
    const char *partner = second < rows->length ? from + second * rows->stride * SIZE(source) : NULL;
    if (DEPTH == 2)
        pairs_across(from + first * rows->stride * SIZE(source), partner, count, to, source);
    else
        floats(from + first * rows->stride * SIZE(source), count, to, source);
}

V_INLINE int64_t words_of(const struct ursa_rows *rows)
{
    return (rows->length + rows->hop - 1) / rows->hop;
}

/* ---- where they go ----------------------------------------------------- */

#define CHUNK 64 /* words of a row that are turned over at a time */

#ifdef URSA_SIMD_AMX
#include "slice_amx.h"
#define STRIPS(source) strips_##source
#else
#define STRIPS(source) slice_##source
#define RUN            1

V_INLINE void gather_chunk(const char *const from[ROWS], int64_t count, float *to, const enum source source)
{
    float room[ROWS][CHUNK];
    const float *row[ROWS];
    for (int r = 0; r < ROWS; r++) {
        along(from[r], count, room[r], source);
        row[r] = room[r];
    }
    int64_t words = (count + DEPTH - 1) / DEPTH, whole = words / V_BLOCK * V_BLOCK;
    gather_blocks(row, NULL, whole, to);
    for (int64_t k = whole; k < words; k++)
        for (int r = 0; r < ROWS; r++)
            to[k * ROWS + r] = room[r][k];
}

/* One segment of one slice. Two bf16 side by side are a pair already. */
V_INLINE void gather_segment(const char *from[ROWS], int64_t length, float *to, const enum source source)
{
    if (DEPTH == 2 && source == BF16) {
        const float *pairs[ROWS];
        const char *last[ROWS];
        int64_t whole = length / (2 * V_BLOCK) * V_BLOCK;
        for (int r = 0; r < ROWS; r++) {
            pairs[r] = (const float *)(const void *)from[r];
            last[r] = from[r] + 2 * whole * SIZE(source);
        }
        gather_blocks(pairs, NULL, whole, to);
        if (2 * whole < length)
            gather_last_pairs(last, length - 2 * whole, to + whole * ROWS);
        return;
    }
    for (int64_t count, done = 0; done < length; done += count) {
        const char *at[ROWS];
        count = length - done < CHUNK * DEPTH ? length - done : CHUNK * DEPTH;
        for (int r = 0; r < ROWS; r++)
            at[r] = from[r] + done * SIZE(source);
        gather_chunk(at, count, to + done / DEPTH * ROWS, source);
    }
}

V_INLINE void gather(const void *const *row, int64_t row_stride, int64_t segments, int64_t length, int64_t skip,
                     int64_t height, float *slices, const enum source source)
{
    int64_t words = (length + DEPTH - 1) / DEPTH, size = segments * words * ROWS + SLACK;
    for (int64_t i = 0; i < height; i += ROWS, slices += size, row += ROWS * row_stride) {
        int64_t last = height - i < ROWS ? height - i - 1 : ROWS - 1;
        for (int64_t s = 0; s < segments; s++) {
            const char *from[ROWS];
            for (int64_t r = 0; r < ROWS; r++)
                from[r] = (const char *)row[(r < last ? r : last) * row_stride + s] + skip * SIZE(source);
            gather_segment(from, length, slices + s * words * ROWS, source);
        }
    }
}

V_INLINE void slice(const struct ursa_rows *rows, int64_t height, int64_t at, float *slices, int64_t size,
                    const enum source source)
{
    enum { MOST = 8 * ROWS };
    float room[MOST + V_LANES];
    for (int64_t k = 0; k < words_of(rows); k++)
        for (int64_t i = 0; i < height; i += MOST) {
            int64_t count = height - i < MOST ? height - i : MOST;
            across(rows, k, i, count, room, source);
            FLOATS.slice(&(struct ursa_rows){room, 0, 1, 1, 0}, count, at + k, slices + i / ROWS * size, size);
        }
}
#endif

V_INLINE void panels(const struct ursa_rows *rows, int64_t width, float *panel, int64_t panel_stride,
                     const enum source source)
{
    for (int64_t k = 0; k < words_of(rows); k++)
        for (int64_t j = 0; j < width; j += COLUMNS) {
            float *to = panel + j / COLUMNS * panel_stride + k * COLUMNS;
            int64_t count = width - j < COLUMNS ? width - j : COLUMNS;
            across(rows, k, j, count, to, source);
            for (int64_t i = (count + V_LANES - 1) / V_LANES * V_LANES; i < COLUMNS; i += V_LANES)
                vf_store(to + i, vf_zero());
        }
}

V_INLINE void copy(const struct ursa_rows *rows, int64_t width, int64_t full, float *panel, int64_t panel_stride,
                   const enum source source)
{
    for (int64_t k = 0; k < words_of(rows); k++, panel += panel_stride) {
        across(rows, k, 0, width, panel, source);
        for (int64_t j = (width + V_LANES - 1) / V_LANES * V_LANES; j < full; j += V_LANES)
            vf_store(panel + j, vf_zero());
    }
}

V_INLINE void pack(const void *y, int64_t k_stride, int64_t j_stride, int64_t length, int64_t width, float *panel,
                   const enum source source)
{
    if (j_stride == 1) {
        copy(&(struct ursa_rows){y, k_stride, length, DEPTH, 1}, width, COLUMNS, panel, COLUMNS, source);
        return;
    }
    float room[COLUMNS][CHUNK];
    for (int64_t k = 0; k < length; k += CHUNK * DEPTH) {
        int64_t count = length - k < CHUNK * DEPTH ? length - k : CHUNK * DEPTH;
        for (int64_t j = 0; j < width; j++)
            along((const char *)y + (k + j * j_stride) * SIZE(source), count, room[j], source);
        FLOATS.pack(room, 1, CHUNK, (count + DEPTH - 1) / DEPTH, width, panel + k / DEPTH * COLUMNS);
    }
}

/* ---- the table --------------------------------------------------------- */

static void tile(const struct ursa_tile *t)
{
    SIMD(ursa_simd_gemm).tile(t);
}

static void pairs(const struct ursa_pairs *p)
{
    SIMD(ursa_simd_gemm).pairs(p);
}

#ifdef URSA_SIMD_AMX
static void begin(void)
{
    SIMD(ursa_simd_gemm).begin();
}

static void end(void)
{
    SIMD(ursa_simd_gemm).end();
}
#define FRAME        .begin = begin, .end = end
#define PAIR_COLUMNS (8 * COLUMNS)
#else
#define FRAME        .begin = NULL
#define PAIR_COLUMNS COLUMNS
#endif

static void add(const float *x, float *y, int64_t count)
{
    FLOATS.add(x, y, count);
}

#ifdef URSA_SIMD_AMX
#define STRIPS_FROM(source)                                                                                            \
    static void strips_##source(const struct ursa_rows *rows, int64_t height, int64_t at, float *slices, int64_t size) \
    {                                                                                                                  \
        strips(rows, height, at, slices, size, source);                                                                \
    }
STRIPS_FROM(BF16)
STRIPS_FROM(F32_AS_BF16)
#endif

#define FROM(source)                                                                                                   \
    static void gather_##source(const void *const *row, int64_t row_stride, int64_t segments, int64_t length,          \
                                int64_t skip, int64_t height, float *slices)                                           \
    {                                                                                                                  \
        gather(row, row_stride, segments, length, skip, height, slices, source);                                       \
    }                                                                                                                  \
    static void slice_##source(const struct ursa_rows *rows, int64_t height, int64_t at, float *slices, int64_t size)  \
    {                                                                                                                  \
        slice(rows, height, at, slices, size, source);                                                                 \
    }                                                                                                                  \
    static void panels_##source(const struct ursa_rows *rows, int64_t width, float *panel, int64_t panel_stride)       \
    {                                                                                                                  \
        panels(rows, width, panel, panel_stride, source);                                                              \
    }                                                                                                                  \
    static void copy_##source(const struct ursa_rows *rows, int64_t width, int64_t full, float *panel,                 \
                              int64_t panel_stride)                                                                    \
    {                                                                                                                  \
        copy(rows, width, full, panel, panel_stride, source);                                                          \
    }                                                                                                                  \
    static void pack_##source(const void *y, int64_t k_stride, int64_t j_stride, int64_t length, int64_t width,        \
                              float *panel)                                                                            \
    {                                                                                                                  \
        pack(y, k_stride, j_stride, length, width, panel, source);                                                     \
    }                                                                                                                  \
    static void dots_##source(const float *x, const void *y, int64_t y_stride, int64_t count, int64_t length,          \
                              float alpha, float beta, float *out)                                                     \
    {                                                                                                                  \
        dots(x, y, y_stride, count, length, alpha, beta, out, source);                                                 \
    }                                                                                                                  \
    static void floats_##source(const void *from, int64_t count, float *to)                                            \
    {                                                                                                                  \
        floats(from, count, to, source);                                                                               \
    }
FROM(BF16)
FROM(F32_AS_BF16)

#define STORE(type)                                                                                                    \
    static void store_##type(const float *sum, int64_t pitch, int64_t rows, int64_t width, void *const *out,           \
                             int64_t column)                                                                           \
    {                                                                                                                  \
        for (int64_t i = 0; i < rows; i++, sum += pitch) {                                                             \
            uint16_t *to = (uint16_t *)out[i] + column;                                                                \
            int64_t j = 0;                                                                                             \
            for (; j + V_LANES <= width; j += V_LANES)                                                                 \
                vf_store_##type(to + j, vf_load(sum + j));                                                             \
            if (j < width) {                                                                                           \
                uint16_t lanes[V_LANES];                                                                               \
                vf_store_##type(lanes, vf_load_n(sum + j, width - j));                                                 \
                memcpy(to + j, lanes, (size_t)(width - j) * sizeof *lanes);                                            \
            }                                                                                                          \
        }                                                                                                              \
    }
STORE(bf16)

#define LOAD(name, source)                                                                                             \
    static void load_##name(void *const *out, int64_t column, int64_t rows, int64_t width, float *sum, int64_t pitch)  \
    {                                                                                                                  \
        for (int64_t i = 0; i < rows; i++)                                                                             \
            floats((const char *)out[i] + column * 2, width, sum + i * pitch, source);                                 \
    }
LOAD(bf16, BF16)

#define PRODUCT(a, b)                                                                                                  \
    {                                                                                                                  \
        .rows = ROWS, .columns = COLUMNS, .inner = INNER, .depth = DEPTH, .run = RUN, .rate = RATE, .slack = SLACK,    \
        .tile = tile, .pairs = pairs, .gather = gather_##a, .slice = slice_##a, .strips = STRIPS(a), .pack = pack_##b, \
        .panels = panels_##b, .copy = copy_##b, .add = add, .pair_columns = PAIR_COLUMNS, FRAME,                       \
    }
#define HALF_PRODUCTS(half, single, type)                                                                              \
    {                                                                                                                  \
        {{PRODUCT(single, single), PRODUCT(single, half)}, {PRODUCT(half, single), PRODUCT(half, half)}},              \
            {dots_##single, dots_##half}, {floats_##single, floats_##half}, store_##type, load_##type,                 \
    }

static const struct ursa_half_products bf16_products = HALF_PRODUCTS(BF16, F32_AS_BF16, bf16);

extern const struct ursa_half_products SIMD_BASE(ursa_simd_f16_products);
#ifndef URSA_SIMD_BF16
FROM(F16)
FROM(F32_AS_F16)
STORE(f16)
LOAD(f16, F16)
const struct ursa_half_products SIMD(ursa_simd_f16_products) = HALF_PRODUCTS(F16, F32_AS_F16, f16);
#endif

const struct ursa_simd_gemm_half SIMD(ursa_simd_gemm_half) = {
    .type = {[URSA_F16] = &SIMD_BASE(ursa_simd_f16_products), [URSA_BF16] = &bf16_products},
};

/* gemm.c — micro-kernels of matrix products. See gemm.h. */
#include "finish.h"
#include "gemm.h"
#include "slice.h"

/* sum + x y, of words (see gemm.h). This source is compiled once more for the pairs. */
#ifdef URSA_SIMD_BF16
#define DEPTH 2
V_INLINE vf add_product(vf x, vf y, vf sum)
{
    return vf_fma_pairs(x, y, sum);
}
#else
#define DEPTH 1
V_INLINE vf add_product(vf x, vf y, vf sum)
{
#if defined(URSA_SIMD_AVX2)
    /* The form that adds in place: left alone, gcc takes others too and moves sums from register to register. */
    __asm__("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(x), "x"(y));
    return sum;
#else
    return vf_fma(x, y, sum);
#endif
}
#endif

/* Makes the compiler load a vector once and keep it: left alone it repeats the load as an operand of every
 * multiply-add, and then the loads are what the processor waits for. */
#if defined(URSA_SIMD_EMULATED)
#define KEEP(v) ((void)0)
#elif defined(URSA_SIMD_AVX512)
#define KEEP(v) __asm__("" : "+v"(v))
#elif defined(URSA_SIMD_AVX2)
#define KEEP(v) __asm__("" : "+x"(v))
#else
#define KEEP(v) ((void)0)
#endif

V_INLINE void finish_tile(const struct ursa_tile *t, vf sum[ROWS][VECTORS], const int rows, const int vectors)
{
    int last = t->width - (vectors - 1) * V_LANES;
    if (last == V_LANES)
        finish_rows(t, 0, sum, rows, vectors, V_LANES);
    else
        finish_rows(t, 0, sum, rows, vectors, last);
}

/* Every line of it: what is not there when the sums are done is waited for. */
V_INLINE void fetch_out(const struct ursa_tile *t, const int rows, const int vectors)
{
    UNROLL
    for (int i = 0; i < rows; i++)
        for (int at = 0; at < vectors * V_LANES; at += 16)
            __builtin_prefetch(t->out[i] + t->column + at, 1);
}

/* ---- the micro-kernels ---------------------------------------------------- */

/* `partial`: the last vector of a row of B must not be read past the width. */
V_INLINE void tile_body(const struct ursa_tile *t, const int rows, const int vectors, const bool partial)
{
    vf sum[ROWS][VECTORS];
    UNROLL
    for (int i = 0; i < rows; i++)
        UNROLL
    for (int v = 0; v < vectors; v++)
        sum[i][v] = vf_zero();

    fetch_out(t, rows, vectors);

    const float *b = t->b;
    int64_t b_stride = t->b_stride, step = t->step, last = t->width - (vectors - 1) * V_LANES;
    for (int64_t s = 0; s < t->segments; s++) {
        const float *a[ROWS];
        UNROLL
        for (int i = 0; i < rows; i++)
            a[i] = (const float *)t->row[i * t->row_stride + s] + t->skip;
        int64_t at = 0;
        for (int64_t k = t->length; k > 0; k--) {
            vf y[VECTORS];
            UNROLL
            for (int v = 0; v < vectors; v++) {
                y[v] = partial && v == vectors - 1 ? vf_load_n(b + v * V_LANES, last) : vf_load(b + v * V_LANES);
                KEEP(y[v]);
            }
            UNROLL
            for (int i = 0; i < rows; i++) {
                vf x = vf_set(a[i][at]);
                UNROLL
                for (int v = 0; v < vectors; v++)
                    sum[i][v] = add_product(x, y[v], sum[i][v]);
            }
            at += step;
            b += b_stride;
        }
    }
    finish_tile(t, sum, rows, vectors);
}

/* sum[i][v] += x[i] y[v], for the x of one step of a slice. */
#ifdef URSA_SIMD_NEON
#ifdef URSA_SIMD_BF16
#define ADD_LANE(sum, y, x, lane) vbfdotq_laneq_f32(sum, vreinterpretq_bf16_f32(y), vreinterpretq_bf16_f32(x), lane)
#else
#define ADD_LANE(sum, y, x, lane) vfmaq_laneq_f32(sum, y, x, lane)
#endif
#define ADD_ROW(i)                                                                                                     \
    if ((i) < rows)                                                                                                    \
        UNROLL                                                                                                         \
    for (int v = 0; v < vectors; v++)                                                                                  \
    sum[i][v] = ADD_LANE(sum[i][v], y[v], xs[(i) / 4], (i) % 4)

V_INLINE void add_step(vf sum[ROWS][VECTORS], const float *x, const vf *y, const int rows, const int vectors)
{
    vf xs[ROWS / 4];
    UNROLL
    for (int i = 0; i < (rows + 3) / 4; i++)
        xs[i] = vf_load(x + 4 * i);
    ADD_ROW(0);
    ADD_ROW(1);
    ADD_ROW(2);
    ADD_ROW(3);
    ADD_ROW(4);
    ADD_ROW(5);
    ADD_ROW(6);
    ADD_ROW(7);
    ADD_ROW(8);
    ADD_ROW(9);
    ADD_ROW(10);
    ADD_ROW(11);
}
#else
V_INLINE void add_step(vf sum[ROWS][VECTORS], const float *x, const vf *y, const int rows, const int vectors)
{
    UNROLL
    for (int i = 0; i < rows; i++) {
        vf xs = vf_set(x[i]);
        UNROLL
        for (int v = 0; v < vectors; v++)
            sum[i][v] = add_product(xs, y[v], sum[i][v]);
    }
}
#endif

V_INLINE void slice_step(vf sum[ROWS][VECTORS], const float *x, const float *b, const int rows, const int vectors)
{
    vf y[VECTORS];
    UNROLL
    for (int v = 0; v < vectors; v++) {
        y[v] = vf_load(b + v * V_LANES);
        KEEP(y[v]);
    }
    add_step(sum, x, y, rows, vectors);
}

V_INLINE void slice_body(const struct ursa_tile *t, const int rows, const int vectors)
{
    vf sum[ROWS][VECTORS];
    UNROLL
    for (int i = 0; i < rows; i++)
        UNROLL
    for (int v = 0; v < vectors; v++)
        sum[i][v] = vf_zero();

    fetch_out(t, rows, vectors);

    const float *a = t->slice, *b = t->b, *fetch = t->fetch ? t->fetch : b;
    int64_t k = t->length;
    for (; k >= 4; k -= 4, a += 4 * ROWS, b += 4 * COLUMNS, fetch += 4 * URSA_FETCH_STEP) {
        __builtin_prefetch(fetch, 0, 2);
        UNROLL
        for (int step = 0; step < 4; step++)
            slice_step(sum, a + step * ROWS, b + step * COLUMNS, rows, vectors);
    }
    for (; k > 0; k--, a += ROWS, b += COLUMNS)
        slice_step(sum, a, b, rows, vectors);
    finish_tile(t, sum, rows, vectors);
}

V_INLINE void pairs_body(const struct ursa_pairs *p, const int rows, const int vectors)
{
    vf sum[ROWS][VECTORS];
    UNROLL
    for (int i = 0; i < rows; i++)
        UNROLL
    for (int v = 0; v < vectors; v++)
        sum[i][v] = vf_zero();

    UNROLL
    for (int i = 0; i < rows; i++)
        for (int at = 0; at < vectors * V_LANES; at += 16)
            __builtin_prefetch(p->out + i * p->out_stride + at, 1);

    const float *a = p->a, *b = p->b, *fetch = p->fetch ? p->fetch : a;
    const int32_t *pair = p->pair;
    int64_t k = p->count;
    for (; k >= 4; k -= 4, pair += 8, fetch += 4 * URSA_FETCH_STEP) {
        __builtin_prefetch(fetch, 0, 2);
        UNROLL
        for (int step = 0; step < 4; step++)
            slice_step(sum, a + pair[2 * step], b + pair[2 * step + 1], rows, vectors);
    }
    for (; k > 0; k--, pair += 2)
        slice_step(sum, a + pair[0], b + pair[1], rows, vectors);
    int last = p->width - (vectors - 1) * V_LANES;
    if (p->add) {
        UNROLL
        for (int i = 0; i < rows; i++) {
            const float *out = p->out + i * p->out_stride;
            UNROLL
            for (int v = 0; v < vectors; v++)
                sum[i][v] = vf_add(load_columns(out + v * V_LANES, v, vectors, last), sum[i][v]);
        }
    }
    UNROLL
    for (int i = 0; i < rows; i++)
        store_row(p->out + i * p->out_stride, sum[i], vectors, last);
}

/* One function per height and number of vectors: a smaller tile costs as much
 * less as it is smaller, and rows or columns past the edge are not computed. */
#if ROWS == 12
#define FOR_ROWS(X, v)                                                                                                 \
    X(1, v) X(2, v) X(3, v) X(4, v) X(5, v) X(6, v) X(7, v) X(8, v) X(9, v) X(10, v) X(11, v) X(12, v)
#elif ROWS == 6
#define FOR_ROWS(X, v) X(1, v) X(2, v) X(3, v) X(4, v) X(5, v) X(6, v)
#elif ROWS == 4
#define FOR_ROWS(X, v) X(1, v) X(2, v) X(3, v) X(4, v)
#else
#define FOR_ROWS(X, v) X(1, v) X(2, v)
#endif
#if VECTORS == 4
#define FOR_TILES(X) FOR_ROWS(X, 1) FOR_ROWS(X, 2) FOR_ROWS(X, 3) FOR_ROWS(X, 4)
#else
#define FOR_TILES(X) FOR_ROWS(X, 1) FOR_ROWS(X, 2)
#endif

#define DEFINE_UNSLICED(r, v)                                                                                          \
    static void tile_##r##_##v(const struct ursa_tile *t)                                                              \
    {                                                                                                                  \
        tile_body(t, r, v, false);                                                                                     \
    }                                                                                                                  \
    static void edge_##r##_##v(const struct ursa_tile *t)                                                              \
    {                                                                                                                  \
        tile_body(t, r, v, true);                                                                                      \
    }
#define DEFINE(r, v)                                                                                                   \
    static void slice_##r##_##v(const struct ursa_tile *t)                                                             \
    {                                                                                                                  \
        slice_body(t, r, v);                                                                                           \
    }                                                                                                                  \
    static void pairs_##r##_##v(const struct ursa_pairs *p)                                                            \
    {                                                                                                                  \
        pairs_body(p, r, v);                                                                                           \
    }
FOR_TILES(DEFINE)

#define TILE(r, v)  [v - 1][r - 1] = tile_##r##_##v,
#define EDGE(r, v)  [v - 1][r - 1] = edge_##r##_##v,
#define SLICE(r, v) [v - 1][r - 1] = slice_##r##_##v,
#define PAIRS(r, v) [v - 1][r - 1] = pairs_##r##_##v,
static void (*const slice_tiles[VECTORS][ROWS])(const struct ursa_tile *) = {FOR_TILES(SLICE)};
static void (*const pair_tiles[VECTORS][ROWS])(const struct ursa_pairs *) = {FOR_TILES(PAIRS)};

#if DEPTH == 1
FOR_TILES(DEFINE_UNSLICED)
static void (*const tiles[VECTORS][ROWS])(const struct ursa_tile *) = {FOR_TILES(TILE)};
static void (*const edges[VECTORS][ROWS])(const struct ursa_tile *) = {FOR_TILES(EDGE)};

static void unsliced(const struct ursa_tile *t, unsigned vector, unsigned row)
{
    if (t->padded || t->width % V_LANES == 0)
        tiles[vector][row](t);
    else
        edges[vector][row](t);
}
#else /* what is packed in pairs is cut into slices */
#define unsliced(t, vector, row) ((void)0)
#endif

static void tile(const struct ursa_tile *t)
{
    unsigned vector = (unsigned)(t->width - 1) / V_LANES, row = (unsigned)(t->height - 1);
    if (t->slice || DEPTH > 1)
        slice_tiles[vector][row](t);
    else
        unsliced(t, vector, row);
}

static void pairs(const struct ursa_pairs *p)
{
    pair_tiles[(unsigned)(p->width - 1) / V_LANES][(unsigned)(p->height - 1)](p);
}

/* ---- matrix times vector -------------------------------------------------- */

/* Four rows at a time share the loads of x; two sums each hide the latency. */
V_INLINE void dots_body(const float *x, const float *y, int64_t y_stride, const int count, int64_t length, float alpha,
                        float beta, float *out)
{
    vf sum[4][2];
    UNROLL
    for (int i = 0; i < count; i++)
        sum[i][0] = sum[i][1] = vf_zero();
    int64_t k = 0;
    for (; k + 2 * V_LANES <= length; k += 2 * V_LANES)
        UNROLL
    for (int v = 0; v < 2; v++) {
        vf xv = vf_load(x + k + v * V_LANES);
        UNROLL
        for (int i = 0; i < count; i++)
            sum[i][v] = vf_fma(xv, vf_load(y + i * y_stride + k + v * V_LANES), sum[i][v]);
    }
    for (; k < length; k += V_LANES) {
        int64_t n = length - k < V_LANES ? length - k : V_LANES;
        vf xv = vf_load_n(x + k, n);
        UNROLL
        for (int i = 0; i < count; i++)
            sum[i][0] = vf_fma(xv, vf_load_n(y + i * y_stride + k, n), sum[i][0]);
    }
    UNROLL
    for (int i = 0; i < count; i++) {
        float value = alpha * vf_sum(vf_add(sum[i][0], sum[i][1]));
        out[i] = beta != 0 ? value + beta * out[i] : value;
    }
}

static void dots(const float *x, const float *y, int64_t y_stride, int64_t count, int64_t length, float alpha,
                 float beta, float *out)
{
    int64_t i = 0;
    for (; i + 4 <= count; i += 4)
        dots_body(x, y + i * y_stride, y_stride, 4, length, alpha, beta, out + i);
    for (; i < count; i++)
        dots_body(x, y + i * y_stride, y_stride, 1, length, alpha, beta, out + i);
}

#define LINE  16         /* floats of a line of the cache */
#define AHEAD (8 * LINE) /* how far ahead of packing lines are fetched */

/* ---- packing --------------------------------------------------------------- */

static void copy(const struct ursa_rows *rows, int64_t width, int64_t full, float *panel, int64_t panel_stride)
{
    const float *y = rows->data;
    for (int64_t k = 0; k < rows->length; k++, y += rows->stride, panel += panel_stride) {
        int64_t j = 0;
        for (; j + V_LANES <= width; j += V_LANES)
            vf_store(panel + j, vf_load(y + j));
        if (j < width) {
            vf_store(panel + j, vf_load_n(y + j, width - j));
            j += V_LANES;
        }
        for (; j < full; j += V_LANES)
            vf_store(panel + j, vf_zero());
    }
}

/* Row by row, as they lie: every slice is written to in turn. */
static void slice(const struct ursa_rows *rows, int64_t height, int64_t at, float *slices, int64_t size)
{
    const float *y = rows->data;
    int64_t whole = height < SLACK ? 0 : (height - SLACK) / ROWS * ROWS + ROWS; /* whose vectors end within the row */
    for (int64_t k = 0; k < rows->length; k++, y += rows->stride) {
        float *to = slices + (at + k) * ROWS;
        for (int64_t i = 0; i < whole; i += ROWS, to += size)
            UNROLL
        for (int v = 0; v < SLICE_VECTORS; v++)
            vf_store(to + v * V_LANES, vf_load(y + i + v * V_LANES));
        for (int64_t i = whole; i < height; i += ROWS, to += size)
            UNROLL
        for (int v = 0; v < SLICE_VECTORS; v++) {
            int64_t n = height - i - v * V_LANES;
            vf_store(to + v * V_LANES, vf_load_n(y + i + v * V_LANES, n < 0 ? 0 : n < V_LANES ? n : V_LANES));
        }
    }
}

static void panels(const struct ursa_rows *rows, int64_t width, float *panel, int64_t panel_stride)
{
    const float *y = rows->data;
    int64_t whole = width / COLUMNS * COLUMNS;
    for (int64_t k = 0; k < rows->length; k++, y += rows->stride, panel += COLUMNS) {
        float *to = panel;
        for (int64_t j = 0; j < whole; j += COLUMNS, to += panel_stride)
            UNROLL
        for (int v = 0; v < VECTORS; v++)
            vf_store(to + v * V_LANES, vf_load(y + j + v * V_LANES));
        if (whole < width)
            UNROLL
        for (int v = 0; v < VECTORS; v++) {
            int64_t n = width - whole - v * V_LANES;
            vf_store(to + v * V_LANES, vf_load_n(y + whole + v * V_LANES, n < 0 ? 0 : n < V_LANES ? n : V_LANES));
        }
    }
}

static void gather(const void *const *row, int64_t row_stride, int64_t segments, int64_t length, int64_t skip,
                   int64_t height, float *slices)
{
    int64_t whole = length / V_BLOCK * V_BLOCK, size = segments * length * ROWS + SLACK;
    for (int64_t i = 0; i < height; i += ROWS, slices += size, row += ROWS * row_stride) {
        int64_t last = height - i < ROWS ? height - i - 1 : ROWS - 1;
        float *to = slices;
        for (int64_t s = 0; s < segments; s++) {
            const float *from[ROWS], *next[ROWS];
            UNROLL
            for (int64_t r = 0; r < ROWS; r++) {
                from[r] = (const float *)row[(r < last ? r : last) * row_stride + s] + skip;
                next[r] = (const float *)row[(ROWS + r < height - i ? ROWS + r : last) * row_stride + s] + skip;
            }
            gather_blocks(from, next, whole, to);
            for (int64_t k = whole; k < length; k++)
                UNROLL
            for (int r = 0; r < ROWS; r++)
                to[k * ROWS + r] = from[r][k];
            to += length * ROWS;
        }
    }
}

static void gather_panel(const void *const *row, int64_t row_stride, int64_t segments, int64_t length, int64_t width,
                         float *panel, int64_t panel_stride)
{
    int64_t whole = length / V_BLOCK * V_BLOCK;
    for (int64_t s = 0; s < segments; s++, panel += length * panel_stride)
        for (int64_t i = 0; i < panel_stride; i += V_BLOCK) {
            const float *from[V_BLOCK];
            for (int64_t r = 0; r < V_BLOCK; r++)
                from[r] = row[(i + r < width ? i + r : width - 1) * row_stride + s];
            for (int64_t k = 0; k < whole; k += V_BLOCK) {
                v_row block[V_BLOCK];
                for (int r = 0; r < V_BLOCK; r++)
                    block[r] = v_row_load(from[r] + k);
                v_turn(block);
                for (int r = 0; r < V_BLOCK; r++)
                    v_row_store(panel + (k + r) * panel_stride + i, block[r]);
            }
            for (int64_t k = whole; k < length; k++)
                for (int r = 0; r < V_BLOCK; r++)
                    panel[k * panel_stride + i + r] = from[r][k];
        }
}

static void pack_elements(const float *y, int64_t k_stride, int64_t j_stride, int64_t length, int64_t width,
                          float *panel)
{
    for (int64_t k = 0; k < length; k++)
        for (int64_t j = 0; j < width; j++)
            panel[k * COLUMNS + j] = y[k * k_stride + j * j_stride];
}

/* Rows of B far apart, often by a power of two, share few sets of the cache: what is read of a line is read at once,
 * and the lines that come are fetched no nearer than the second level. */
V_INLINE void turn_line(const float *y, int64_t j_stride, int64_t length, float *to)
{
    for (int j = 0; j < V_BLOCK; j++)
        __builtin_prefetch(y + j * j_stride + AHEAD, 0, 2);
    for (int64_t k = 0; k < length; k += V_BLOCK)
        v_transpose(y + k, j_stride, to + k * COLUMNS, COLUMNS);
}

static void pack(const void *data, int64_t k_stride, int64_t j_stride, int64_t length, int64_t width, float *panel)
{
    const float *y = data;
    if (j_stride == 1) {
        copy(&(struct ursa_rows){y, k_stride, length, 1, 0}, width, COLUMNS, panel, COLUMNS);
        return;
    }
    if (width < COLUMNS)
        memset(panel, 0, (size_t)(length * COLUMNS) * sizeof *panel);
    int64_t blocks = k_stride == 1 ? length / V_BLOCK * V_BLOCK : 0, whole = width / V_BLOCK * V_BLOCK;
    for (int64_t k = 0; k < blocks; k += LINE)
        for (int64_t j = 0; j < whole; j += V_BLOCK)
            turn_line(y + k + j * j_stride, j_stride, blocks - k < LINE ? blocks - k : LINE, panel + k * COLUMNS + j);
    if (whole < width)
        pack_elements(y + whole * j_stride, k_stride, j_stride, blocks, width - whole, panel + whole);
    pack_elements(y + blocks * k_stride, k_stride, j_stride, length - blocks, width, panel + blocks * COLUMNS);
}

static void add_runs(const float *x, int64_t x_pitch, float *y, int64_t y_pitch, int64_t width, int64_t count)
{
    int64_t whole = width / V_LANES * V_LANES;
    for (int64_t i = 0; i < count; i++, x += x_pitch, y += y_pitch) {
        for (int64_t j = 0; j < whole; j += V_LANES)
            vf_store(y + j, vf_add(vf_load(y + j), vf_load(x + j)));
        if (whole < width)
            vf_store(y + whole, vf_add(vf_load(y + whole), vf_load_n(x + whole, width - whole)));
    }
}

static void add(const float *x, float *y, int64_t count)
{
    int64_t i = 0;
    for (; i + V_LANES <= count; i += V_LANES)
        vf_store(y + i, vf_add(vf_load(y + i), vf_load(x + i)));
    if (i < count)
        vf_store_n(y + i, vf_add(vf_load_n(y + i, count - i), vf_load_n(x + i, count - i)), count - i);
}

const struct ursa_simd_gemm SIMD(ursa_simd_gemm) = {
    .rows = ROWS,
    .columns = COLUMNS,
    .inner = INNER,
    .depth = DEPTH,
    .run = 1,
    .rate = DEPTH,
    .pair_columns = COLUMNS,
    .tile = tile,
    .pairs = pairs,
    .dots = dots,
    .pack = pack,
    .panels = panels,
    .copy = copy,
    .gather = gather,
    .gather_panel = gather_panel,
    .slice = slice,
    .strips = slice,
    .slack = SLACK,
    .add_runs = add_runs,
    .add = add,
};

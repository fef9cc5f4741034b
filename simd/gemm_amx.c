/* gemm_amx.c — micro-kernels of products of bf16 on Intel's matrix tiles (AMX).
 *
 * A tile of the processor holds sixteen rows of sixteen words. One instruction
 * multiplies the pairs of bf16 in the rows of one with those in the columns of
 * another and adds them to a third, of floats, at sixteen times the rate of
 * floats in vectors. Two tiles of A and two of B make four of out, so that every
 * tile that is loaded is used twice; all eight that there are are then in use.
 *
 * Panels are as they are elsewhere (gemm.h): sixteen rows of one, words side by
 * side, are a tile of B. A slice holds sixteen words of each row together, which
 * are a tile of A. An inner dimension that is no multiple of sixteen words ends
 * in copies with zeros behind, in both.
 */
#include "amx.h"
#include "finish.h"
#include "gemm.h"

#define HALF   16                 /* rows and columns of a tile of out */
#define A_TILE (HALF * RUN)       /* words of a tile of A */
#define BYTES  (int)sizeof(float) /* of a word */
#define FETCH  16                 /* words of a line of the cache */

/* out += a b for RUN words of each: `low`, with rows 16 to 31 of a, and `right`, with columns 16 to 31 of b. */
V_INLINE void add_run(const float *a, const float *b, const bool low, const bool right)
{
    __asm__ volatile("" ::: "memory"); /* gcc does not know that the loads read memory */
    _tile_loadd(4, a, RUN * BYTES);
    _tile_loadd(6, b, COLUMNS * BYTES);
    _tile_dpbf16ps(0, 4, 6);
    if (right) {
        _tile_loadd(7, b + HALF, COLUMNS * BYTES);
        _tile_dpbf16ps(1, 4, 7);
    }
    if (low) {
        _tile_loadd(5, a + A_TILE, RUN * BYTES);
        _tile_dpbf16ps(2, 5, 6);
        if (right)
            _tile_dpbf16ps(3, 5, 7);
    }
}

V_INLINE void begin_sums(void)
{
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

V_INLINE void store_sums(float sum[ROWS][COLUMNS], const bool low, const bool right)
{
    _tile_stored(0, sum[0], COLUMNS * BYTES);
    if (right)
        _tile_stored(1, sum[0] + HALF, COLUMNS * BYTES);
    if (low)
        _tile_stored(2, sum[HALF], COLUMNS * BYTES);
    if (low && right)
        _tile_stored(3, sum[HALF] + HALF, COLUMNS * BYTES);
}

/* ---- slices times panels ---------------------------------------------------- */

/* The last `words` of a slice and a panel. */
V_INLINE void add_rest(const float *a, const float *b, int64_t words, const bool low, const bool right)
{
    _Alignas(64) float a_room[ROWS * RUN], b_room[RUN * COLUMNS];
    for (int i = 0; i < (low ? ROWS : HALF); i++)
        vf_store(a_room + i * RUN, vf_load_n(a + i * RUN, words));
    for (int64_t k = 0; k < RUN; k++)
        for (int v = 0; v < VECTORS; v++)
            vf_store(b_room + k * COLUMNS + v * V_LANES,
                     k < words ? vf_load(b + k * COLUMNS + v * V_LANES) : vf_zero());
    add_run(a_room, b_room, low, right);
}

V_INLINE void fetch_run(const float *fetch)
{
    UNROLL
    for (int line = 0; line < RUN * URSA_FETCH_STEP / FETCH; line++)
        __builtin_prefetch(fetch + line * FETCH, 0, 2);
}

V_INLINE void tile_body(const struct ursa_tile *t, const bool low, const bool right)
{
    _Alignas(64) float sum[ROWS][COLUMNS];
    const float *a = t->slice, *b = t->b, *fetch = t->fetch ? t->fetch : b;
    int64_t k = t->length;
    begin_sums();
    for (int i = 0; i < t->height; i++)
        for (int at = 0; at < (right ? COLUMNS : HALF); at += FETCH)
            __builtin_prefetch(t->out[i] + t->column + at, 1);
    for (; k >= RUN; k -= RUN, a += ROWS * RUN, b += RUN * COLUMNS, fetch += RUN * URSA_FETCH_STEP) {
        fetch_run(fetch);
        add_run(a, b, low, right);
    }
    if (k > 0)
        add_rest(a, b, k, low, right);
    store_sums(sum, low, right);

    const int vectors = right ? VECTORS : 1;
    int last = t->width - (vectors - 1) * V_LANES;
    for (int i = 0; i < t->height; i++) {
        vf row[1][VECTORS];
        for (int v = 0; v < vectors; v++)
            row[0][v] = vf_load(sum[i] + v * V_LANES);
        finish_rows(t, i, row, 1, vectors, last);
    }
}

static void tile(const struct ursa_tile *t)
{
    if (t->height > HALF && t->width > HALF)
        tile_body(t, true, true);
    else if (t->height > HALF)
        tile_body(t, true, false);
    else if (t->width > HALF)
        tile_body(t, false, true);
    else
        tile_body(t, false, false);
}

/* ---- strips times rows ------------------------------------------------------- */

#define MOST_RUNS 16 /* of the pairs that are turned over together, for all columns */

/* Words of a, `count` of a run of them, turned over; zeros behind. */
V_INLINE void turn_pairs(const struct ursa_pairs *p, const int32_t *pair, int64_t count, float *to)
{
    static const float zeros[ROWS];
    const float *a[RUN];
    for (int64_t k = 0; k < RUN; k++)
        a[k] = k < count ? p->a + pair[2 * k] : zeros;
    turn_words(a, to);
}

/* The words of b that a run of them meets, of which there are `count`; zeros behind. */
V_INLINE void copy_pairs(const float *b, const int32_t *pair, int64_t count, float *to, const int vectors)
{
    int64_t k = 0;
    for (; k < RUN && k < count; k++)
        for (int v = 0; v < vectors; v++)
            vf_store(to + k * COLUMNS + v * V_LANES, vf_load(b + pair[2 * k + 1] + v * V_LANES));
    for (; k < RUN; k++)
        for (int v = 0; v < vectors; v++)
            vf_store(to + k * COLUMNS + v * V_LANES, vf_zero());
}

/* out (+)= the turned words times a tile's columns of b. What was just stored cannot be loaded as a tile without a
 * wait: the next words of b are copied before those that are there are multiplied. */
V_INLINE void pairs_body(const struct ursa_pairs *p, const int32_t *pair, int64_t count, int64_t column, int width,
                         const float *turned, bool add, const bool low, const bool right)
{
    _Alignas(64) float sum[ROWS][COLUMNS], b[2][RUN * COLUMNS];
    const int vectors = right ? VECTORS : 1;
    begin_sums();
    copy_pairs(p->b + column, pair, count, b[0], vectors);
    for (int run = 0; count > 0; run ^= 1, count -= RUN, pair += 2 * RUN, turned += ROWS * RUN) {
        if (count > RUN)
            copy_pairs(p->b + column, pair + 2 * RUN, count - RUN, b[run ^ 1], vectors);
        add_run(turned, b[run], low, right);
    }
    store_sums(sum, low, right);

    int last = width - (vectors - 1) * V_LANES;
    for (int i = 0; i < p->height; i++) {
        float *out = p->out + column + i * p->out_stride;
        vf row[VECTORS];
        for (int v = 0; v < vectors; v++) {
            row[v] = vf_load(sum[i] + v * V_LANES);
            if (add)
                row[v] = vf_add(load_columns(out + v * V_LANES, v, vectors, last), row[v]);
        }
        store_row(out, row, vectors, last);
    }
}

/* The words of a are turned over once, and then used for all columns. */
static void pairs(const struct ursa_pairs *p)
{
    _Alignas(64) float turned[MOST_RUNS * ROWS * RUN];
    const float *fetch = p->fetch ? p->fetch : p->a;
    bool low = p->height > HALF, add = p->add;
    int64_t done = 0;
    do {
        int64_t left = p->count - done, count = left < MOST_RUNS * RUN ? left : MOST_RUNS * RUN;
        const int32_t *pair = p->pair + 2 * done;
        for (int64_t k = 0; k < count; k += RUN, fetch += RUN * URSA_FETCH_STEP) {
            fetch_run(fetch);
            turn_pairs(p, pair + 2 * k, count - k < RUN ? count - k : RUN, turned + k * ROWS);
        }
        for (int column = 0; column < p->width; column += COLUMNS) {
            int width = p->width - column < COLUMNS ? p->width - column : COLUMNS;
            if (low && width > HALF)
                pairs_body(p, pair, count, column, width, turned, add, true, true);
            else if (low)
                pairs_body(p, pair, count, column, width, turned, add, true, false);
            else if (width > HALF)
                pairs_body(p, pair, count, column, width, turned, add, false, true);
            else
                pairs_body(p, pair, count, column, width, turned, add, false, false);
        }
        done += count;
        add = true;
    } while (done < p->count);
}

static void begin(void)
{
    amx_begin();
}

static void end(void)
{
    _tile_release();
}

/* What packs for them is in gemm_half.c. */
const struct ursa_simd_gemm SIMD(ursa_simd_gemm) = {.tile = tile, .pairs = pairs, .begin = begin, .end = end};

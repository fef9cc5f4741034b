/* cpu_tile.cl — the product of two tiles on processors, for the matrix product
 * (cpu_gemm.cl) and the convolutions (cpu_conv.cl).
 *
 * A processor runs the items of a group one after the other, so a group is a
 * single item here. It computes up to ROWS × COLUMNS results, DEPTH terms at a
 * time, in blocks of BLOCK_ROWS rows × two vectors, which fit the registers; its
 * tiles stay in the caches. Only what exists is computed, so that one size
 * of tile does for all shapes, and types are arguments: a branch for every
 * vector that is loaded costs less than another program to compile.
 *
 * The left tile holds row r, term k at r LEFT_ROW + k LEFT_TERM. The right one is a
 * row of strips of STRIP columns, each with its terms one after the other.
 */
#include "factor.cl"

#define STRIP 16
#define BLOCK_ROWS 6
#define DOWN       (ROWS / BLOCK_ROWS)
#define STRIPS     (COLUMNS / STRIP)

#ifdef LEFT_ALONG_K
#define LEFT_ROW  DEPTH
#define LEFT_TERM 1
#else
#define LEFT_ROW  1
#define LEFT_TERM ROWS
#endif

typedef struct types {
    int left, right, out, factor;
} types;

static inline float8 rounded8(float8 v, int type, int factor)
{
    if (type == factor || factor == TYPE_F32)
        return v;
    float each[8];
    vstore8(v, 0, each);
    for (int l = 0; l < 8; l++)
        each[l] = rounded(each[l], type, factor);
    return vload8(0, each);
}

static inline float8 load8(global const void *p, int i, int type, int factor)
{
    if (type == TYPE_F32)
        return rounded8(vload8(0, (global const float *)p + i), type, factor);
    if (type == TYPE_F16)
        return vload_half8(0, (global const half *)p + i);
    return as_float8(convert_uint8(vload8(0, (global const ushort *)p + i)) << 16);
}

static inline float load1(global const void *p, int i, int type, int factor)
{
    return rounded(element_load(p, i, type), type, factor);
}

/* `count` neighbours, from an array to a tile. */
static inline void copy_line(local float *to, global const void *from, int i, int count, int type, int factor)
{
    int l = 0;
    for (; l + 8 <= count; l += 8)
        vstore8(load8(from, i + l, type, factor), 0, to + l);
    for (; l < count; l++)
        to[l] = load1(from, i + l, type, factor);
}

static inline void zero_line(local float *to, int from, int end)
{
    for (int l = from; l < end; l++)
        to[l] = 0.0f;
}

/* Blocks and strips are computed whole: what fills them up must be there. */
#define whole_blocks(rows)    (((rows) + BLOCK_ROWS - 1) / BLOCK_ROWS * BLOCK_ROWS)
#define whole_strips(columns) (((columns) + STRIP - 1) / STRIP * STRIP)

typedef struct block {
    float8 sum[BLOCK_ROWS][2];
} block;

static inline void blocks_clear(block *blocks, int rows, int columns)
{
    for (int strip = 0; strip * STRIP < columns; strip++)
        for (int down = 0; down * BLOCK_ROWS < rows; down++)
            for (int r = 0; r < BLOCK_ROWS; r++)
                blocks[strip * DOWN + down].sum[r][0] = blocks[strip * DOWN + down].sum[r][1] = (float8)(0.0f);
}

/* One block += the product; a macro for tiles in either memory. */
#define BLOCK_MULTIPLY(b, row, column, terms)                                                                          \
    for (int k = 0; k < (terms); k++) {                                                                                \
        float8 c0 = vload8(0, (column) + k * STRIP), c1 = vload8(0, (column) + k * STRIP + 8);                         \
        _Pragma("unroll") for (int r = 0; r < BLOCK_ROWS; r++)                                                         \
        {                                                                                                              \
            float8 x = (float8)((row)[r * LEFT_ROW + k * LEFT_TERM]);                                                  \
            (b).sum[r][0] = x * c0 + (b).sum[r][0]; /* contracted to one instruction */                                \
            (b).sum[r][1] = x * c1 + (b).sum[r][1];                                                                    \
        }                                                                                                              \
    }

/* `strip_size`: from one strip of the right factor to the next. */
#define BLOCKS_MULTIPLY(blocks, left, right, strip_size, rows, columns, terms)                                         \
    for (int strip = 0; strip * STRIP < (columns); strip++)                                                            \
        for (int down = 0; down * BLOCK_ROWS < (rows); down++) {                                                       \
            block b = (blocks)[strip * DOWN + down];                                                                   \
            BLOCK_MULTIPLY(b, (left) + down * BLOCK_ROWS * LEFT_ROW, (right) + strip * (strip_size), terms)            \
            (blocks)[strip * DOWN + down] = b;                                                                         \
        }

/* Puts 8 sums into the result, behind the bias, where there is one, and the
 * activation; `count` of its elements exist, which may be none. */
static inline void finish8(float8 v, global void *out, int at, int count, int type, global const float *bias, int relu)
{
    float each[8];
    if (count <= 0)
        return;
    if (bias && count >= 8)
        v += vload8(0, bias);
    if (bias && count < 8) {
        for (int l = 0; l < 8; l++)
            each[l] = l < count ? bias[l] : 0.0f;
        v += vload8(0, each);
    }
    if (relu)
        v = select(v, (float8)(0.0f), v < 0.0f); /* stays not a number */
    if (count >= 8 && type == TYPE_F32) {
        vstore8(v, 0, (global float *)out + at);
        return;
    }
    vstore8(v, 0, each);
    for (int l = 0; l < 8 && l < count; l++)
        element_store(out, at + l, type, each[l]);
}

/* tile.cl — the product of two tiles in local memory, from which the matrix
 * product (gemm.cl) and the convolutions (conv.cl) of GPUs are made. They differ
 * in where they find the factors and where they put the result.
 *
 * A group of ITEMS_DOWN × ITEMS_ACROSS work items computes ROWS × COLUMNS
 * results, DEPTH terms at a time; each item keeps some of them in registers. There
 * are two pairs of tiles: while one is multiplied, the next is on its way from global
 * memory to the registers, and then to the other pair, so that there is one barrier
 * for DEPTH terms. A kernel fetches, and tiles_turn() does the rest:
 *
 *     for (int step = 0; step <= steps; step++) {
 *         if (step < steps)
 *             … left_next[slot] = …, right_next[slot] = … for all slots
 *         tiles_turn(&b, item, step, steps, left, right, left_next, right_next);
 *     }
 *
 * How tiles lie in local memory and are multiplied is the matter of float_tile.cl or, where
 * an instruction multiplies matrices of halves (-DMMA), of matrix_tile.cl. Either has
 *     cell         16 bytes of local memory; LEFT_SIZE and RIGHT_SIZE of them are a tile
 *     left_put()   stores what was fetched for a slot, right_put() as well
 *     block        the results of an item, with block_clear() and block_multiply(): row
 *                  block_row(item, r) of the tile, for r < BLOCK_ROWS, and there the four columns from
 *                  block_column(item, j), for j < FOURS, are block_four(&b, r, j)
 *
 * A factor is read in vectors of LEFT_V or RIGHT_V elements, 16 bytes where its
 * shape permits, along the axis that is contiguous in memory: along the terms
 * with -DLEFT_ALONG_K, -DRIGHT_ALONG_K, else along rows and columns. What lies outside
 * the matrices is zero.
 *
 * LEFT_TYPE, RIGHT_TYPE and OUT_TYPE are what is stored, FACTOR what both are
 * rounded to (factor.cl).
 */
#include "factor.cl"

#define GROUP_SIZE (ITEMS_DOWN * ITEMS_ACROSS)

/* Vectors side by side, and such lines. */
#ifdef LEFT_ALONG_K
#define LEFT_IS_ALONG_K true
#define LEFT_ACROSS     (DEPTH / LEFT_V)
#define LEFT_DOWN       ROWS
#else
#define LEFT_IS_ALONG_K false
#define LEFT_ACROSS     (ROWS / LEFT_V)
#define LEFT_DOWN       DEPTH
#endif
#ifdef RIGHT_ALONG_K
#define RIGHT_IS_ALONG_K true
#define RIGHT_ACROSS     (DEPTH / RIGHT_V)
#define RIGHT_DOWN       COLUMNS
#else
#define RIGHT_IS_ALONG_K false
#define RIGHT_ACROSS     (COLUMNS / RIGHT_V)
#define RIGHT_DOWN       DEPTH
#endif

/* An item fetches the vector at `across` in each of SLOTS lines, STEP apart. */
#define LEFT_STEP  (GROUP_SIZE / LEFT_ACROSS)
#define RIGHT_STEP (GROUP_SIZE / RIGHT_ACROSS)

/* ---- vectors as they are stored -------------------------------------------- */

#if LEFT_TYPE == TYPE_F32
typedef float left_element;
#define LEFT_NAME float
#else
typedef ushort left_element;
#define LEFT_NAME ushort
#endif
#if LEFT_V == 1
typedef left_element left_vector;
#else
typedef PASTE(LEFT_NAME, LEFT_V) left_vector;
#endif
#if RIGHT_TYPE == TYPE_F32
typedef float right_element;
#define RIGHT_NAME float
#else
typedef ushort right_element;
#define RIGHT_NAME ushort
#endif
#if RIGHT_V == 1
typedef right_element right_vector;
#else
typedef PASTE(RIGHT_NAME, RIGHT_V) right_vector;
#endif
#define left_load(p)  (*(global const left_vector *)(p))
#define right_load(p) (*(global const right_vector *)(p))

/* ---- tiles in local memory --------------------------------------------------- */

#ifdef MMA
#include "matrix_tile.cl"
#else
#include "float_tile.cl"
#endif

/* One turn of the loop over the terms: multiplies what the turn before put into one pair of
 * tiles, and puts what was fetched for this one into the other. */
static inline void tiles_turn(block *b, int item, int step, int steps, local cell *left, local cell *right,
                              const left_vector *left_next, const right_vector *right_next)
{
    local cell *to_left = left + (step & 1) * LEFT_SIZE, *to_right = right + (step & 1) * RIGHT_SIZE;
    if (step > 0)
        block_multiply(b, item, step, left, right);
    if (step < steps) {
#pragma unroll
        for (int slot = 0; slot < LEFT_SLOTS; slot++)
            left_put(to_left, item, slot, left_next + slot);
#pragma unroll
        for (int slot = 0; slot < RIGHT_SLOTS; slot++)
            right_put(to_right, item, slot, right_next + slot);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

/* ---- the result ------------------------------------------------------------- */

/* max(x, 0), and what is not a number stays so. */
static inline float4 relu4(float4 v)
{
    return select(v, (float4)(0.0f), v < 0.0f);
}

/* Four sums become elements at … at + 3 of the result, of which `count` exist;
 * with OUT_V 4 that is all of them or none, at a multiple of four. */
static inline void finish4(float4 v, global void *out, int at, int count)
{
    if (count <= 0)
        return;
#if OUT_V == 4
#if OUT_TYPE == TYPE_F32
    *(global float4 *)((global float *)out + at) = v;
#else
    *(global ushort4 *)((global ushort *)out + at) =
        (ushort4)(half_of(v.x, OUT_TYPE), half_of(v.y, OUT_TYPE), half_of(v.z, OUT_TYPE), half_of(v.w, OUT_TYPE));
#endif
#else
    const float each[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int l = 0; l < 4; l++)
        if (l < count)
            element_store(out, at + l, OUT_TYPE, each[l]);
#endif
}

/* Elements at … at + 3 of an array of floats, of which `count` exist. */
static inline float4 four_of(global const float *p, int count)
{
    return (float4)(p[0], count > 1 ? p[1] : 0.0f, count > 2 ? p[2] : 0.0f, count > 3 ? p[3] : 0.0f);
}

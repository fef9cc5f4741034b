/* tile.cl — the product of two tiles in local memory, from which the matrix
 * product (gemm.cl) and the convolutions (conv.cl) of GPUs are made. They differ
 * in where they find the factors and where they put the result.
 *
 * A group of ITEMS_DOWN × ITEMS_ACROSS work items computes ROWS × COLUMNS
 * results, DEPTH terms at a time; each item keeps BLOCK_ROWS × BLOCK_COLUMNS of
 * them in registers. There are two pairs of tiles: while one is multiplied, the
 * next is on its way from global memory to the registers, and then to the other
 * pair, so that there is one barrier for DEPTH terms.
 *
 * A factor is read in vectors of LEFT_V or RIGHT_V elements, 16 bytes where its
 * shape permits, along the axis that is contiguous in memory: along the terms
 * with -DLEFT_ALONG_K, -DRIGHT_ALONG_K, else along rows and columns. In local
 * memory both lie along rows and columns, as floats, so that four are read at
 * once. What lies outside the matrices is zero.
 *
 * UNROLL is how many terms the loop takes at once: some compilers bring what all of them
 * read into registers first, and run out of those.
 *
 * LEFT_TYPE, RIGHT_TYPE and OUT_TYPE are what is stored, FACTOR what both are
 * rounded to (factor.cl).
 */
#include "factor.cl"

#define GROUP_SIZE    (ITEMS_DOWN * ITEMS_ACROSS)
#define BLOCK_ROWS    (ROWS / ITEMS_DOWN)
#define BLOCK_COLUMNS (COLUMNS / ITEMS_ACROSS)
#define FOURS         (BLOCK_COLUMNS / 4)

/* Where the items of a group store along the terms, they store far apart: lines
 * that are four longer lie in other banks. */
#ifdef LEFT_ALONG_K
#define LEFT_LINE   (ROWS + 4)
#define LEFT_ACROSS (DEPTH / LEFT_V) /* vectors side by side */
#define LEFT_DOWN   ROWS
#else
#define LEFT_LINE   ROWS
#define LEFT_ACROSS (ROWS / LEFT_V)
#define LEFT_DOWN   DEPTH
#endif
#ifdef RIGHT_ALONG_K
#define RIGHT_LINE   (COLUMNS + 4)
#define RIGHT_ACROSS (DEPTH / RIGHT_V)
#define RIGHT_DOWN   COLUMNS
#else
#define RIGHT_LINE   COLUMNS
#define RIGHT_ACROSS (COLUMNS / RIGHT_V)
#define RIGHT_DOWN   DEPTH
#endif
#define LEFT_SIZE  (LEFT_LINE * DEPTH / 4) /* of a tile, in fours */
#define RIGHT_SIZE (RIGHT_LINE * DEPTH / 4)

/* An item fetches the vector at `across` in each of SLOTS lines, STEP apart. */
#define LEFT_STEP   (GROUP_SIZE / LEFT_ACROSS)
#define LEFT_SLOTS  ((LEFT_DOWN + LEFT_STEP - 1) / LEFT_STEP)
#define RIGHT_STEP  (GROUP_SIZE / RIGHT_ACROSS)
#define RIGHT_SLOTS ((RIGHT_DOWN + RIGHT_STEP - 1) / RIGHT_STEP)
#define left_across(item)        ((item) % LEFT_ACROSS)
#define left_down(item, slot)    ((item) / LEFT_ACROSS + (slot) * LEFT_STEP)
#define right_across(item)       ((item) % RIGHT_ACROSS)
#define right_down(item, slot)   ((item) / RIGHT_ACROSS + (slot) * RIGHT_STEP)
#define left_exists(item, slot)  (LEFT_DOWN % LEFT_STEP == 0 || left_down(item, slot) < LEFT_DOWN)
#define right_exists(item, slot) (RIGHT_DOWN % RIGHT_STEP == 0 || right_down(item, slot) < RIGHT_DOWN)

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

/* ---- into local memory ------------------------------------------------------ */

/* Puts V neighbours along the terms into lines that are `line` long. */
static inline void put_along_k(local float *tile, const float *each, int v, int line)
{
#pragma unroll
    for (int l = 0; l < v; l++)
        tile[l * line] = each[l];
}

static inline void put_along_line(local float *tile, const float *each, int v)
{
    if (v == 1)
        tile[0] = each[0];
#pragma unroll
    for (int l = 0; l + 4 <= v; l += 4)
        ((local float4 *)tile)[l / 4] = (float4)(each[l], each[l + 1], each[l + 2], each[l + 3]);
}

static inline void left_put(local float4 *tile, int item, int slot, left_vector vector)
{
    const left_element *element = (const left_element *)&vector;
    float each[LEFT_V];
#pragma unroll
    for (int l = 0; l < LEFT_V; l++)
#if LEFT_TYPE == TYPE_F32
        each[l] = rounded(element[l], LEFT_TYPE, FACTOR);
#else
        each[l] = float_of(element[l], LEFT_TYPE);
#endif
    if (!left_exists(item, slot))
        return;
#ifdef LEFT_ALONG_K
    put_along_k((local float *)tile + left_across(item) * LEFT_V * LEFT_LINE + left_down(item, slot), each, LEFT_V,
                LEFT_LINE);
#else
    put_along_line((local float *)tile + left_down(item, slot) * LEFT_LINE + left_across(item) * LEFT_V, each, LEFT_V);
#endif
}

static inline void right_put(local float4 *tile, int item, int slot, right_vector vector)
{
    const right_element *element = (const right_element *)&vector;
    float each[RIGHT_V];
#pragma unroll
    for (int l = 0; l < RIGHT_V; l++)
#if RIGHT_TYPE == TYPE_F32
        each[l] = rounded(element[l], RIGHT_TYPE, FACTOR);
#else
        each[l] = float_of(element[l], RIGHT_TYPE);
#endif
    if (!right_exists(item, slot))
        return;
#ifdef RIGHT_ALONG_K
    put_along_k((local float *)tile + right_across(item) * RIGHT_V * RIGHT_LINE + right_down(item, slot), each,
                RIGHT_V, RIGHT_LINE);
#else
    put_along_line((local float *)tile + right_down(item, slot) * RIGHT_LINE + right_across(item) * RIGHT_V, each,
                   RIGHT_V);
#endif
}

/* ---- the product ------------------------------------------------------------ */

/* Neighbouring items form squares, not lines: what 32 of them read of both tiles
 * is less then, and comes from different banks. */
#if ITEMS_ACROSS % 8 == 0 && ITEMS_DOWN % 4 == 0
#define item_across(item) ((item) % 8 + (item) / 32 % (ITEMS_ACROSS / 8) * 8)
#define item_down(item)   ((item) / 8 % 4 + (item) / 32 / (ITEMS_ACROSS / 8) * 4)
#else
#define item_across(item) ((item) % ITEMS_ACROSS)
#define item_down(item)   ((item) / ITEMS_ACROSS)
#endif

/* Row r of an item's block in the tile, and the first column of its four j. */
#define block_row(item, r)    (((r) / 4 * ITEMS_DOWN + item_down(item)) * 4 + (r) % 4)
#define block_column(item, j) (((j)*ITEMS_ACROSS + item_across(item)) * 4)

typedef struct block {
    float4 sum[BLOCK_ROWS][FOURS];
} block;

static inline void block_clear(block *b)
{
#pragma unroll
    for (int r = 0; r < BLOCK_ROWS; r++)
#pragma unroll
        for (int j = 0; j < FOURS; j++)
            b->sum[r][j] = (float4)(0.0f);
}

static inline void block_multiply(block *b, int item, local const float4 *left, local const float4 *right)
{
#pragma unroll UNROLL
    for (int k = 0; k < DEPTH; k++) {
        float row[BLOCK_ROWS];
        float4 column[FOURS];
#pragma unroll
        for (int r = 0; r < BLOCK_ROWS; r += 4) {
            float4 four = left[k * (LEFT_LINE / 4) + block_row(item, r) / 4];
            row[r] = four.x, row[r + 1] = four.y, row[r + 2] = four.z, row[r + 3] = four.w;
        }
#pragma unroll
        for (int j = 0; j < FOURS; j++)
            column[j] = right[k * (RIGHT_LINE / 4) + block_column(item, j) / 4];
#pragma unroll
        for (int r = 0; r < BLOCK_ROWS; r++)
#pragma unroll
            for (int j = 0; j < FOURS; j++)
                b->sum[r][j] = (float4)(row[r]) * column[j] + b->sum[r][j]; /* contracted to one instruction */
    }
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

/* float_tile.cl — tiles as floats in local memory, for tile.cl. Both lie along rows and
 * columns, so that four are read at once; an item computes BLOCK_ROWS × BLOCK_COLUMNS
 * results.
 *
 * UNROLL is how many terms the loop takes at once: some compilers bring what all of them
 * read into registers first, and run out of those.
 */
#define BLOCK_ROWS    (ROWS / ITEMS_DOWN)
#define BLOCK_COLUMNS (COLUMNS / ITEMS_ACROSS)
#define FOURS         (BLOCK_COLUMNS / 4)

typedef float4 cell;

#define SUBGROUP_OF_LANES /* of any size */

/* Where the items of a group store along the terms, they store far apart: lines
 * that are four longer lie in other banks. */
#ifdef LEFT_ALONG_K
#define LEFT_LINE (ROWS + 4)
#else
#define LEFT_LINE ROWS
#endif
#ifdef RIGHT_ALONG_K
#define RIGHT_LINE (COLUMNS + 4)
#else
#define RIGHT_LINE COLUMNS
#endif
#define LEFT_SIZE  (LEFT_LINE * DEPTH / 4)
#define RIGHT_SIZE (RIGHT_LINE * DEPTH / 4)

#define LEFT_SLOTS               ((LEFT_DOWN + LEFT_STEP - 1) / LEFT_STEP)
#define RIGHT_SLOTS              ((RIGHT_DOWN + RIGHT_STEP - 1) / RIGHT_STEP)
#define left_across(item)        ((item) % LEFT_ACROSS)
#define left_down(item, slot)    ((item) / LEFT_ACROSS + (slot)*LEFT_STEP)
#define right_across(item)       ((item) % RIGHT_ACROSS)
#define right_down(item, slot)   ((item) / RIGHT_ACROSS + (slot)*RIGHT_STEP)
#define left_exists(item, slot)  (LEFT_DOWN % LEFT_STEP == 0 || left_down(item, slot) < LEFT_DOWN)
#define right_exists(item, slot) (RIGHT_DOWN % RIGHT_STEP == 0 || right_down(item, slot) < RIGHT_DOWN)

/* ---- into local memory ------------------------------------------------------ */

/* An element of either type as it is multiplied. (Decided within a function, the types keep what was fetched in memory,
 * on AMD and NVIDIA.) */
#if LEFT_TYPE == TYPE_F32
#define LEFT_FLOAT(x) rounded(x, LEFT_TYPE, FACTOR)
#else
#define LEFT_FLOAT(x) float_of(x, LEFT_TYPE)
#endif
#if RIGHT_TYPE == TYPE_F32
#define RIGHT_FLOAT(x) rounded(x, RIGHT_TYPE, FACTOR)
#else
#define RIGHT_FLOAT(x) float_of(x, RIGHT_TYPE)
#endif

/* Puts V elements at `across` in line `down`; what are neighbours along the terms goes into lines that are `line`
 * long. */
static inline void put(local cell *tile, const float *each, int v, bool along_k, int across, int down, int line)
{
    local float *to = (local float *)tile + (along_k ? across * v * line + down : down * line + across * v);
    if (along_k || v == 1)
#pragma unroll
        for (int l = 0; l < v; l++)
            to[l * line] = each[l];
    else
#pragma unroll
        for (int l = 0; l + 4 <= v; l += 4)
            ((local float4 *)to)[l / 4] = (float4)(each[l], each[l + 1], each[l + 2], each[l + 3]);
}

static inline void left_put(local cell *tile, int item, int slot, const left_vector *next)
{
    const left_element *element = (const left_element *)next;
    float each[LEFT_V];
#pragma unroll
    for (int l = 0; l < LEFT_V; l++)
        each[l] = LEFT_FLOAT(element[l]);
    if (left_exists(item, slot))
        put(tile, each, LEFT_V, LEFT_IS_ALONG_K, left_across(item), left_down(item, slot), LEFT_LINE);
}

static inline void right_put(local cell *tile, int item, int slot, const right_vector *next)
{
    const right_element *element = (const right_element *)next;
    float each[RIGHT_V];
#pragma unroll
    for (int l = 0; l < RIGHT_V; l++)
        each[l] = RIGHT_FLOAT(element[l]);
    if (right_exists(item, slot))
        put(tile, each, RIGHT_V, RIGHT_IS_ALONG_K, right_across(item), right_down(item, slot), RIGHT_LINE);
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

#define block_four(b, r, j) ((b)->sum[r][j])

static inline void block_clear(block *b)
{
#pragma unroll
    for (int r = 0; r < BLOCK_ROWS; r++)
#pragma unroll
        for (int j = 0; j < FOURS; j++)
            b->sum[r][j] = (float4)(0.0f);
}

/* Multiplies the pair of tiles that was put in the step before this one. */
static inline void block_multiply(block *b, int item, int step, local const cell *left, local const cell *right)
{
    left += (~step & 1) * LEFT_SIZE;
    right += (~step & 1) * RIGHT_SIZE;
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

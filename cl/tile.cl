/* tile.cl — the product of two tiles in local memory, from which the matrix
 * product (gemm.cl) and the convolutions (conv.cl) are made. They differ in
 * how they fill the tiles and where they put the result.
 *
 * A group computes ROWS × COLUMNS results, DEPTH terms at a time. Its
 * ITEMS_DOWN × ITEMS_ACROSS work items share the two tiles, and each keeps
 * SUB_DOWN × SUB_ACROSS blocks of BLOCK_ROWS rows × BLOCK_VECTORS vectors of
 * LANES columns in registers.
 *
 * A GPU has many work items with one block each. A CPU runs the items of a
 * group one after the other, so there a group is a single item that walks over
 * many blocks: the same loops, with its tiles in the cache.
 *
 * The left tile holds row r, term k at r LEFT_ROW + k LEFT_TERM; the right one
 * term k, column c at k COLUMNS + c. What lies outside the matrices is zero.
 * LEFT_TERM is 1, or ROWS and one more to keep a GPU from storing what it loads
 * along K into a single bank of local memory.
 *
 * With -DPARTIAL only the blocks and terms that exist are loaded and computed,
 * so that one size of tile does for matrices of every size.
 */
#include "lanes.cl"

#define GROUP_SIZE (ITEMS_DOWN * ITEMS_ACROSS)
#define SUB_DOWN (ROWS / (ITEMS_DOWN * BLOCK_ROWS))
#define SUB_ACROSS (COLUMNS / (ITEMS_ACROSS * BLOCK_VECTORS * LANES))
#define BLOCKS (SUB_DOWN * SUB_ACROSS)

#if LEFT_TERM == 1
#define LEFT_ROW DEPTH
#define LEFT_SIZE (ROWS * LEFT_ROW)
#else
#define LEFT_ROW 1
#define LEFT_SIZE (DEPTH * LEFT_TERM)
#endif
#define RIGHT_SIZE (DEPTH * COLUMNS)

#ifdef FP_FAST_FMAF
#define multiply_add(x, y, z) fma(x, y, z)
#else
#define multiply_add(x, y, z) mad(x, y, z)
#endif

/* How much of an extent to compute: all, or whole steps of what there is. */
#ifdef PARTIAL
#define used_of(extent, step, all) min(((extent) + (step)-1) / (step) * (step), all)
#else
#define used_of(extent, step, all) (all)
#endif
#define used_rows(rows) used_of(rows, BLOCK_ROWS, ROWS)
#define used_columns(columns) used_of(columns, BLOCK_VECTORS *LANES, COLUMNS)

/* Work item `item` goes through its share of a tile of `down` × `across` parts,
 * the latter at most `most`; all sizes that a GPU uses are powers of two. */
#define items_across(most) (GROUP_SIZE < (most) ? GROUP_SIZE : (most))
#define EACH_PART(i, down, j, across, most)                                                                            \
    for (int i = item / items_across(most); i < (down); i += GROUP_SIZE / items_across(most))                         \
        for (int j = item % items_across(most); j < (across); j += items_across(most))

typedef struct block {
    lanes sum[BLOCK_ROWS][BLOCK_VECTORS];
} block;

/* The first row of a block, and the first column of one of its vectors. */
#define block_row(sub) (((sub) * ITEMS_DOWN + (int)get_local_id(0) / ITEMS_ACROSS) * BLOCK_ROWS)
#define block_column(sub, vector)                                                                                      \
    ((((sub) * BLOCK_VECTORS + (vector)) * ITEMS_ACROSS + (int)get_local_id(0) % ITEMS_ACROSS) * LANES)

static inline void tiles_clear(int rows, int columns, block *blocks)
{
    for (int across = 0; across < SUB_ACROSS && block_column(across, 0) < columns; across++)
        for (int down = 0; down < SUB_DOWN && block_row(down) < rows; down++)
            for (int r = 0; r < BLOCK_ROWS; r++)
                for (int v = 0; v < BLOCK_VECTORS; v++)
                    blocks[across * SUB_DOWN + down].sum[r][v] = (lanes)(0.0f);
}

static inline void tiles_multiply(local const float *left, local const float *right, int rows, int columns, int terms,
                                  block *blocks)
{
    for (int across = 0; across < SUB_ACROSS && block_column(across, 0) < columns; across++)
        for (int down = 0; down < SUB_DOWN && block_row(down) < rows; down++) {
            local const float *l = left + block_row(down) * LEFT_ROW;
            block b = blocks[across * SUB_DOWN + down];
            for (int k = 0; k < terms; k++) {
                lanes column[BLOCK_VECTORS];
#pragma unroll
                for (int v = 0; v < BLOCK_VECTORS; v++)
                    column[v] = lanes_load(right + k * COLUMNS + block_column(across, v));
#pragma unroll
                for (int r = 0; r < BLOCK_ROWS; r++) {
                    lanes row = (lanes)(l[r * LEFT_ROW + k * LEFT_TERM]);
#pragma unroll
                    for (int v = 0; v < BLOCK_VECTORS; v++)
                        b.sum[r][v] = multiply_add(row, column[v], b.sum[r][v]);
                }
            }
            blocks[across * SUB_DOWN + down] = b;
        }
}

/* tile_moments.cl — of a tile of results (tile.cl), the mean of every column and Σ(x - mean)²: what batch norm asks of a
 * convolution, from the registers that hold it. First the items add up their own rows, then those of a column are added,
 * for the mean and then for the squares: nothing cancels.
 */

#define LINE_FOURS (COLUMNS / 4)

/* The sums of all items of the group go where tiles were: to the larger pair. */
#if LEFT_SIZE > RIGHT_SIZE
#define LARGER_SIZE               LEFT_SIZE
#define larger_tiles(left, right) (left)
#else
#define LARGER_SIZE               RIGHT_SIZE
#define larger_tiles(left, right) (right)
#endif
#if ITEMS_DOWN * LINE_FOURS > 2 * LARGER_SIZE
#error "the sums of the items do not fit the tiles' memory"
#endif

/* The sums of all items of a column: four c of the tile in each[c]. */
static inline void add_down(const float4 *mine, int item, local float4 *each)
{
    barrier(CLK_LOCAL_MEM_FENCE); /* what was there has been read */
#pragma unroll
    for (int j = 0; j < FOURS; j++)
        each[item_down(item) * LINE_FOURS + block_column(item, j) / 4] = mine[j];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int c = item; c < LINE_FOURS; c += GROUP_SIZE) {
        float4 sum = each[c];
        for (int down = 1; down < ITEMS_DOWN; down++)
            sum += each[down * LINE_FOURS + c];
        each[c] = sum;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

static inline void store_four(float4 v, global float *p, int count)
{
    const float each[4] = {v.x, v.y, v.z, v.w};
    for (int l = 0; l < 4 && l < count; l++)
        p[l] = each[l];
}

/* `rows` and `columns` of the tile exist; `bias` of its first column, or 0, is in the mean. `each`: larger_tiles(). */
static inline void tile_moments(const block *b, int item, int rows, int columns, global const float *bias,
                                local float4 *each, global float *mean, global float *squares)
{
    float4 mine[FOURS], average[FOURS];
#pragma unroll
    for (int j = 0; j < FOURS; j++) {
        mine[j] = (float4)(0.0f);
#pragma unroll
        for (int r = 0; r < BLOCK_ROWS; r++)
            if (block_row(item, r) < rows)
                mine[j] += block_four(b, r, j);
    }
    add_down(mine, item, each);
#pragma unroll
    for (int j = 0; j < FOURS; j++) {
        average[j] = each[block_column(item, j) / 4] / (float)rows;
        mine[j] = (float4)(0.0f);
#pragma unroll
        for (int r = 0; r < BLOCK_ROWS; r++)
            if (block_row(item, r) < rows) {
                float4 d = block_four(b, r, j) - average[j];
                mine[j] += d * d;
            }
        int c = block_column(item, j), count = columns - c;
        if (item_down(item) == 0 && count > 0)
            store_four(bias ? average[j] + four_of(bias + c, count) : average[j], mean + c, count);
    }
    add_down(mine, item, each);
    for (int c = item; c < LINE_FOURS; c += GROUP_SIZE)
        store_four(each[c], squares + c * 4, columns - c * 4);
}

/* gemm.cl — the batched matrix product for what CLBlast does not do: bias and
 * activation in one go, broadcast batches, small matrices, and all of it where
 * CLBlast is not installed. The tiles are those of tile.cl.
 *
 *     X_ACROSS   neighbours in memory are neighbours along K in x (else along M)
 *     Y_ACROSS   … along N in y (else along K)
 */
#include "common.cl"
#include "tile.cl"

/* The twin of struct gemm_shape in gemm.c. */
typedef struct gemm_shape {
    int m, n, k;
    int x_stride, y_stride; /* of the axis whose neighbours are not neighbours in memory */
    int x_batch, y_batch;
} gemm_shape;

kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
gemm(INPUT(f32, x), INPUT(f32, y), INPUT(f32, bias), OUTPUT(f32, out), gemm_shape s, float alpha,
                 float beta)
{
    local float left[LEFT_SIZE], right[RIGHT_SIZE];

    int item = (int)get_local_id(0), batch = (int)get_group_id(2);
    int first_row = (int)get_group_id(0) * ROWS, first_column = (int)get_group_id(1) * COLUMNS;
    int rows = s.m - first_row, columns = s.n - first_column;
    LOCATE(x);
    LOCATE(y);
    LOCATE(bias);
    LOCATE(out);
    x += batch * s.x_batch;
    y += batch * s.y_batch;
    if (bias)
        bias += first_column;

    int rows_used = used_rows(rows), columns_used = used_columns(columns);
    block blocks[BLOCKS];
    tiles_clear(rows_used, columns_used, blocks);
    for (int k = 0; k < s.k; k += DEPTH) {
        int depth = s.k - k, terms_used = used_of(depth, LANES, DEPTH);
        barrier(CLK_LOCAL_MEM_FENCE);
#ifdef X_ACROSS
        EACH_PART(r, rows_used, j, terms_used / LANES, DEPTH / LANES)
        {
            int t = j * LANES;
            lanes v = r < rows && t < depth ? lanes_load_some(x + (first_row + r) * s.x_stride + k + t, depth - t)
                                            : (lanes)(0.0f);
#if LEFT_TERM == 1
            lanes_store(v, left + r * LEFT_ROW + t);
#else
            float each[LANES];
            lanes_store(v, each);
            for (int l = 0; l < LANES; l++)
                left[(t + l) * LEFT_TERM + r] = each[l];
#endif
        }
#else
        EACH_PART(t, terms_used, j, (rows_used + LANES - 1) / LANES, ROWS / LANES)
        {
            int r = j * LANES;
            lanes v = r < rows && t < depth ? lanes_load_some(x + (k + t) * s.x_stride + first_row + r, rows - r)
                                            : (lanes)(0.0f);
            lanes_store(v, left + t * LEFT_TERM + r);
        }
#endif
#ifdef Y_ACROSS
        EACH_PART(t, terms_used, j, columns_used / LANES, COLUMNS / LANES)
        {
            int c = j * LANES;
            lanes v = t < depth && c < columns
                          ? lanes_load_some(y + (k + t) * s.y_stride + first_column + c, columns - c)
                          : (lanes)(0.0f);
            lanes_store(v, right + t * COLUMNS + c);
        }
#else
        EACH_PART(c, columns_used, j, terms_used / LANES, DEPTH / LANES)
        {
            int t = j * LANES;
            float each[LANES];
            lanes_store(c < columns && t < depth
                            ? lanes_load_some(y + (first_column + c) * s.y_stride + k + t, depth - t)
                            : (lanes)(0.0f),
                        each);
            for (int l = 0; l < LANES; l++)
                right[(t + l) * COLUMNS + c] = each[l];
        }
#endif
        barrier(CLK_LOCAL_MEM_FENCE);
        tiles_multiply(left, right, rows_used, columns_used, terms_used, blocks);
    }

    for (int down = 0; down < SUB_DOWN && block_row(down) < rows_used; down++)
        for (int r = 0; r < BLOCK_ROWS; r++) {
            int row = first_row + block_row(down) + r;
            if (row >= s.m)
                continue;
            global float *result = out + (batch * s.m + row) * s.n + first_column;
            for (int across = 0; across < SUB_ACROSS && block_column(across, 0) < columns_used; across++)
                for (int v = 0; v < BLOCK_VECTORS; v++) {
                    int c = block_column(across, v);
                    lanes sum = alpha * blocks[across * SUB_DOWN + down].sum[r][v];
                    if (beta != 0.0f && c < columns)
                        sum += beta * lanes_load_some(result + c, columns - c);
                    lanes_finish(sum, result + c, bias ? bias + c : bias, columns - c);
                }
        }
}

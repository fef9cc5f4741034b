/* gemm.cl — the batched matrix product on GPUs: any strides, bias and activation
 * in one go. See tile.cl for the tiles. x is read along K with -DLEFT_ALONG_K,
 * else along M; y along K with -DRIGHT_ALONG_K, else along N.
 */
#include "common.cl"
#include "tile.cl"

/* The twin of struct gemm_shape in gemm.c. */
typedef struct gemm_shape {
    int m, n, k;
    int x_stride, y_stride; /* of the axis whose neighbours are not neighbours in memory */
    int x_batch, y_batch;
} gemm_shape;

/* Groups of axis 0 are tiles of rows, of axis 1 tiles of columns, of axis 2 the batch. */
kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) SUBGROUP_OF_LANES void
gemm(ARRAY(x), ARRAY(y), INPUT(f32, bias), RESULT(out), gemm_shape s, float alpha, float beta, int relu)
{
    local cell left[2 * LEFT_SIZE], right[2 * RIGHT_SIZE];
    int item = (int)get_local_id(0), batch = (int)get_group_id(2);
    int first_row = (int)get_group_id(0) * ROWS, first_column = (int)get_group_id(1) * COLUMNS;
    global const left_element *from_x = (global const left_element *)x + x_offset + batch * s.x_batch;
    global const right_element *from_y = (global const right_element *)y + y_offset + batch * s.y_batch;
    left_vector left_next[LEFT_SLOTS];
    right_vector right_next[RIGHT_SLOTS];

    block b;
    block_clear(&b);
    int steps = (s.k + DEPTH - 1) / DEPTH;
    for (int step = 0; step <= steps; step++) {
        int k = step * DEPTH;
        if (step < steps) {
#pragma unroll
            for (int slot = 0; slot < LEFT_SLOTS; slot++) {
#ifdef LEFT_ALONG_K
                int t = k + left_across(item) * LEFT_V, row = first_row + left_down(item, slot);
                int at = row * s.x_stride + t;
#else
                int t = k + left_down(item, slot), row = first_row + left_across(item) * LEFT_V;
                int at = t * s.x_stride + row;
#endif
                left_next[slot] = row < s.m && t < s.k ? left_load(from_x + at) : (left_vector)(0);
            }
#pragma unroll
            for (int slot = 0; slot < RIGHT_SLOTS; slot++) {
#ifdef RIGHT_ALONG_K
                int t = k + right_across(item) * RIGHT_V, column = first_column + right_down(item, slot);
                int at = column * s.y_stride + t;
#else
                int t = k + right_down(item, slot), column = first_column + right_across(item) * RIGHT_V;
                int at = t * s.y_stride + column;
#endif
                right_next[slot] = column < s.n && t < s.k ? right_load(from_y + at) : (right_vector)(0);
            }
        }
        tiles_turn(&b, item, step, steps, left, right, left_next, right_next);
    }

    LOCATE(bias);
    global void *result = (global char *)out + out_offset * TYPE_BYTES(OUT_TYPE);
#pragma unroll
    for (int r = 0; r < BLOCK_ROWS; r++) {
        int row = first_row + block_row(item, r);
        if (row >= s.m)
            continue;
        int to = (batch * s.m + row) * s.n;
#pragma unroll
        for (int j = 0; j < FOURS; j++) {
            int c = first_column + block_column(item, j), count = s.n - c;
            if (count <= 0)
                continue;
            float4 v = alpha * block_four(&b, r, j);
            if (beta != 0.0f)
                v += beta * (float4)(element_load(result, to + c, OUT_TYPE),
                                     count > 1 ? element_load(result, to + c + 1, OUT_TYPE) : 0.0f,
                                     count > 2 ? element_load(result, to + c + 2, OUT_TYPE) : 0.0f,
                                     count > 3 ? element_load(result, to + c + 3, OUT_TYPE) : 0.0f);
            if (bias)
                v += four_of(bias + c, count);
            finish4(relu ? relu4(v) : v, result, to + c, count);
        }
    }
}

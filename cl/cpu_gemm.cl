/* cpu_gemm.cl — the batched matrix product on processors: the twin of gemm.cl,
 * with the tiles of cpu_tile.cl. y comes packed into strips (product.cl).
 */
#include "common.cl"
#include "cpu_tile.cl"

/* The twin of struct gemm_shape in gemm.c. */
typedef struct gemm_shape {
    int m, n, k;
    int x_stride, y_stride; /* of the axis whose neighbours are not neighbours in memory; of y: its strips */
    int x_batch, y_batch;
} gemm_shape;

kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
gemm(ARRAY(x), ARRAY(y), INPUT(f32, bias), RESULT(out), gemm_shape s, float alpha, float beta, int relu, types types)
{
    local float left[ROWS * DEPTH];
    block blocks[DOWN * STRIPS];
    int batch = (int)get_group_id(2), first_row = (int)get_group_id(0) * ROWS;
    int first_column = (int)get_group_id(1) * COLUMNS;
    int rows = min(s.m - first_row, ROWS), columns = min(s.n - first_column, COLUMNS);
    int first_x = (int)x_offset + batch * s.x_batch;
    global const float *strips =
        (global const float *)y + y_offset + batch * s.y_batch + first_column / STRIP * s.y_stride;

    blocks_clear(blocks, rows, columns);
    for (int first = 0; first < s.k; first += DEPTH) {
        int terms = min(s.k - first, DEPTH);
#ifdef LEFT_ALONG_K
        for (int r = 0; r < rows; r++)
            copy_line(left + r * DEPTH, x, first_x + (first_row + r) * s.x_stride + first, terms, types.left,
                      types.factor);
        for (int r = rows; r < whole_blocks(rows); r++)
            zero_line(left + r * DEPTH, 0, terms);
#else
        for (int k = 0; k < terms; k++) {
            copy_line(left + k * ROWS, x, first_x + (first + k) * s.x_stride + first_row, rows, types.left,
                      types.factor);
            zero_line(left + k * ROWS, rows, whole_blocks(rows));
        }
#endif
        BLOCKS_MULTIPLY(blocks, left, strips + first * STRIP, s.y_stride, rows, columns, terms)
    }

    LOCATE(bias);
    for (int r = 0; r < rows; r++) {
        int to = (int)out_offset + (batch * s.m + first_row + r) * s.n + first_column;
        for (int strip = 0; strip * STRIP < columns; strip++)
            for (int v = 0; v < 2; v++) {
                int c = strip * STRIP + v * 8;
                float8 sum = alpha * blocks[strip * DOWN + r / BLOCK_ROWS].sum[r % BLOCK_ROWS][v];
                if (beta != 0.0f) {
                    float each[8];
                    for (int l = 0; l < 8; l++)
                        each[l] = c + l < columns ? element_load(out, to + c + l, types.out) : 0.0f;
                    sum += beta * vload8(0, each);
                }
                finish8(sum, out, to + c, columns - c, types.out, bias ? bias + first_column + c : bias, relu);
            }
    }
}

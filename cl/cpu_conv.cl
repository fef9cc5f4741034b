/* cpu_conv.cl — convolution and its gradients on processors; the twin of
 * conv.cl, with the tiles of cpu_tile.cl.
 */
#include "common.cl"
#include "cpu_tile.cl"
#include "conv_shape.cl"

/* Whether all taps of a row meet the image, at neighbouring pixels with all their channels: those are neighbours in
 * memory then, and one run. It is what makes the three channels of a picture cheap. */
static inline bool row_is_run(conv_shape s, pixel p)
{
    return s.tap_step[1] == 1 && s.depth == s.source_channels && p.x >= 0 && p.x + s.taps[1] <= s.source[1];
}

/* Terms from t on that are neighbours in memory. */
static inline int run_from(conv_shape s, term t, bool whole_row)
{
    return (whole_row ? s.taps[1] - t.x : 1) * s.depth - t.channel;
}

/* -DMOMENTS: see conv.cl. */
#ifdef MOMENTS
#define MOMENTS_ARGUMENT , OUTPUT(f32, moments)

/* The mean of every column of the blocks, with the bias, if any, and Σ(x - mean)². */
static inline void blocks_moments(const block *blocks, int rows, int columns, global const float *bias,
                                  global float *mean, global float *squares)
{
    for (int strip = 0; strip * STRIP < columns; strip++)
        for (int v = 0; v < 2; v++) {
            float8 sum = (float8)(0.0f), square = (float8)(0.0f);
            for (int r = 0; r < rows; r++)
                sum += blocks[strip * DOWN + r / BLOCK_ROWS].sum[r % BLOCK_ROWS][v];
            sum /= (float)rows;
            for (int r = 0; r < rows; r++) {
                float8 d = blocks[strip * DOWN + r / BLOCK_ROWS].sum[r % BLOCK_ROWS][v] - sum;
                square += d * d;
            }
            float means[8], all[8];
            vstore8(sum, 0, means);
            vstore8(square, 0, all);
            for (int l = 0, c = strip * STRIP + v * 8; l < 8 && c < columns; l++, c++) {
                mean[c] = bias ? means[l] + bias[c] : means[l];
                squares[c] = all[l];
            }
        }
}
#else
#define MOMENTS_ARGUMENT
#endif

#ifdef PRODUCT
/* Groups of axis 0 are tiles of pixels, of axis 1 tiles of channels, of axis 2 groups
 * of the convolution. */
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
conv_product(ARRAY(source), ARRAY(w), INPUT(f32, bias), RESULT(out), conv_shape s, int relu MOMENTS_ARGUMENT,
             types types)
{
    local float left[ROWS * DEPTH];
    block blocks[DOWN * STRIPS];
    int group = (int)get_group_id(2), first_row = (int)get_group_id(0) * ROWS;
    int first_column = (int)get_group_id(1) * COLUMNS;
    int rows = min(s.images * s.grid[0] * s.grid[1] - first_row, ROWS), columns = min(s.width - first_column, COLUMNS);
    int depth = s.taps[0] * s.taps[1] * s.depth, strip_size = s.w_tile;
    int first_source = (int)source_offset + group * s.depth;
    global const float *strips =
        (global const float *)w + w_offset + group * s.w_group + first_column / STRIP * strip_size;

    blocks_clear(blocks, rows, columns);
    for (int first = 0; first < depth; first += DEPTH) {
        int terms = min(depth - first, DEPTH);
        for (int r = 0; r < whole_blocks(rows); r++) {
            pixel p = pixel_of(s, first_row + r);
            term t = term_of(s, first);
            bool whole_row = row_is_run(s, p);
            for (int k = 0; k < terms;) { /* run by run */
                int at = source_at(s, p.base, p.y + t.y, p.x + t.x), count = min(run_from(s, t, whole_row), terms - k);
                if (at >= 0)
                    copy_line(left + r * DEPTH + k, source, first_source + at + t.channel, count, types.left,
                              types.factor);
                else
                    zero_line(left + r * DEPTH + k, 0, count);
                k += count;
                t.channel = 0;
                t.x += whole_row ? s.taps[1] - t.x : s.tap_step[1];
                if (t.x == s.taps[1] * s.tap_step[1])
                    t.x = 0, t.y += s.tap_step[0];
            }
        }
        BLOCKS_MULTIPLY(blocks, left, strips + first * STRIP, strip_size, rows, columns, terms)
    }

    LOCATE(bias);
#ifdef MOMENTS
    int column = group * s.width + first_column;
    moments += moments_offset + (int)get_group_id(0) * s.out_channels + column;
    blocks_moments(blocks, rows, columns, bias ? bias + column : bias, moments,
                   moments + (int)get_num_groups(0) * s.out_channels);
#endif
    for (int r = 0; r < rows; r++) {
        int to = (int)out_offset + result_at(s, first_row + r) + group * s.width + first_column;
        for (int strip = 0; strip * STRIP < columns; strip++)
            for (int v = 0; v < 2; v++) {
                int c = strip * STRIP + v * 8;
                finish8(blocks[strip * DOWN + r / BLOCK_ROWS].sum[r % BLOCK_ROWS][v], out, to + c, columns - c,
                        types.out, bias ? bias + group * s.width + first_column + c : bias, relu);
            }
    }
}
#endif

#ifdef GRAD_WEIGHT
/* See conv.cl. */
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
conv_grad_weight(ARRAY(x), ARRAY(dy), RESULT(parts), conv_shape s, int chunk, types types)
{
    local float left[ROWS * DEPTH], right[COLUMNS * DEPTH];
    local term terms[COLUMNS];
    block blocks[DOWN * STRIPS];
    int group = (int)get_group_id(2), tiles_down = (s.width + ROWS - 1) / ROWS;
    int all_columns = s.taps[0] * s.taps[1] * s.depth;
    int first_row = (int)get_group_id(0) % tiles_down * ROWS, first_column = (int)get_group_id(0) / tiles_down * COLUMNS;
    int rows = min(s.width - first_row, ROWS), columns = min(all_columns - first_column, COLUMNS);
    int first_pixel = (int)get_group_id(1) * chunk;
    int last_pixel = min(first_pixel + chunk, s.images * s.grid[0] * s.grid[1]);
    int first_x = (int)x_offset + group * s.depth, first_dy = (int)dy_offset + group * s.width + first_row;

    for (int c = 0; c < whole_strips(columns); c++)
        terms[c] = term_of(s, first_column + c);
    blocks_clear(blocks, rows, columns);
    for (int first = first_pixel; first < last_pixel; first += DEPTH) {
        int pixels = min(last_pixel - first, DEPTH);
        for (int k = 0; k < pixels; k++) {
            pixel p = pixel_of(s, first + k);
            copy_line(left + k * ROWS, dy, first_dy + (first + k) * s.out_channels, rows, types.right, types.factor);
            zero_line(left + k * ROWS, rows, whole_blocks(rows));
            bool whole_row = row_is_run(s, p);
            for (int c = 0; c < whole_strips(columns);) { /* run by run, to the end of a strip */
                term t = terms[c];
                int at = source_at(s, p.base, p.y + t.y, p.x + t.x), count = STRIP - c % STRIP;
                if (t.y != NOWHERE)
                    count = min(count, run_from(s, t, whole_row));
                local float *to = right + (c / STRIP * DEPTH + k) * STRIP + c % STRIP;
                if (at >= 0)
                    copy_line(to, x, first_x + at + t.channel, count, types.left, types.factor);
                else
                    zero_line(to, 0, count);
                c += count;
            }
        }
        BLOCKS_MULTIPLY(blocks, left, right, DEPTH * STRIP, rows, columns, pixels)
    }

    int part = ((int)(get_group_id(1) * get_num_groups(2)) + group) * s.width * all_columns;
    for (int r = 0; r < rows; r++)
        for (int strip = 0; strip * STRIP < columns; strip++)
            for (int v = 0; v < 2; v++) {
                int c = strip * STRIP + v * 8;
                finish8(blocks[strip * DOWN + r / BLOCK_ROWS].sum[r % BLOCK_ROWS][v], parts,
                        (int)parts_offset + part + (first_row + r) * all_columns + first_column + c, columns - c,
                        types.out, (global const float *)0, 0);
            }
}
#endif

/* cpu_conv.cl — convolution and its gradients on processors; the twin of
 * conv.cl, with the tiles of cpu_tile.cl. TERM_LANES, 1 or 8, divides the channels
 * of the source that belong to a group.
 */
#include "common.cl"
#include "cpu_tile.cl"
#include "conv_shape.cl"

#if TERM_LANES == 1
#define term_copy(to, from, i, type, factor) *(to) = load1(from, i, type, factor)
#define term_zero(to)                        *(to) = 0.0f
#else
#define term_copy(to, from, i, type, factor) vstore8(load8(from, i, type, factor), 0, to)
#define term_zero(to)                        vstore8((float8)(0.0f), 0, to)
#endif

#ifdef PRODUCT
/* Groups of axis 0 are tiles of pixels, of axis 1 tiles of channels, of axis 2 groups
 * of the convolution. */
kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
conv_product(ARRAY(source), ARRAY(w), INPUT(f32, bias), RESULT(out), conv_shape s, int relu, types types)
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
            int tap_column = t.x;
            for (int k = 0; k < terms;) { /* tap by tap */
                int at = source_at(s, p.base, p.y + t.y, p.x + t.x);
                int end = min(terms, k + s.depth - t.channel);
                for (; k < end; k += TERM_LANES, t.channel += TERM_LANES)
                    if (at >= 0)
                        term_copy(left + r * DEPTH + k, source, first_source + at + t.channel, types.left, types.factor);
                    else
                        term_zero(left + r * DEPTH + k);
                t.channel = 0;
                t.x += s.tap_step[1];
                if (t.x == s.taps[1] * s.tap_step[1])
                    t.x = 0, t.y += s.tap_step[0];
            }
        }
        BLOCKS_MULTIPLY(blocks, left, strips + first * STRIP, strip_size, rows, columns, terms)
    }

    LOCATE(bias);
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
    local term terms[COLUMNS / TERM_LANES];
    block blocks[DOWN * STRIPS];
    int group = (int)get_group_id(2), tiles_down = (s.width + ROWS - 1) / ROWS;
    int all_columns = s.taps[0] * s.taps[1] * s.depth;
    int first_row = (int)get_group_id(0) % tiles_down * ROWS, first_column = (int)get_group_id(0) / tiles_down * COLUMNS;
    int rows = min(s.width - first_row, ROWS), columns = min(all_columns - first_column, COLUMNS);
    int first_pixel = (int)get_group_id(1) * chunk;
    int last_pixel = min(first_pixel + chunk, s.images * s.grid[0] * s.grid[1]);
    int first_x = (int)x_offset + group * s.depth, first_dy = (int)dy_offset + group * s.width + first_row;

    for (int t = 0; t * TERM_LANES < whole_strips(columns); t++)
        terms[t] = term_of(s, first_column + t * TERM_LANES);
    blocks_clear(blocks, rows, columns);
    for (int first = first_pixel; first < last_pixel; first += DEPTH) {
        int pixels = min(last_pixel - first, DEPTH);
        for (int k = 0; k < pixels; k++) {
            pixel p = pixel_of(s, first + k);
            copy_line(left + k * ROWS, dy, first_dy + (first + k) * s.out_channels, rows, types.right, types.factor);
            zero_line(left + k * ROWS, rows, whole_blocks(rows));
            int at = -1;
            for (int t = 0; t * TERM_LANES < whole_strips(columns); t++) {
                if (t == 0 || terms[t].channel == 0) /* another tap */
                    at = source_at(s, p.base, p.y + terms[t].y, p.x + terms[t].x);
                int c = t * TERM_LANES;
                local float *to = right + (c / STRIP * DEPTH + k) * STRIP + c % STRIP;
                if (at >= 0)
                    term_copy(to, x, first_x + at + terms[t].channel, types.left, types.factor);
                else
                    term_zero(to);
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

/* conv.cl — convolution and its gradients on GPUs, as products of tiles whose
 * loads compute image positions; nothing like an im2col matrix is ever stored.
 * See conv_shape.cl for what is multiplied, and tile.cl for how. LEFT_V divides
 * the channels of the source that belong to a group.
 */
#include "common.cl"
#include "tile.cl"
#include "conv_shape.cl"

/* -DMOMENTS: mean and squares of each tile's columns as well, [2, tiles of pixels, channels]. */
#ifdef MOMENTS
#include "tile_moments.cl"
#define MOMENTS_ARGUMENT , OUTPUT(f32, moments)
#else
#define MOMENTS_ARGUMENT
#endif

#ifdef PRODUCT
/* From one line of the packed weights to the next (product.cl). */
#ifdef RIGHT_ALONG_K
#define PACKED_LINE DEPTH
#else
#define PACKED_LINE COLUMNS
#endif

/* Which term of every DEPTH an item fetches. It goes on by DEPTH, from tap to tap
 * where the channels of the source end: there is no division on the way. */
typedef struct walk {
    int a, b, channel;
} walk;

/* Whether the tap has changed. */
static inline bool walk_settle(walk *w, conv_shape s)
{
    bool changed = false;
    while (w->channel >= s.depth && w->a < s.taps[0]) {
        w->channel -= s.depth;
        if (++w->b == s.taps[1])
            w->b = 0, w->a++;
        changed = true;
    }
    return changed;
}

/* The convolution and the gradient to its input: groups of axis 0 are tiles of
 * pixels, of axis 1 tiles of channels, of axis 2 groups of the convolution. */
kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) SUBGROUP_OF_LANES void
conv_product(ARRAY(source), ARRAY(w), INPUT(f32, bias), RESULT(out), conv_shape s, int relu MOMENTS_ARGUMENT)
{
    local cell left[2 * LEFT_SIZE], right[2 * RIGHT_SIZE];
    int item = (int)get_local_id(0), group = (int)get_group_id(2);
    int first_row = (int)get_group_id(0) * ROWS, first_column = (int)get_group_id(1) * COLUMNS;
    global const left_element *from = (global const left_element *)source + source_offset + group * s.depth;
    global const right_element *weight = (global const right_element *)w + w_offset + group * s.w_group +
                                         (int)get_group_id(1) * s.w_tile + right_down(item, 0) * PACKED_LINE +
                                         right_across(item) * RIGHT_V;

    pixel pixels[LEFT_SLOTS];
    int at[LEFT_SLOTS]; /* where the pixel's channels begin at this tap, or -1 */
    left_vector left_next[LEFT_SLOTS];
    right_vector right_next[RIGHT_SLOTS];
    walk terms = {0, 0, left_across(item) * LEFT_V};
    bool moved = true;
#pragma unroll
    for (int slot = 0; slot < LEFT_SLOTS; slot++)
        pixels[slot] = pixel_of(s, first_row + left_down(item, slot));
    walk_settle(&terms, s);

    block b;
    block_clear(&b);
    int steps = (s.taps[0] * s.taps[1] * s.depth + DEPTH - 1) / DEPTH;
    for (int step = 0; step <= steps; step++) {
        if (step < steps) {
            if (moved) {
                bool end = terms.a >= s.taps[0];
#pragma unroll
                for (int slot = 0; slot < LEFT_SLOTS; slot++) {
                    int y = pixels[slot].y + terms.a * s.tap_step[0], x = pixels[slot].x + terms.b * s.tap_step[1];
                    at[slot] = end ? -1 : source_at(s, pixels[slot].base, y, x);
                }
            }
#pragma unroll
            for (int slot = 0; slot < LEFT_SLOTS; slot++)
                left_next[slot] = at[slot] >= 0 ? left_load(from + at[slot] + terms.channel) : (left_vector)(0);
#pragma unroll
            for (int slot = 0; slot < RIGHT_SLOTS; slot++)
                right_next[slot] =
                    right_exists(item, slot) ? right_load(weight + slot * RIGHT_STEP * PACKED_LINE) : (right_vector)(0);
            weight += DEPTH * COLUMNS;
            terms.channel += DEPTH;
            moved = walk_settle(&terms, s);
        }
        tiles_turn(&b, item, step, steps, left, right, left_next, right_next);
    }

    LOCATE(bias);
#ifdef MOMENTS
    int column = group * s.width + first_column;
    moments += moments_offset + (int)get_group_id(0) * s.out_channels + column;
    tile_moments(&b, item, min(s.images * s.grid[0] * s.grid[1] - first_row, ROWS), s.width - first_column,
                 bias ? bias + column : bias, larger_tiles(left, right), moments,
                 moments + (int)get_num_groups(0) * s.out_channels);
#endif
#pragma unroll
    for (int r = 0; r < BLOCK_ROWS; r++) {
        int row = first_row + block_row(item, r);
        if (row >= s.images * s.grid[0] * s.grid[1])
            continue;
        int to = result_at(s, row) + group * s.width;
#pragma unroll
        for (int j = 0; j < FOURS; j++) {
            int c = first_column + block_column(item, j), count = s.width - c;
            float4 v = block_four(&b, r, j);
            if (bias && count > 0)
                v += four_of(bias + group * s.width + c, count);
            finish4(relu ? relu4(v) : v, (global char *)out + out_offset * TYPE_BYTES(OUT_TYPE), to + c, count);
        }
    }
}
#endif

#ifdef GRAD_WEIGHT
/* A pixel of the grid as digits of its index, to which DEPTH is added without a
 * division. */
typedef struct place {
    int image, i, j;
} place;

static inline place place_of(conv_shape s, int index)
{
    int per_image = s.grid[0] * s.grid[1];
    int image = index / per_image, rest = index - image * per_image;
    int i = rest / s.grid[1];
    return (place){image, i, rest - i * s.grid[1]};
}

static inline place place_add(place p, place step, conv_shape s)
{
    p.j += step.j;
    p.i += step.i;
    p.image += step.image;
    if (p.j >= s.grid[1])
        p.j -= s.grid[1], p.i++;
    if (p.i >= s.grid[0])
        p.i -= s.grid[0], p.image++;
    return p;
}

/* The gradient to the weights over one chunk of the pixels: dw[o, tap, c] +=
 * Σ dy[pixel, o] x[pixel moved by the tap, c]. Groups of axis 0 are tiles of
 * output channels and of (tap, c) in turn, of axis 1 chunks, of axis 2 groups
 * of the convolution. Here the shape describes x as the source, and the result
 * dy. LEFT_V divides the channels of dy, RIGHT_V those of x. */
kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) SUBGROUP_OF_LANES void
conv_grad_weight(ARRAY(x), ARRAY(dy), RESULT(parts), conv_shape s, int chunk)
{
    local cell left[2 * LEFT_SIZE], right[2 * RIGHT_SIZE];
    int item = (int)get_local_id(0), group = (int)get_group_id(2);
    int tiles_down = (s.width + ROWS - 1) / ROWS, columns = s.taps[0] * s.taps[1] * s.depth;
    int first_row = (int)get_group_id(0) % tiles_down * ROWS,
        first_column = (int)get_group_id(0) / tiles_down * COLUMNS;
    int first_pixel = (int)get_group_id(1) * chunk;
    int last_pixel = min(first_pixel + chunk, s.images * s.grid[0] * s.grid[1]);

    int row = first_row + left_across(item) * LEFT_V;
    term t = term_of(s, first_column + right_across(item) * RIGHT_V);
    global const left_element *slope = (global const left_element *)dy + dy_offset + group * s.width + row;
    global const right_element *from = (global const right_element *)x + x_offset + group * s.depth + t.channel;
    place places[RIGHT_SLOTS], onward = place_of(s, DEPTH);
    left_vector left_next[LEFT_SLOTS];
    right_vector right_next[RIGHT_SLOTS];
#pragma unroll
    for (int slot = 0; slot < RIGHT_SLOTS; slot++)
        places[slot] = place_of(s, first_pixel + right_down(item, slot));

    block b;
    block_clear(&b);
    int steps = (last_pixel - first_pixel + DEPTH - 1) / DEPTH;
    for (int step = 0; step <= steps; step++) {
        int first = first_pixel + step * DEPTH;
        if (step < steps) {
#pragma unroll
            for (int slot = 0; slot < LEFT_SLOTS; slot++) {
                int p = first + left_down(item, slot);
                left_next[slot] =
                    p < last_pixel && row < s.width ? left_load(slope + p * s.out_channels) : (left_vector)(0);
            }
#pragma unroll
            for (int slot = 0; slot < RIGHT_SLOTS; slot++) {
                place p = places[slot];
                int y = p.i * s.step[0] + s.start[0] + t.y, x_ = p.j * s.step[1] + s.start[1] + t.x;
                int at = source_at(s, p.image * s.source[0] * s.source[1] * s.source_channels, y, x_);
                bool there = at >= 0 && first + right_down(item, slot) < last_pixel;
                right_next[slot] = there ? right_load(from + at) : (right_vector)(0);
                places[slot] = place_add(p, onward, s);
            }
        }
        tiles_turn(&b, item, step, steps, left, right, left_next, right_next);
    }

    int part = ((int)(get_group_id(1) * get_num_groups(2)) + group) * s.width * columns;
#pragma unroll
    for (int r = 0; r < BLOCK_ROWS; r++) {
        int o = first_row + block_row(item, r);
        if (o >= s.width)
            continue;
#pragma unroll
        for (int j = 0; j < FOURS; j++) {
            int c = first_column + block_column(item, j);
            finish4(block_four(&b, r, j), (global char *)parts + parts_offset * TYPE_BYTES(OUT_TYPE),
                    part + o * columns + c, columns - c);
        }
    }
}
#endif

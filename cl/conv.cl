/* conv.cl — convolution and its gradients as products of tiles whose loads
 * compute image positions; nothing like an im2col matrix is ever stored.
 *
 * Both the convolution and the gradient to its input are one product: a row is
 * a pixel of the result, a column one of its channels, and a term a tap of the
 * kernel with a channel of the source. The gradient to the weights sums over
 * pixels instead. See tile.cl for the tiles; TERM_LANES divides the channels
 * of the source that belong to a group.
 */
#include "common.cl"
#include "tile.cl"

#if TERM_LANES == 1
typedef float term_lanes;
#define term_load(p) (*(p))
#define term_store(v, p) (*(p) = (v))
#else
typedef PASTE(float, TERM_LANES) term_lanes;
#define term_load(p) PASTE(vload, TERM_LANES)(0, p)
#define term_store(v, p) PASTE(vstore, TERM_LANES)(v, 0, p)
#endif

/* A position that is outside of every image, however it is moved. */
#define NOWHERE (-(1 << 30))

/* The twin of struct conv_shape in conv.c. A pixel (i, j) of the grid looks, at
 * tap (a, b), at the source pixel
 *   (i step[0] + start[0] + a tap_step[0], j step[1] + start[1] + b tap_step[1])
 * and is put at (i out_step[0] + out_start[0], …) of the result. */
typedef struct conv_shape {
    int images, grid[2];
    int source[2], source_channels, depth; /* depth: source channels of a group */
    int step[2], start[2];
    int taps[2], tap_step[2];
    int out[2], out_channels, width; /* width: channels of the result of a group */
    int out_step[2], out_start[2];
    int w_start, w_tap[2], w_depth, w_group; /* the weight of a tap, channel and column */
} conv_shape;

/* Where the pixel that is row `row` of the product begins to look. */
typedef struct pixel {
    int y, x;
    int base; /* of its image, in elements */
} pixel;

static inline pixel pixel_of(conv_shape s, int row)
{
    int per_image = s.grid[0] * s.grid[1];
    if (row >= s.images * per_image)
        return (pixel){NOWHERE, NOWHERE, 0};
    int image = row / per_image, rest = row - image * per_image;
    int i = rest / s.grid[1], j = rest - i * s.grid[1];
    return (pixel){i * s.step[0] + s.start[0], j * s.step[1] + s.start[1],
                   image * s.source[0] * s.source[1] * s.source_channels};
}

/* What a term adds to that. */
typedef struct term {
    int y, x;
    int channel;
    int weight; /* offset of its weights */
} term;

static inline term term_of(conv_shape s, int index)
{
    if (index >= s.taps[0] * s.taps[1] * s.depth)
        return (term){NOWHERE, NOWHERE, 0, 0};
    int tap = index / s.depth, channel = index - tap * s.depth;
    int a = tap / s.taps[1], b = tap - a * s.taps[1];
    return (term){a * s.tap_step[0], b * s.tap_step[1], channel,
                  s.w_start + a * s.w_tap[0] + b * s.w_tap[1] + channel * s.w_depth};
}

static inline term_lanes source_load(global const float *source, conv_shape s, pixel p, term t)
{
    int y = p.y + t.y, x = p.x + t.x;
    if ((uint)y >= (uint)s.source[0] || (uint)x >= (uint)s.source[1])
        return (term_lanes)(0.0f);
    return term_load(source + p.base + (y * s.source[1] + x) * s.source_channels + t.channel);
}

#define TERMS (DEPTH / TERM_LANES)

#ifdef PRODUCT
/* The convolution and the gradient to its input: groups of axis 0 are tiles of
 * pixels, of axis 1 tiles of channels, of axis 2 groups of the convolution. */
kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
conv_product(INPUT(f32, source), INPUT(f32, w), INPUT(f32, bias), OUTPUT(f32, out), conv_shape s)
{
    local float left[LEFT_SIZE], right[RIGHT_SIZE];
    local pixel pixels[ROWS];
    local term terms[TERMS];

    int item = (int)get_local_id(0), group = (int)get_group_id(2);
    int first_row = (int)get_group_id(0) * ROWS, first_column = (int)get_group_id(1) * COLUMNS;
    LOCATE(source);
    LOCATE(w);
    LOCATE(bias);
    LOCATE(out);
    source += group * s.depth;
    w += group * s.w_group + first_column;
    if (bias)
        bias += group * s.width + first_column;
    int columns = s.width - first_column, depth = s.taps[0] * s.taps[1] * s.depth;
    int rows_used = used_rows(s.images * s.grid[0] * s.grid[1] - first_row), columns_used = used_columns(columns);

    for (int r = item; r < ROWS; r += GROUP_SIZE)
        pixels[r] = pixel_of(s, first_row + r);
    for (int t = item; t < TERMS; t += GROUP_SIZE)
        terms[t] = term_of(s, t * TERM_LANES);

    block blocks[BLOCKS];
    tiles_clear(rows_used, columns_used, blocks);
    for (int k = 0; k < depth; k += DEPTH) {
        int terms_used = used_of(depth - k, TERM_LANES, DEPTH);
        barrier(CLK_LOCAL_MEM_FENCE);
        EACH_PART(r, rows_used, t, terms_used / TERM_LANES, TERMS)
        {
            term_lanes v = source_load(source, s, pixels[r], terms[t]);
#if LEFT_TERM == 1
            term_store(v, left + r * LEFT_ROW + t * TERM_LANES);
#else
            float each[TERM_LANES];
            term_store(v, each);
            for (int l = 0; l < TERM_LANES; l++)
                left[(t * TERM_LANES + l) * LEFT_TERM + r] = each[l];
#endif
        }
        EACH_PART(t, terms_used, j, columns_used / LANES, COLUMNS / LANES)
        {
            int c = j * LANES;
            int weight = terms[t / TERM_LANES].weight + t % TERM_LANES * s.w_depth + c;
            lanes v = k + t < depth ? lanes_load_some(w + weight, columns - c) : (lanes)(0.0f);
            lanes_store(v, right + t * COLUMNS + c);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        tiles_multiply(left, right, rows_used, columns_used, terms_used, blocks);
        /* The terms of the next round: nobody looks at them before the next barrier. */
        for (int t = item; t < TERMS; t += GROUP_SIZE)
            terms[t] = term_of(s, k + DEPTH + t * TERM_LANES);
    }

    int per_image = s.grid[0] * s.grid[1];
    for (int down = 0; down < SUB_DOWN && block_row(down) < rows_used; down++)
        for (int r = 0; r < BLOCK_ROWS; r++) {
            int row = first_row + block_row(down) + r;
            if (row >= s.images * per_image)
                continue;
            int image = row / per_image, rest = row - image * per_image;
            int i = rest / s.grid[1], j = rest - i * s.grid[1];
            int at = (image * s.out[0] + i * s.out_step[0] + s.out_start[0]) * s.out[1] + j * s.out_step[1] +
                     s.out_start[1];
            int first = at * s.out_channels + group * s.width + first_column;
            for (int across = 0; across < SUB_ACROSS && block_column(across, 0) < columns_used; across++)
                for (int v = 0; v < BLOCK_VECTORS; v++) {
                    int c = block_column(across, v);
                    lanes_finish(blocks[across * SUB_DOWN + down].sum[r][v], out + first + c, bias ? bias + c : bias,
                                 columns - c);
                }
        }
}
#endif

#ifdef GRAD_WEIGHT
/* The gradient to the weights over one chunk of the pixels: dw[o, tap, c] +=
 * Σ dy[pixel, o] x[pixel moved by the tap, c]. Groups of axis 0 are tiles of
 * output channels and of (tap, c) in turn, of axis 1 chunks, of axis 2 groups
 * of the convolution. Here the shape describes x as the source, and the result
 * dy. */
kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
conv_grad_weight(INPUT(f32, x), INPUT(f32, dy), OUTPUT(f32, parts), conv_shape s, int chunk)
{
    local float left[LEFT_SIZE], right[RIGHT_SIZE];
    local pixel pixels[DEPTH];
    local term terms[COLUMNS / TERM_LANES];

    int item = (int)get_local_id(0), group = (int)get_group_id(2);
    int tiles_down = (s.width + ROWS - 1) / ROWS;
    int first_row = (int)get_group_id(0) % tiles_down * ROWS, first_column = (int)get_group_id(0) / tiles_down * COLUMNS;
    int rows = s.width - first_row, columns = s.taps[0] * s.taps[1] * s.depth;
    int rows_used = used_rows(rows), columns_used = used_columns(columns - first_column);
    int first_pixel = (int)get_group_id(1) * chunk;
    int last_pixel = min(first_pixel + chunk, s.images * s.grid[0] * s.grid[1]);
    LOCATE(x);
    LOCATE(dy);
    LOCATE(parts);
    x += group * s.depth;
    dy += group * s.width + first_row;

    for (int t = item; t < COLUMNS / TERM_LANES; t += GROUP_SIZE)
        terms[t] = term_of(s, first_column + t * TERM_LANES);
    for (int p = item; p < DEPTH; p += GROUP_SIZE)
        pixels[p] = pixel_of(s, first_pixel + p);

    block blocks[BLOCKS];
    tiles_clear(rows_used, columns_used, blocks);
    for (int p = first_pixel; p < last_pixel; p += DEPTH) {
        int terms_used = used_of(last_pixel - p, 1, DEPTH);
        barrier(CLK_LOCAL_MEM_FENCE);
        EACH_PART(k, terms_used, j, (rows_used + LANES - 1) / LANES, ROWS / LANES)
        {
            int r = j * LANES;
            lanes v = p + k < last_pixel && r < rows ? lanes_load_some(dy + (p + k) * s.out_channels + r, rows - r)
                                                     : (lanes)(0.0f);
            lanes_store(v, left + k * LEFT_TERM + r);
        }
        EACH_PART(k, terms_used, t, columns_used / TERM_LANES, COLUMNS / TERM_LANES)
        {
            term_lanes v = p + k < last_pixel ? source_load(x, s, pixels[k], terms[t]) : (term_lanes)(0.0f);
            term_store(v, right + k * COLUMNS + t * TERM_LANES);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        tiles_multiply(left, right, rows_used, columns_used, terms_used, blocks);
        for (int k = item; k < DEPTH; k += GROUP_SIZE)
            pixels[k] = pixel_of(s, p + DEPTH + k);
    }

    parts += ((int)(get_group_id(1) * get_num_groups(2)) + group) * s.width * columns;
    for (int down = 0; down < SUB_DOWN && block_row(down) < rows_used; down++)
        for (int r = 0; r < BLOCK_ROWS; r++) {
            int row = first_row + block_row(down) + r;
            if (row >= s.width)
                continue;
            for (int across = 0; across < SUB_ACROSS && block_column(across, 0) < columns_used; across++)
                for (int v = 0; v < BLOCK_VECTORS; v++) {
                    int c = first_column + block_column(across, v);
                    lanes_store_some(blocks[across * SUB_DOWN + down].sum[r][v], parts + row * columns + c, columns - c);
                }
        }
}
#endif

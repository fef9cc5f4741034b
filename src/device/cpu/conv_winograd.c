/* conv_winograd.c — 3 × 3 convolutions of stride 1 by Winograd's method
 * (simd/winograd.h), and their gradients to the input, which are the same
 * convolutions with the window turned around.
 *
 * The weights are transformed once, into panels. Then a task takes a block of
 * tiles and some of the output channels through all three steps: its tiles'
 * transforms and their products stay in the second-level cache, or near it.
 * Tasks that share tiles each transform them again: there are only more than
 * one where channels are many and tiles few, and then the products are far
 * more work.
 *
 * With few tiles the weights are the most of it, four times as large as before
 * their transform, and would go out to memory and come back. There it is the
 * other way round: the tiles are transformed once, and a task transforms its
 * weights a part at a time and multiplies what is still in the cache. Both ways
 * add up the same numbers in the same order.
 *
 * Whether it is worth while is estimated from counts (`is_cheaper`).
 */
#include "device/cpu/window.h"
#include "base/parallel.h"
#include "simd/gemm_half.h"
#include "simd/norm.h"
#include "simd/winograd.h"

#include <string.h>

enum { OUT = URSA_WINOGRAD_OUT, IN = URSA_WINOGRAD_IN, PLANES = URSA_WINOGRAD_PLANES };

/* Channels that are summed in a row before the sums are added to those so far. The products are larger than the result
 * that comes of them, and so are their rounding errors; short sums keep these at what the direct method would have if
 * it summed all of its window in a row. */
#define SUM          32
#define BLOCK_FLOATS (1 << 18) /* of a task's tiles, transformed, and their products */
#define MIN_TASKS    16
#define FEW_TILES    128      /* altogether: weights are transformed where they are used */
#define MIN_WORK     16000000 /* multiply-adds of the direct method; below, it is not worth a look */

/* A convolution of stride 1: from [images, height, width, ins] to
 * [images, out_height, out_width, outs], `top` and `left` zeros before it. */
struct winograd {
    int64_t images, height, width, ins, out_height, out_width, outs, top, left;
    ursa_dtype x_type, out_type;
    const char *x;
    const float *w, *bias;
    const ursa_activation *activation;
    struct ursa_moments *moments; /* or NULL: a part of each block of tiles */
    char *out;
    int64_t tap[9], in_stride, out_stride; /* of the weights */

    const struct ursa_simd_gemm *gemm;
    const struct ursa_simd_winograd *simd;
    const void *zero;
    bool few;                                         /* tiles: then `slices` are shared, else `panels` */
    float *slices;                                    /* of all tiles */
    float *panels;                                    /* of all weights */
    int64_t panel_count, panel_plane;                 /* floats of a plane of the panels */
    int64_t grid[2], tiles;                           /* tiles in a column and a row of an image; altogether */
    int64_t tile_block, tile_blocks;                  /* tiles to a task */
    int64_t column_block, column_blocks;              /* panels to a task */
    int64_t slice, slice_plane, sum_pitch, sum_plane; /* floats of a slice, of its plane, of a row of sums, … */
};

/* ---- the plan ------------------------------------------------------------------- */

static void plan(struct winograd *g)
{
    int64_t rows = g->gemm->rows;
    g->panel_count = ursa_ceil_div(g->outs, g->gemm->columns);
    g->panel_plane = ursa_odd_pitch(g->panel_count * g->ins * g->gemm->columns);

    int64_t most = BLOCK_FLOATS / (PLANES * (g->ins + g->outs)) / rows * rows;
    most = most < 4 * rows ? 4 * rows : most;
    g->few = g->tiles <= FEW_TILES;
    most = g->few ? FEW_TILES : most;
    g->tile_blocks = ursa_ceil_div(g->tiles, most);
    g->tile_block = ursa_ceil_div(ursa_ceil_div(g->tiles, g->tile_blocks), rows) * rows;
    g->tile_blocks = ursa_ceil_div(g->tiles, g->tile_block);
    g->column_block = g->panel_count;
    while (g->column_block > (g->few ? 1 : 4) &&
           g->tile_blocks * ursa_ceil_div(g->panel_count, g->column_block) < MIN_TASKS)
        g->column_block = ursa_ceil_div(g->column_block, 2);
    g->column_blocks = ursa_ceil_div(g->panel_count, g->column_block);

    g->slice = g->ins * rows + g->gemm->slack;
    g->slice_plane = ursa_odd_pitch(g->tile_block / rows * g->slice);
    g->sum_pitch = ursa_odd_pitch(g->column_block * g->gemm->columns);
    g->sum_plane = g->tile_block * g->sum_pitch;
}

/* In multiply-adds: what is not one costs as much as so many, as measured. A tile at the border is a whole tile. */
static bool is_cheaper(const struct winograd *g, ursa_dtype w)
{
    double ins = (double)g->ins, outs = (double)g->outs;
    double direct = 9.0 * (double)(g->images * g->out_height * g->out_width) * ins * outs;
    double rate = ursa_product_kernels(g->x_type, w)->rate; /* of the direct method */
    double products = PLANES * (double)g->tiles * ins * outs;
    double transforms = (double)g->tiles * 400 * (ins * (g->few ? 1 : (double)g->column_blocks) + outs);
    transforms += 300 * ins * outs;
    return direct >= MIN_WORK && products + transforms < 0.9 * direct / rate;
}

/* ---- tasks ---------------------------------------------------------------------- */

static int64_t collected_tap(const struct winograd *g)
{
    return ursa_odd_pitch(SUM * g->gemm->columns);
}

/* The weights of a panel from channel k of the input on, `length` ≤ SUM channels, transformed. Where they come from
 * they lie in short pieces far apart. Read one by one between computations, each would keep these waiting for the
 * memory; so all are first copied to `collected`, where they wait for it together. */
static void transform_weights(const struct winograd *g, int64_t panel, int64_t k, int64_t length, float *collected,
                              float *to, int64_t plane)
{
    int64_t columns = g->gemm->columns, first = panel * columns;
    int64_t width = g->outs - first < columns ? g->outs - first : columns;
    bool along = g->out_stride == 1; /* the panel; otherwise pieces lie across it */
    int64_t pieces = along ? length : width, size = along ? width : length, tap[9];
    int64_t stride = along ? g->in_stride : g->out_stride;
    const float *from = g->w + first * g->out_stride + k * g->in_stride;
    for (int t = 0; t < 9; t++)
        tap[t] = t * collected_tap(g);
    for (int64_t i = 0; i < pieces; i++)
        for (int t = 0; t < 9; t++)
            memcpy(collected + tap[t] + i * size, from + i * stride + g->tap[t], (size_t)size * sizeof *from);
    g->simd->weights(collected, tap, along ? size : 1, along ? 1 : size, length, width, to, plane);
}

static int64_t sum_length(const struct winograd *g, int64_t k)
{
    return g->ins - k < SUM ? g->ins - k : SUM;
}

static void weights_task(void *context, int64_t panel)
{
    const struct winograd *g = context;
    int64_t columns = g->gemm->columns;
    float *to = g->panels + panel * columns * g->ins;
    float *collected = ursa_scratch(URSA_SLOT_TASK, (size_t)(9 * collected_tap(g)) * sizeof *collected);
    for (int64_t k = 0; collected && k < g->ins; k += SUM)
        transform_weights(g, panel, k, sum_length(g, k), collected, to + k * columns, g->panel_plane);
}

/* The first output pixel of a tile. */
static void place_tile(const struct winograd *g, int64_t tile, int64_t *image, int64_t *row, int64_t *column)
{
    *column = tile % g->grid[1] * OUT;
    *row = tile / g->grid[1] % g->grid[0] * OUT;
    *image = tile / g->grid[1] / g->grid[0];
}

static void find_inputs(const struct winograd *g, int64_t tile, const void **pixel)
{
    int64_t image, row, column, pitch = g->ins * (int64_t)ursa_dtype_size(g->x_type);
    place_tile(g, tile, &image, &row, &column);
    for (int j = 0; j < IN; j++)
        for (int i = 0; i < IN; i++) {
            int64_t y = row + j - g->top, x = column + i - g->left;
            bool inside = tile < g->tiles && y >= 0 && y < g->height && x >= 0 && x < g->width;
            *pixel++ = inside ? g->x + ((image * g->height + y) * g->width + x) * pitch : g->zero;
        }
}

static void find_outputs(const struct winograd *g, int64_t tile, int64_t channel, void **pixel)
{
    int64_t image, row, column, size = (int64_t)ursa_dtype_size(g->out_type);
    place_tile(g, tile, &image, &row, &column);
    for (int64_t y = row; y < row + OUT; y++)
        for (int64_t x = column; x < column + OUT; x++) {
            bool inside = y < g->out_height && x < g->out_width;
            int64_t at = ((image * g->out_height + y) * g->out_width + x) * g->outs + channel;
            *pixel++ = inside ? g->out + at * size : NULL;
        }
}

/* What a task works on, and its memory. */
struct block {
    int64_t tile, tiles;            /* first, number */
    int64_t panel, panels, columns; /* of the outputs */
    float *slices, *sums;
    float *collected; /* a part of the weights, before its transform */
    float *room;      /* for the part after it, then for the pixels of a tile */
    float **row;      /* of the first plane of sums */

    /* Where moments are wanted: those of the pixels so far, by differences from `shift`. */
    float *shift, *total, *squares;
    int64_t pixels;
};

/* A slice of tiles from `tile` on, of which there are `left`. */
static void transform_slice(const struct winograd *g, int64_t tile, int64_t left, float *slice)
{
    const void *pixel[PLANES * 16];
    for (int64_t r = 0; r < g->gemm->rows; r++)
        find_inputs(g, r < left ? tile + r : g->tiles, pixel + r * PLANES);
    g->simd->input[g->x_type](pixel, g->ins, slice, g->slice_plane);
}

static void transform_inputs(const struct winograd *g, const struct block *block)
{
    int64_t rows = g->gemm->rows;
    for (int64_t t = 0; t < block->tiles; t += rows)
        transform_slice(g, block->tile + t, block->tiles - t, block->slices + t / rows * g->slice);
}

static void slice_task(void *context, int64_t index)
{
    const struct winograd *g = context;
    int64_t tile = index * g->gemm->rows;
    transform_slice(g, tile, g->tiles - tile, g->slices + index * g->slice);
}

/* The panel that comes next is fetched while this one is in use. */
static void fetch_share(const float *panel, int64_t size, int64_t share, int64_t shares)
{
    for (int64_t at = size * share / shares; at < size * (share + 1) / shares; at += 16)
        __builtin_prefetch(panel + at, 0, 2);
}

static void multiply_panel(const struct winograd *g, const struct block *block, int64_t plane, int64_t panel)
{
    int64_t rows = g->gemm->rows, columns = g->gemm->columns, done = (panel - block->panel) * columns;
    const float *b = g->panels + plane * g->panel_plane + panel * g->ins * columns;
    bool is_last = panel + 1 == block->panel + block->panels;
    const float *next = is_last ? b + g->panel_plane - (block->panels - 1) * g->ins * columns : b + g->ins * columns;
    struct ursa_tile tile = {
        .column = plane * g->sum_plane + done,
        .width = (int)(block->columns - done < columns ? block->columns - done : columns),
        .alpha = 1,
    };
    for (int64_t k = 0; k < g->ins; k += SUM, tile.beta = 1) {
        tile.length = sum_length(g, k);
        tile.b = b + k * columns;
        for (int64_t t = 0; t < block->tiles; t += rows) {
            fetch_share(next + k * columns, tile.length * columns, t / rows, ursa_ceil_div(block->tiles, rows));
            tile.slice = block->slices + plane * g->slice_plane + t / rows * g->slice + k * rows;
            tile.height = (int)(block->tiles - t < rows ? block->tiles - t : rows);
            tile.out = block->row + t;
            g->gemm->tile(&tile);
        }
    }
}

/* A panel in parts, each multiplied as soon as it is transformed. The tiles fetch what they need of the next plane. */
static void multiply_fresh(const struct winograd *g, const struct block *block, int64_t panel)
{
    int64_t rows = g->gemm->rows, columns = g->gemm->columns, done = (panel - block->panel) * columns;
    int64_t plane = ursa_odd_pitch(SUM * columns);
    struct ursa_tile tile = {
        .width = (int)(block->columns - done < columns ? block->columns - done : columns),
        .alpha = 1,
    };
    for (int64_t k = 0; k < g->ins; k += SUM, tile.beta = 1) {
        tile.length = sum_length(g, k);
        transform_weights(g, panel, k, tile.length, block->collected, block->room, plane);
        for (int64_t e = 0; e < PLANES; e++) {
            tile.b = block->room + e * plane;
            tile.column = e * g->sum_plane + done;
            for (int64_t t = 0; t < block->tiles; t += rows) {
                tile.slice = block->slices + e * g->slice_plane + t / rows * g->slice + k * rows;
                tile.fetch = e + 1 < PLANES ? tile.slice + g->slice_plane : NULL;
                tile.height = (int)(block->tiles - t < rows ? block->tiles - t : rows);
                tile.out = block->row + t;
                g->gemm->tile(&tile);
            }
        }
    }
}

static void multiply(const struct winograd *g, const struct block *block)
{
    for (int64_t j = 0; g->few && j < block->panels; j++)
        multiply_fresh(g, block, block->panel + j);
    for (int64_t e = 0; !g->few && e < PLANES; e++)
        for (int64_t j = 0; j < block->panels; j++)
            multiply_panel(g, block, e, block->panel + j);
}

/* The pixels of a tile, which has just been stored; returns how many there are. */
static int64_t add_pixels(const struct winograd *g, const struct block *block, void *const *pixel)
{
    int64_t all = 0;
    for (int j = 0; j < OUT; j++, pixel += OUT) {
        int64_t count = 0;
        while (count < OUT && pixel[count])
            count++;
        ursa_cpu_simd()->norm->of[g->out_type].moments_add(pixel[0], g->outs, count, block->columns, block->shift,
                                                           block->total, block->squares);
        all += count;
    }
    return all;
}

static void clear_totals(struct block *block)
{
    memset(block->total, 0, (size_t)block->columns * sizeof *block->total);
    memset(block->squares, 0, (size_t)block->columns * sizeof *block->squares);
}

/* The mean of the first tile stands for all: sums of differences from it do not cancel (see simd/norm.c). */
static void add_tile(const struct winograd *g, struct block *block, void *const *pixel)
{
    if (block->pixels == 0) {
        memset(block->shift, 0, (size_t)block->columns * sizeof *block->shift);
        clear_totals(block);
        float count = (float)add_pixels(g, block, pixel);
        for (int64_t c = 0; c < block->columns; c++)
            block->shift[c] = block->total[c] / count;
        clear_totals(block);
    }
    block->pixels += add_pixels(g, block, pixel);
}

static void settle_moments(const struct winograd *g, const struct block *block)
{
    if (block->panel == 0)
        g->moments->rows[block->tile / g->tile_block] = (double)block->pixels;
    ursa_cpu_simd()->norm->of[g->out_type].moments_settle(block->pixels, block->columns, block->shift, block->total,
                                                          block->squares);
}

static void transform_outputs(const struct winograd *g, struct block *block)
{
    int64_t channel = block->panel * g->gemm->columns;
    bool activated = g->activation && g->activation->used;
    bool relu = activated && g->activation->kind == URSA_UNARY_relu;
    bool apart = activated && !relu && ursa_is_half(g->out_type); /* before they are rounded */
    for (int64_t t = 0; t < block->tiles; t++) {
        void *pixel[OUT * OUT], *to[OUT * OUT];
        find_outputs(g, block->tile + t, channel, pixel);
        for (int i = 0; i < OUT * OUT; i++)
            to[i] = apart && pixel[i] ? block->room + i * g->sum_pitch : pixel[i];
        g->simd->output[apart ? URSA_F32 : g->out_type](block->row[t], g->sum_plane, block->columns,
                                                        g->bias ? g->bias + channel : NULL, relu, to);
        for (int i = 0; i < OUT * OUT && activated && !relu; i++)
            if (pixel[i])
                ursa_activate(g->activation, to[i], block->columns);
        for (int i = 0; i < OUT * OUT && apart; i++)
            if (pixel[i])
                ursa_cpu_simd()->gemm_half->type[g->out_type]->store(to[i], 0, 1, block->columns, &pixel[i], 0);
        if (g->moments)
            add_tile(g, block, pixel);
    }
    if (g->moments)
        settle_moments(g, block);
}

static void block_task(void *context, int64_t index)
{
    const struct winograd *g = context;
    int64_t tile = index / g->column_blocks * g->tile_block, panel = index % g->column_blocks * g->column_block;
    int64_t left = g->outs - panel * g->gemm->columns, most = g->column_block * g->gemm->columns;
    int64_t slices = g->few ? 0 : PLANES * g->slice_plane, sums = PLANES * g->sum_plane;
    int64_t pixels = OUT * OUT * g->sum_pitch, weights = PLANES * ursa_odd_pitch(SUM * g->gemm->columns);
    int64_t room = g->few && weights > pixels ? weights : pixels, collected = g->few ? 9 * collected_tap(g) : 0;
    struct block block = {
        .tile = tile,
        .tiles = g->tiles - tile < g->tile_block ? g->tiles - tile : g->tile_block,
        .panel = panel,
        .panels = g->panel_count - panel < g->column_block ? g->panel_count - panel : g->column_block,
        .columns = left < most ? left : most,
        .slices = ursa_scratch(URSA_SLOT_TASK, (size_t)(slices + sums + room + collected) * sizeof(float)),
        .row = ursa_scratch(URSA_SLOT_ROWS, (size_t)g->tile_block * sizeof(float *)),
    };
    if (!block.slices || !block.row)
        return;
    block.sums = block.slices + slices;
    block.slices = g->few ? g->slices : block.slices;
    block.room = block.sums + sums;
    block.collected = block.room + room;
    if (g->moments) {
        int64_t to = tile / g->tile_block * g->outs + panel * g->gemm->columns;
        block.shift = g->moments->mean + to;
        block.squares = g->moments->squares + to;
        block.total = block.room; /* which only activations use */
    }
    for (int64_t t = 0; t < block.tiles; t++)
        block.row[t] = block.sums + t * g->sum_pitch;
    if (!g->few)
        transform_inputs(g, &block);
    multiply(g, &block);
    transform_outputs(g, &block);
}

/* ---- the operators ---------------------------------------------------------------- */

static void prepare(struct winograd *g)
{
    g->gemm = ursa_cpu_simd()->gemm;
    g->simd = ursa_cpu_simd()->winograd;
    g->grid[0] = ursa_ceil_div(g->out_height, OUT);
    g->grid[1] = ursa_ceil_div(g->out_width, OUT);
    g->tiles = g->images * g->grid[0] * g->grid[1];
    plan(g);
}

static struct winograd forward_of(const struct ursa_conv_shape *s)
{
    struct winograd g = {
        .images = s->images,
        .height = s->height,
        .width = s->width,
        .ins = s->channels,
        .out_height = s->out_height,
        .out_width = s->out_width,
        .outs = s->out_channels,
        .x_type = s->x_type,
        .out_type = s->out_type,
        .top = s->pad[0],
        .left = s->pad[1],
        .in_stride = 1,
        .out_stride = 9 * s->channels,
    };
    for (int t = 0; t < 9; t++)
        g.tap[t] = t * s->channels;
    prepare(&g);
    return g;
}

/* dx[i] = Σ dy[i + pad - k] w[k]: with k = 2 - k′, a window that begins 2 - pad before i. */
static struct winograd gradient_of(const struct ursa_conv_shape *s)
{
    struct winograd g = {
        .images = s->images,
        .height = s->out_height,
        .width = s->out_width,
        .ins = s->out_channels,
        .out_height = s->height,
        .out_width = s->width,
        .outs = s->channels,
        .x_type = s->out_type,
        .out_type = s->x_type,
        .top = 2 - s->pad[0],
        .left = 2 - s->pad[1],
        .in_stride = 9 * s->channels,
        .out_stride = 1,
    };
    for (int t = 0; t < 9; t++)
        g.tap[t] = (8 - t) * s->channels;
    prepare(&g);
    return g;
}

/* Images of floats would have to be rounded for weights of a half type. */
static bool applies(const struct ursa_conv_shape *s, const struct winograd *g)
{
    bool rounded = g->x_type == URSA_F32 && ursa_is_half(s->w_type);
    return ursa_winograd_is_suitable(s) && !rounded && g->ins % 8 == 0 && g->outs >= g->gemm->columns / 2 &&
           is_cheaper(g, s->w_type);
}

bool ursa_winograd_applies(const struct ursa_conv_shape *s)
{
    struct winograd g = forward_of(s);
    return applies(s, &g);
}

bool ursa_winograd_grad_input_applies(const struct ursa_conv_shape *s)
{
    struct winograd g = gradient_of(s);
    return applies(s, &g);
}

/* What all tasks share. */
static bool transform_shared(struct winograd *g)
{
    /* One panel more: what is fetched ahead exists. */
    size_t panels = (size_t)(PLANES * g->panel_plane + g->ins * g->gemm->columns);
    size_t slices = (size_t)(PLANES * g->slice_plane);
    float *shared = ursa_scratch(URSA_SLOT_PANELS, (g->few ? slices : panels) * sizeof *shared);
    if (!shared)
        return false;
    g->slices = g->panels = shared;
    return g->few ? ursa_parallel(ursa_ceil_div(g->tiles, g->gemm->rows), slice_task, g)
                  : ursa_parallel(g->panel_count, weights_task, g);
}

static bool run(struct winograd *g)
{
    float *zero = ursa_scratch(URSA_SLOT_ZEROS, (size_t)g->ins * sizeof(float));
    if (!g->w || !zero)
        return false;
    memset(zero, 0, (size_t)g->ins * sizeof *zero);
    g->zero = zero;
    if (g->moments && !ursa_moments_new(g->moments, g->tiles, g->tile_block))
        return false;
    return transform_shared(g) && ursa_parallel(g->tile_blocks * g->column_blocks, block_task, g);
}

bool ursa_winograd_forward(const struct ursa_conv_shape *s, const void *x, const void *w, const float *bias,
                           const ursa_activation *activation, struct ursa_moments *moments, void *out)
{
    struct winograd g = forward_of(s);
    g.x = x;
    g.w = ursa_conv_weights(s, w, s->x_type);
    g.bias = bias;
    g.activation = activation;
    g.moments = moments;
    g.out = out;
    return run(&g);
}

bool ursa_winograd_grad_input(const struct ursa_conv_shape *s, const void *dy, const void *w, void *dx)
{
    struct winograd g = gradient_of(s);
    g.x = dy;
    g.w = ursa_conv_weights(s, w, s->out_type);
    g.out = dx;
    return run(&g);
}

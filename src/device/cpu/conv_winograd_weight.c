/* conv_winograd_weight.c — the gradient of a 3 × 3 convolution of stride 1 to
 * its weights by Winograd's method (simd/winograd.h).
 *
 * A task goes through a chunk of the tiles with some of the input and some of
 * the output channels, a band of tiles at a time: both factors of the band are
 * transformed, straight into the panels and slices of the micro-kernel, and 36
 * products added to sums that it keeps. These are transformed back at its end.
 * Chunks add up into arrays of their own, which are added in order afterwards;
 * their number depends on the shape alone.
 */
#include "device/cpu/window.h"
#include "base/parallel.h"
#include "simd/winograd.h"

#include <string.h>

enum { OUT = URSA_WINOGRAD_OUT, IN = URSA_WINOGRAD_IN, PLANES = URSA_WINOGRAD_PLANES };

#define BAND          32 /* tiles; also the length of the sums, see conv_winograd.c */
#define OUT_BLOCK     96 /* channels of dy, and of x, that a task takes */
#define IN_BLOCK      64
#define TASKS         16      /* wanted */
#define PARTIAL_LIMIT 2000000 /* floats in all partial sums */
#define MIN_WORK      16000000

struct gradient {
    struct ursa_conv_shape shape;
    const struct ursa_simd_gemm *gemm;
    const struct ursa_simd_winograd *simd;
    const char *x, *dy;
    const void *zero;
    float *dw, *partial; /* chunk 0 sums into dw, chunk i into partial[i - 1] */
    int64_t weights;     /* elements of dw */
    int64_t grid[2], tiles;
    int64_t chunk_tiles, chunks;
    int64_t out_block, out_blocks, in_block, in_blocks;
    int64_t slice, slice_plane, panel, panel_plane, sum_pitch, sum_plane; /* floats */
};

/* ---- the plan ------------------------------------------------------------------- */

static int64_t balanced(int64_t extent, int64_t block, int64_t unit)
{
    int64_t blocks = ursa_ceil_div(extent, block);
    return ursa_ceil_div(ursa_ceil_div(extent, blocks), unit) * unit;
}

static struct gradient plan(const struct ursa_conv_shape *s)
{
    struct gradient g = {.shape = *s, .gemm = ursa_cpu_simd()->gemm, .simd = ursa_cpu_simd()->winograd};
    g.weights = s->out_channels * 9 * s->channels;
    g.grid[0] = ursa_ceil_div(s->out_height, OUT);
    g.grid[1] = ursa_ceil_div(s->out_width, OUT);
    g.tiles = s->images * g.grid[0] * g.grid[1];

    g.out_block = balanced(s->out_channels, OUT_BLOCK, g.gemm->rows);
    g.out_blocks = ursa_ceil_div(s->out_channels, g.out_block);
    g.in_block = balanced(s->channels, IN_BLOCK, g.gemm->columns);
    g.in_blocks = ursa_ceil_div(s->channels, g.in_block);
    int64_t chunks = ursa_ceil_div(TASKS, g.out_blocks * g.in_blocks);
    int64_t room = PARTIAL_LIMIT / g.weights + 1, useful = ursa_ceil_div(g.tiles, 2 * BAND);
    chunks = chunks < room ? chunks : room;
    chunks = chunks < useful ? chunks : useful;
    g.chunk_tiles = ursa_ceil_div(g.tiles, chunks);
    g.chunks = ursa_ceil_div(g.tiles, g.chunk_tiles);

    g.slice = BAND * g.gemm->rows + g.gemm->slack;
    g.slice_plane = ursa_odd_pitch(g.out_block / g.gemm->rows * g.slice);
    g.panel = BAND * g.gemm->columns;
    g.panel_plane = ursa_odd_pitch(g.in_block / g.gemm->columns * g.panel);
    g.sum_pitch = ursa_odd_pitch(g.in_block);
    g.sum_plane = g.out_block * g.sum_pitch;
    return g;
}

/* In multiply-adds, as in conv_winograd.c. */
static bool is_cheaper(const struct gradient *g)
{
    const struct ursa_conv_shape *s = &g->shape;
    double ins = (double)s->channels, outs = (double)s->out_channels, tiles = (double)g->tiles;
    double direct = 9.0 * (double)(s->images * s->out_height * s->out_width) * ins * outs;
    double rate = ursa_product_kernels(s->out_type, s->x_type)->rate;
    double products = PLANES * tiles * ins * outs;
    double transforms = tiles * 400 * (ins * (double)g->out_blocks + outs * (double)g->in_blocks);
    double sums = 500 * ins * outs * (double)g->chunks;
    return direct >= MIN_WORK && products + transforms + sums < 0.9 * direct / rate;
}

/* ---- tasks ---------------------------------------------------------------------- */

struct block {
    int64_t tile, tiles; /* the chunk: first, number */
    int64_t out, outs, in, ins;
    float *slices, *panels, *sums;
    float **row; /* of the first plane of sums */
};

/* Where the channels of a tile's pixels lie; those outside the image are zero. */
static void find_pixels(const struct gradient *g, int64_t tile, int64_t in, int64_t out, const void *x_pixel[IN * IN],
                        const void *dy_pixel[OUT * OUT])
{
    const struct ursa_conv_shape *s = &g->shape;
    int64_t x_size = (int64_t)ursa_dtype_size(s->x_type), dy_size = (int64_t)ursa_dtype_size(s->out_type);
    int64_t left = tile % g->grid[1] * OUT, top = tile / g->grid[1] % g->grid[0] * OUT;
    int64_t image = tile / g->grid[1] / g->grid[0];
    for (int64_t y = top - s->pad[0]; y < top - s->pad[0] + IN; y++)
        for (int64_t x = left - s->pad[1]; x < left - s->pad[1] + IN; x++) {
            bool inside = y >= 0 && y < s->height && x >= 0 && x < s->width;
            int64_t at = ((image * s->height + y) * s->width + x) * s->channels + in;
            *x_pixel++ = inside ? g->x + at * x_size : g->zero;
        }
    for (int64_t y = top; y < top + OUT; y++)
        for (int64_t x = left; x < left + OUT; x++) {
            bool inside = y < s->out_height && x < s->out_width;
            int64_t at = ((image * s->out_height + y) * s->out_width + x) * s->out_channels + out;
            *dy_pixel++ = inside ? g->dy + at * dy_size : g->zero;
        }
}

static void transform_band(const struct gradient *g, const struct block *block, int64_t tile, int64_t tiles)
{
    const void *x_pixel[IN * IN], *dy_pixel[OUT * OUT];
    ursa_dtype x_type = g->shape.x_type, dy_type = g->shape.out_type;
    for (int64_t t = 0; t < tiles; t++) {
        find_pixels(g, tile + t, block->in, block->out, x_pixel, dy_pixel);
        g->simd->gradient_x[x_type](x_pixel, block->ins, block->panels + t * g->gemm->columns, g->panel,
                                    g->panel_plane);
        g->simd->gradient_dy[dy_type](dy_pixel, block->outs, g->shape.out_channels - block->out,
                                      block->slices + t * g->gemm->rows, g->slice, g->slice_plane);
    }
}

static void add_band(const struct gradient *g, const struct block *block, int64_t tiles, bool add)
{
    struct ursa_tile tile = {.length = tiles, .alpha = 1, .beta = add ? 1 : 0};
    int64_t rows = g->gemm->rows, columns = g->gemm->columns;
    for (int64_t e = 0; e < PLANES; e++)
        for (int64_t c = 0; c < block->ins; c += columns) {
            tile.b = block->panels + e * g->panel_plane + c / columns * g->panel;
            tile.width = (int)(block->ins - c < columns ? block->ins - c : columns);
            tile.column = e * g->sum_plane + c;
            for (int64_t o = 0; o < block->outs; o += rows) {
                tile.slice = block->slices + e * g->slice_plane + o / rows * g->slice;
                tile.height = (int)(block->outs - o < rows ? block->outs - o : rows);
                tile.out = block->row + o;
                g->gemm->tile(&tile);
            }
        }
}

static struct block block_at(const struct gradient *g, int64_t index)
{
    const struct ursa_conv_shape *s = &g->shape;
    struct block block = {0};
    block.in = index % g->in_blocks * g->in_block;
    index /= g->in_blocks;
    block.out = index % g->out_blocks * g->out_block;
    block.tile = index / g->out_blocks * g->chunk_tiles;
    block.ins = s->channels - block.in < g->in_block ? s->channels - block.in : g->in_block;
    block.outs = s->out_channels - block.out < g->out_block ? s->out_channels - block.out : g->out_block;
    block.tiles = g->tiles - block.tile < g->chunk_tiles ? g->tiles - block.tile : g->chunk_tiles;
    return block;
}

static bool block_new(const struct gradient *g, struct block *block)
{
    int64_t slices = PLANES * g->slice_plane, panels = PLANES * g->panel_plane;
    int64_t sums = PLANES * g->sum_plane + g->gemm->columns;
    block->slices = ursa_scratch(URSA_SLOT_TASK, (size_t)(slices + panels + sums) * sizeof(float));
    block->row = ursa_scratch(URSA_SLOT_ROWS, (size_t)g->out_block * sizeof(float *));
    if (!block->slices || !block->row)
        return false;
    block->panels = block->slices + slices;
    block->sums = block->panels + panels;
    for (int64_t o = 0; o < block->outs; o++)
        block->row[o] = block->sums + o * g->sum_pitch;
    return true;
}

static void block_task(void *context, int64_t index)
{
    const struct gradient *g = context;
    struct block block = block_at(g, index);
    if (!block_new(g, &block))
        return;
    for (int64_t t = 0; t < block.tiles; t += BAND) {
        int64_t tiles = block.tiles - t < BAND ? block.tiles - t : BAND;
        transform_band(g, &block, block.tile + t, tiles);
        add_band(g, &block, tiles, t > 0);
    }
    int64_t chunk = block.tile / g->chunk_tiles;
    float *dw = chunk == 0 ? g->dw : g->partial + (chunk - 1) * g->weights;
    for (int64_t o = 0; o < block.outs; o++)
        g->simd->gradient_output(block.row[o], g->sum_plane, block.ins,
                                 dw + (block.out + o) * 9 * g->shape.channels + block.in, g->shape.channels);
}

static void sum_task(void *context, int64_t begin, int64_t end)
{
    const struct gradient *g = context;
    for (int64_t i = 0; i < g->chunks - 1; i++)
        g->gemm->add(g->partial + i * g->weights + begin, g->dw + begin, end - begin);
}

/* ---- the operator ----------------------------------------------------------------- */

bool ursa_winograd_grad_weight_applies(const struct ursa_conv_shape *s)
{
    if (!ursa_winograd_is_suitable(s) || s->x_type != s->out_type || s->channels < 16 || s->out_channels < 16)
        return false;
    struct gradient g = plan(s);
    return is_cheaper(&g);
}

bool ursa_winograd_grad_weight(const struct ursa_conv_shape *s, const void *x, const void *dy, float *dw)
{
    struct gradient g = plan(s);
    size_t zeros = (size_t)(s->channels > s->out_channels ? s->channels : s->out_channels);
    float *zero = ursa_scratch(URSA_SLOT_ZEROS, zeros * sizeof(float));
    g.partial = ursa_scratch(URSA_SLOT_PANELS, (size_t)((g.chunks - 1) * g.weights) * sizeof(float));
    if (!zero || !g.partial)
        return false;
    memset(zero, 0, zeros * sizeof *zero);
    g.x = x;
    g.dy = dy;
    g.dw = dw;
    g.zero = zero;
    return ursa_parallel(g.chunks * g.out_blocks * g.in_blocks, block_task, &g) &&
           (g.chunks == 1 || ursa_parallel_range(g.weights, 16384, sum_task, &g));
}

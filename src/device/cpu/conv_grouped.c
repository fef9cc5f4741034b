/* conv_grouped.c — convolutions in groups of few channels.
 *
 * A product of matrices to each group would have few columns, a fraction of a
 * vector. Here the vectors run over the channels that are written, of several
 * groups, and every lane multiplies the channels of its own group. For that the
 * image is spread out, a band of rows and a block of channels at a time: for
 * each d below the `depth`, the channels a group reads, there is a row in which
 * lane o has channel d of o's group. What remains is a depthwise convolution
 * with `depth` rows to a tap (simd/conv.h).
 *
 * Whatever is spread out comes as floats, so depthwise convolutions of images of
 * mixed types are computed here, too, and those with several filters to a
 * channel, whose groups read one channel and write several.
 */
#include "device/cpu/window.h"
#include "simd/conv.h"
#include "base/memory.h"
#include "base/parallel.h"

#include <stdlib.h>
#include <string.h>

#define MOST_DEPTH    4            /* with more channels, products that fill half a vector and more take less time */
#define BLOCK_VECTORS 4            /* as many as the kernels hold sums of */
#define BAND_BYTES    (160 * 1024) /* of what is spread out: it should stay in the second-level cache */
#define CHUNKS        32           /* of bands whose sums to the weights are added up apart, at most */
#define PARTIAL_LIMIT 2000000      /* floats of all these */

/* An image that is spread out for a window, block by block. */
struct spread {
    struct ursa_window window; /* over the spread image */
    const char *image;
    int64_t pixel;         /* its channels */
    ursa_dtype type, half; /* its own, and what it is rounded to; the same, or half is f32 */
    int64_t channels;      /* that are written */
    int64_t depth, block, blocks;
    int64_t band_rows, bands; /* rows of the grid in a band, bands of an image */
    int32_t *source;          /* of each channel written, the first of its group that is read */
    float *zero;
};

static ursa_dtype half_of(ursa_dtype a, ursa_dtype b)
{
    return ursa_is_half(a) ? a : ursa_is_half(b) ? b : URSA_F32;
}

static int64_t depth_of(const struct ursa_conv_shape *s, ursa_conv_pass pass)
{
    return pass == URSA_CONV_GRAD_INPUT ? s->group_out : s->group_in;
}

bool ursa_grouped_applies(const struct ursa_conv_shape *s, ursa_conv_pass pass)
{
    int64_t depth = depth_of(s, pass);
    return s->groups > 1 && (depth == 1 || (depth <= MOST_DEPTH && 2 * depth <= ursa_cpu_simd()->lanes));
}

/* The shape of the convolution, in which what is read is spread out. */
static struct ursa_conv_shape spread_shape(const struct ursa_conv_shape *s, ursa_conv_pass pass)
{
    struct ursa_conv_shape spread = *s;
    int64_t row = ursa_cpu_simd()->lanes * BLOCK_VECTORS * depth_of(s, pass);
    if (pass == URSA_CONV_GRAD_INPUT) {
        spread.out_channels = row;
        spread.out_type = URSA_F32;
    } else {
        spread.channels = row;
        spread.x_type = URSA_F32;
    }
    return spread;
}

/* Fills in all but the image; the window is over it. */
static bool spread_new(struct spread *g, const struct ursa_conv_shape *s, ursa_conv_pass pass)
{
    bool back = pass == URSA_CONV_GRAD_INPUT;
    int64_t read = depth_of(s, pass), written = back ? s->group_in : s->group_out;
    g->pixel = back ? s->out_channels : s->channels;
    g->channels = back ? s->channels : s->out_channels;
    g->depth = read;
    g->block = ursa_cpu_simd()->lanes * BLOCK_VECTORS;
    g->blocks = ursa_ceil_div(g->channels, g->block);
    g->zero = ursa_alloc_aligned((size_t)(g->depth * g->block) * sizeof(float) + (size_t)g->channels * sizeof(int32_t));
    if (!g->zero)
        return false;
    memset(g->zero, 0, (size_t)(g->depth * g->block) * sizeof(float));
    g->source = (int32_t *)(void *)(g->zero + g->depth * g->block);
    for (int64_t o = 0; o < g->channels; o++)
        g->source[o] = (int32_t)(o / written * read);
    return true;
}

/* As many rows of the grid in a band as the cache has room for. */
static void set_window(struct spread *g, const struct ursa_window *window)
{
    g->window = *window;
    g->window.zero = g->zero;
    int64_t rows = BAND_BYTES / (window->width * window->pitch), span = window->tap_high[0] - window->tap_low[0] + 1;
    g->band_rows = rows > span ? (rows - span) / window->stride[0] + 1 : 1;
    g->band_rows = g->band_rows < window->grid[0] ? g->band_rows : window->grid[0];
    g->bands = ursa_ceil_div(window->grid[0], g->band_rows);
}

/* A band in memory of the calling task. */
struct band {
    struct ursa_window window;
    int64_t row, rows;  /* that are read, counted through all images */
    int64_t begin, end; /* pixels of the grid, likewise */
    float *spread;
    const void **tap;
    void **out;
};

static int64_t limited(int64_t row, int64_t height)
{
    return row < 0 ? 0 : row > height ? height : row;
}

/* `more` floats are left for others behind the spread rows. */
static bool band_new(const struct spread *g, int64_t index, int64_t more, struct band *band)
{
    const struct ursa_window *w = &g->window;
    int64_t image = index / g->bands, first = index % g->bands * g->band_rows;
    int64_t count = w->grid[0] - first < g->band_rows ? w->grid[0] - first : g->band_rows;
    int64_t low = limited(first * w->stride[0] + w->tap_low[0], w->height);
    int64_t high = limited((first + count - 1) * w->stride[0] + w->tap_high[0] + 1, w->height);
    *band = (struct band){.window = *w, .row = image * w->height + low, .rows = high > low ? high - low : 0};
    band->begin = (image * w->grid[0] + first) * w->grid[1];
    band->end = band->begin + count * w->grid[1];
    int64_t pixels = band->end - band->begin, floats = band->rows * w->width * g->depth * g->block;
    band->spread = ursa_scratch(URSA_SLOT_TASK, (size_t)(floats + more + 1) * sizeof(float));
    band->tap = ursa_scratch(URSA_SLOT_ROWS, (size_t)(pixels * (w->taps + 1)) * sizeof *band->tap);
    if (!band->spread || !band->tap)
        return false;
    band->out = (void **)(band->tap + pixels * w->taps);
    band->window.image = (const char *)band->spread;
    band->window.top = band->row;
    ursa_window_find(&band->window, 0, band->begin, band->end, band->tap, band->out);
    return true;
}

static int64_t block_channels(const struct spread *g, int64_t block)
{
    int64_t left = g->channels - block * g->block;
    return left < g->block ? left : g->block;
}

static void spread_block(const struct spread *g, const struct band *band, int64_t block)
{
    int64_t pitch = g->pixel * (int64_t)ursa_dtype_size(g->type);
    struct ursa_spread spread = {
        .x = g->image + band->row * g->window.width * pitch,
        .pixels = band->rows * g->window.width,
        .pitch = g->pixel,
        .depth = g->depth,
        .source = g->source + block * g->block,
        .channels = block_channels(g, block),
        .row = g->block,
        .to = band->spread,
    };
    ursa_cpu_simd()->conv->spread[g->type][g->half](&spread);
}

/* ---- forward and gradient to the input ------------------------------------------- */

struct sums {
    struct spread spread;
    float *weights; /* [blocks, taps, depth, block] */
    const float *bias;
    ursa_dtype out_type;
    const ursa_activation *activation;
};

static void sum_task(void *context, int64_t index)
{
    const struct sums *s = context;
    const struct spread *g = &s->spread;
    int64_t taps = g->window.taps;
    struct band band;
    if (!band_new(g, index, 0, &band))
        return;
    for (int64_t b = 0; b < g->blocks; b++) {
        spread_block(g, &band, b);
        struct ursa_depthwise sums = {
            .tap = band.tap,
            .pixels = band.end - band.begin,
            .taps = taps,
            .depth = g->depth,
            .channels = block_channels(g, b),
            .row = g->block,
            .w = s->weights + b * taps * g->depth * g->block,
            .bias = s->bias ? s->bias + b * g->block : NULL,
            .out = band.out,
            .first = b * g->block,
        };
        ursa_depthwise_sum(&sums, URSA_F32, s->out_type, s->activation);
    }
}

/* In [O, KH, KW, I / groups], weights of group `group` from the channel written, r, to the channel read, d. */
struct filters {
    const float *w;
    int64_t group, r, d; /* strides */
};

static void pack_weights(const struct sums *s, const struct filters *f, int64_t written, const int64_t *tap_weight)
{
    const struct spread *g = &s->spread;
    for (int64_t o = 0; o < g->channels; o++) {
        const float *from = f->w + o / written * f->group + o % written * f->r;
        float *to = s->weights + o / g->block * g->window.taps * g->depth * g->block + o % g->block;
        for (int64_t t = 0; t < g->window.taps; t++)
            for (int64_t d = 0; d < g->depth; d++, to += g->block)
                *to = from[tap_weight[t] + d * f->d];
    }
}

static bool sums_new(struct sums *sums, const struct ursa_conv_shape *s, ursa_conv_pass pass, struct ursa_taps *taps)
{
    struct spread *g = &sums->spread;
    if (!spread_new(g, s, pass))
        return false;
    int64_t floats = g->blocks * s->kernel[0] * s->kernel[1] * g->depth * g->block;
    sums->weights = ursa_alloc_aligned((size_t)floats * sizeof(float));
    if (sums->weights && ursa_taps_new(taps, s))
        return true;
    free(sums->weights);
    free(g->zero);
    return false;
}

static void sums_free(struct sums *sums, struct ursa_taps *taps)
{
    ursa_taps_free(taps);
    free(sums->weights);
    free(sums->spread.zero);
}

bool ursa_grouped_forward(const struct ursa_conv_shape *s, const void *x, const void *weights, const float *bias,
                          const ursa_activation *activation, void *out)
{
    ursa_dtype half = half_of(s->x_type, s->w_type);
    const float *w = ursa_conv_weights(s, weights, s->x_type);
    struct sums sums = {.bias = bias, .out_type = s->out_type, .activation = activation};
    struct ursa_taps taps;
    if (!w || !sums_new(&sums, s, URSA_CONV_FORWARD, &taps))
        return false;
    struct ursa_conv_shape shape = spread_shape(s, URSA_CONV_FORWARD);
    struct ursa_window window = ursa_window_forward(&shape, &taps, NULL, out);
    int64_t filter = s->kernel[0] * s->kernel[1] * s->group_in;
    sums.spread.image = x;
    sums.spread.type = s->x_type;
    sums.spread.half = half;
    set_window(&sums.spread, &window);
    pack_weights(&sums, &(struct filters){w, s->group_out * filter, filter, 1}, s->group_out, taps.weight);
    bool done = ursa_parallel(s->images * sums.spread.bands, sum_task, &sums);
    sums_free(&sums, &taps);
    return done;
}

bool ursa_grouped_grad_input(const struct ursa_conv_shape *s, const void *dy, const void *weights, void *dx)
{
    ursa_dtype half = half_of(s->out_type, s->w_type);
    const float *w = ursa_conv_weights(s, weights, s->out_type);
    struct sums sums = {.out_type = s->x_type};
    struct ursa_taps taps;
    if (!w || !sums_new(&sums, s, URSA_CONV_GRAD_INPUT, &taps))
        return false;
    struct ursa_conv_shape shape = spread_shape(s, URSA_CONV_GRAD_INPUT);
    int64_t filter = s->kernel[0] * s->kernel[1] * s->group_in;
    sums.spread.image = dy;
    sums.spread.type = s->out_type;
    sums.spread.half = half;
    bool done = true;
    for (int64_t phase = 0; done && phase < ursa_window_phases(s); phase++) {
        struct ursa_window window = ursa_window_phase(&shape, &taps, phase, NULL, dx);
        set_window(&sums.spread, &window);
        pack_weights(&sums, &(struct filters){w, s->group_out * filter, 1, filter}, s->group_in, taps.weight);
        done = ursa_parallel(s->images * sums.spread.bands, sum_task, &sums);
    }
    sums_free(&sums, &taps);
    return done;
}

/* ---- gradient to the weights ------------------------------------------------------ */

struct gradient {
    struct spread spread; /* of x */
    const char *dy;
    ursa_dtype type, half;
    int32_t *in_place;     /* the source of dy: o for every o */
    int64_t chunk, chunks; /* bands in a chunk */
    int64_t rows;          /* taps × depth */
    float *partial;        /* [chunks, blocks, taps, depth, block] */
    float *dw;             /* [blocks × block, taps, depth] */
};

/* dy of a band as floats, and how far apart its pixels are. */
static const float *floats_of(const struct gradient *g, const struct band *band, int64_t block, float *room,
                              int64_t *pitch)
{
    const struct spread *s = &g->spread;
    int64_t size = (int64_t)ursa_dtype_size(g->type), pixels = band->end - band->begin;
    const char *dy = g->dy + band->begin * s->channels * size;
    *pitch = s->channels;
    if (g->half == URSA_F32)
        return (const float *)(const void *)dy + block * s->block;
    *pitch = s->block;
    struct ursa_spread spread = {
        .x = dy,
        .pixels = pixels,
        .pitch = s->channels,
        .depth = 1,
        .source = g->in_place + block * s->block,
        .channels = block_channels(s, block),
        .row = s->block,
        .to = room,
    };
    ursa_cpu_simd()->conv->spread[g->type][g->half](&spread);
    return room;
}

static void weight_task(void *context, int64_t index)
{
    const struct gradient *g = context;
    const struct spread *s = &g->spread;
    int64_t block = index % s->blocks, chunk = index / s->blocks, all = g->spread.window.images * s->bands;
    int64_t end = (chunk + 1) * g->chunk < all ? (chunk + 1) * g->chunk : all;
    int64_t room = s->band_rows * s->window.grid[1] * s->block;
    float *sums = g->partial + index * g->rows * s->block;
    memset(sums, 0, (size_t)(g->rows * s->block) * sizeof *sums);
    for (int64_t i = chunk * g->chunk; i < end; i++) {
        struct band band;
        if (!band_new(s, i, room, &band))
            return;
        spread_block(s, &band, block);
        struct ursa_depthwise_weight weight = {
            .tap = band.tap,
            .pixels = band.end - band.begin,
            .taps = s->window.taps,
            .depth = s->depth,
            .channels = block_channels(s, block),
            .row = s->block,
            .dw = sums,
        };
        float *behind = band.spread + band.rows * s->window.width * s->depth * s->block;
        weight.dy = floats_of(g, &band, block, behind, &weight.dy_pitch);
        ursa_cpu_simd()->conv->depthwise_weight[URSA_F32](&weight);
    }
}

/* Adds the partial sums of channels in order. */
static void collect_range(void *context, int64_t begin, int64_t end)
{
    const struct gradient *g = context;
    const struct spread *s = &g->spread;
    int64_t chunk = s->blocks * g->rows * s->block;
    for (int64_t o = begin; o < end; o++)
        for (int64_t row = 0; row < g->rows; row++) {
            const float *from = g->partial + (o / s->block * g->rows + row) * s->block + o % s->block;
            float sum = 0;
            for (int64_t i = 0; i < g->chunks; i++)
                sum += from[i * chunk];
            g->dw[o * g->rows + row] = sum;
        }
}

static void plan_chunks(struct gradient *g)
{
    const struct spread *s = &g->spread;
    int64_t bands = s->window.images * s->bands, sums = s->blocks * g->rows * s->block;
    int64_t chunks = ursa_ceil_div(CHUNKS, s->blocks), room = PARTIAL_LIMIT / sums + 1;
    g->chunk = ursa_ceil_div(bands, chunks < room ? chunks : room);
    g->chunks = ursa_ceil_div(bands, g->chunk);
}

bool ursa_grouped_grad_weight(const struct ursa_conv_shape *s, const void *x, const void *dy, float *dw)
{
    struct gradient g = {.dy = dy, .type = s->out_type, .half = half_of(s->x_type, s->out_type), .dw = dw};
    struct ursa_taps taps;
    if (!spread_new(&g.spread, s, URSA_CONV_GRAD_WEIGHT))
        return false;
    bool done = ursa_taps_new(&taps, s);
    if (done) {
        struct ursa_conv_shape shape = spread_shape(s, URSA_CONV_GRAD_WEIGHT);
        struct ursa_window window = ursa_window_forward(&shape, &taps, NULL, dw);
        window.out_pitch = 0; /* only the taps are wanted */
        g.spread.image = x;
        g.spread.type = s->x_type;
        g.spread.half = g.half;
        g.rows = window.taps * g.spread.depth;
        set_window(&g.spread, &window);
        plan_chunks(&g);
        int64_t tasks = g.chunks * g.spread.blocks;
        g.in_place = ursa_scratch(URSA_SLOT_WEIGHTS, (size_t)s->out_channels * sizeof *g.in_place);
        g.partial = ursa_scratch(URSA_SLOT_PANELS, (size_t)(tasks * g.rows * g.spread.block) * sizeof(float));
        for (int64_t o = 0; g.in_place && o < s->out_channels; o++)
            g.in_place[o] = (int32_t)o;
        done = g.in_place && g.partial && ursa_parallel(tasks, weight_task, &g) &&
               ursa_parallel_range(s->out_channels, 64, collect_range, &g);
        ursa_taps_free(&taps);
    }
    free(g.spread.zero);
    return done;
}

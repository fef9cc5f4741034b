/* conv_weight.c — the gradient of a convolution to its weights.
 *
 *     dw[o][tap][c] = Σ over output pixels p of dy[p][o] x[pixel under tap at p][c]
 *
 * For one tap this is a product of two matrices whose inner dimension is the
 * pixels, and both lie with their channels side by side, which is what the
 * micro-kernel wants of its factors. Only their distance is wrong: pixels are
 * a power of two of bytes apart, as often as not, and would fight for the same
 * few lines of the cache. So a band of pixels of both is copied to an odd
 * pitch once and used for all taps; a list of pairs says which pixel of dy
 * meets which of x. Pairs with a pixel outside the image are left out. With a
 * single tap and no border, all pixels of dy meet a pixel of x, in order: then
 * x is copied into panels, and the tile of plain products takes them.
 *
 * Where words are pairs (simd/gemm.h), a word is two neighbours in a row of dy,
 * and the two pixels of x they meet, a stride apart. A tap may begin anywhere,
 * so there is a word for every pixel, each of which is then in two, and a list
 * takes every other one. Past the end of a row stands zero. A list that is odd
 * ends with half a word: in dy or in x its partner is past the end, but in the
 * other it may be a pixel, and zero times infinity is not a number. There the
 * half stands once more behind the row, with zero beside it.
 *
 * Bands are added up in order within a chunk, the chunks in parallel into
 * sums of their own, which are added in order at the end. The number of chunks
 * depends on the shape alone.
 */
#include "device/cpu/window.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "simd/convert.h"

#include <stdlib.h>
#include <string.h>

#define BAND_PIXELS   256 /* of dy in a band */
#define OUT_BLOCK     144 /* channels of dy, and of x, that a task takes */
#define IN_BLOCK      64
#define POINT_BLOCK   192     /* either, where there is a single tap to pack them for */
#define TASKS         32      /* wanted */
#define PARTIAL_LIMIT 2000000 /* floats in all partial sums */
#define LINE          16      /* floats of a cache line */

struct gradient {
    struct ursa_conv_shape shape;
    const struct ursa_simd_gemm *simd;
    const char *x, *dy;
    int64_t x_size, dy_size; /* bytes of an element */
    float *dw, *partial;     /* chunk 0 sums into dw, chunk i into partial[i - 1] */
    int64_t weights;         /* elements of dw */

    int64_t band_images, band_rows, bands_per_image, bands; /* images in a band, or rows of one image */
    int64_t chunk_bands, chunks;
    int64_t out_block, out_blocks, in_block, in_blocks;

    const struct ursa_conv_shape *windows; /* of a stem, whose windows are packed whole: then shape is what they make */
    bool points;                           /* a single tap and no border */
    int64_t hop, row_words, x_words;       /* pixels of dy from one word to the next, words of a row of dy and of x */
    int64_t halves;                        /* words behind a row of dy and of x, one to a column of the window */
};

struct band {
    int64_t image, images; /* first, number */
    int64_t row, rows;     /* of each */
    int64_t x_row, x_rows; /* the rows of x they read, of each image */
};

static struct band band_at(const struct gradient *g, int64_t index)
{
    const struct ursa_conv_shape *s = &g->shape;
    struct band band;
    band.image = index / g->bands_per_image * g->band_images;
    band.images = s->images - band.image < g->band_images ? s->images - band.image : g->band_images;
    band.row = index % g->bands_per_image * g->band_rows;
    band.rows = s->out_height - band.row < g->band_rows ? s->out_height - band.row : g->band_rows;
    int64_t low = band.row * s->stride[0] - s->pad[0];
    int64_t high = (band.row + band.rows - 1) * s->stride[0] - s->pad[0] + (s->kernel[0] - 1) * s->dilation[0] + 1;
    low = low < 0 ? 0 : low > s->height ? s->height : low;
    high = high > s->height ? s->height : high < low ? low : high;
    band.x_row = low;
    band.x_rows = high - low;
    return band;
}

/* ---- a band, packed ------------------------------------------------------------ */

struct packed {
    float *dy; /* in slices as high as a tile, or strips */
    float *x_room;
    int64_t x_pitch;
    int32_t *pairs;
    int64_t *counts; /* of pairs, per tap; pairs of tap t begin at 2 t pixels */
    float **row;     /* of dw, for points */
};

/* The first and last + 1 output position that reads inside `extent` under a tap at `offset`. */
static void valid_range(int64_t offset, int64_t stride, int64_t extent, int64_t count, int64_t *begin, int64_t *end)
{
    int64_t first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
    int64_t last = extent - offset > 0 ? (extent - offset + stride - 1) / stride : 0;
    *begin = first;
    *end = last < count ? last : count;
}

/* The pixels in whose place stands half a word when a list ends, under taps of this column of the window; -1: the word
 * itself has no partner, or there is no such end. */
struct half_word {
    int64_t dy, x;
};

static struct half_word half_word_at(const struct gradient *g, int64_t column)
{
    const struct ursa_conv_shape *s = &g->shape;
    struct half_word half = {-1, -1};
    int64_t right = column * s->dilation[1] - s->pad[1], begin, end;
    valid_range(right, s->stride[1], s->width, s->out_width, &begin, &end);
    if (!g->halves || begin >= end || (end - begin) % 2 == 0)
        return half;
    int64_t x = (end - 1) * s->stride[1] + right;
    if (end < s->out_width)
        half.dy = end - 1;
    if (x + s->stride[1] < s->width)
        half.x = x;
    return half;
}

static int64_t list_pairs(const struct gradient *g, const struct band *band, const struct packed *packed, int64_t tap,
                          int32_t *pairs)
{
    const struct ursa_conv_shape *s = &g->shape;
    int64_t below = tap / s->kernel[1] * s->dilation[0] - s->pad[0];
    int64_t column = tap % s->kernel[1], right = column * s->dilation[1] - s->pad[1];
    struct half_word half = half_word_at(g, column);
    int64_t begin, end;
    valid_range(right, s->stride[1], s->width, s->out_width, &begin, &end);
    int32_t *pair = pairs;
    int32_t depth = g->simd->depth, dy_step = g->simd->rows, x_pitch = (int32_t)packed->x_pitch;
    int32_t hop = (int32_t)g->hop;
    for (int64_t n = 0; n < band->images; n++)
        for (int64_t j = 0; j < band->rows; j++) {
            int64_t row = (band->row + j) * s->stride[0] + below;
            if (row < 0 || row >= s->height)
                continue;
            int64_t dy_row = (n * band->rows + j) * g->row_words;
            int64_t x_row = (n * band->x_rows + row - band->x_row) * g->x_words;
            int32_t dy_at = (int32_t)(dy_row + begin / hop) * dy_step;
            int32_t x_at = (int32_t)(x_row + (begin * s->stride[1] + right) / hop) * x_pitch;
            for (int64_t i = begin; i < end; i += depth) {
                *pair++ = dy_at;
                *pair++ = x_at;
                dy_at += depth / hop * dy_step;
                x_at += depth / hop * (int32_t)s->stride[1] * x_pitch;
            }
            if (half.dy >= 0)
                pair[-2] = (int32_t)(dy_row + s->out_width + column) * dy_step;
            if (half.x >= 0)
                pair[-1] = (int32_t)(x_row + s->width + column) * x_pitch;
        }
    return (pair - pairs) / 2;
}

/* ---- tasks ---------------------------------------------------------------------- */

struct place {
    int64_t chunk, group;
    int64_t out, outs, in, ins; /* channels of the group */
};

static struct place place_at(const struct gradient *g, int64_t index)
{
    const struct ursa_conv_shape *s = &g->shape;
    struct place place;
    place.in = index % g->in_blocks * g->in_block;
    index /= g->in_blocks;
    place.out = index % g->out_blocks * g->out_block;
    index /= g->out_blocks;
    place.group = index % s->groups;
    place.chunk = index / s->groups;
    place.ins = s->group_in - place.in < g->in_block ? s->group_in - place.in : g->in_block;
    place.outs = s->group_out - place.out < g->out_block ? s->group_out - place.out : g->out_block;
    return place;
}

static int64_t taps_of(const struct gradient *g)
{
    return g->shape.kernel[0] * g->shape.kernel[1];
}

/* The whole window of every pixel of dy, from the padded image of a stem. */
static void pack_windows(const struct gradient *g, const struct band *band, const struct packed *packed)
{
    const struct ursa_conv_shape *s = g->windows;
    int64_t pitch = s->width * s->channels * g->x_size, run = s->group_in;
    for (int64_t n = 0; n < band->images; n++)
        for (int64_t j = 0; j < band->rows; j++)
            for (int64_t k = 0; k < s->kernel[0]; k++) {
                int64_t row = (band->row + j) * s->stride[0] + k * s->dilation[0];
                const char *from = g->x + ((band->image + n) * s->height + row) * pitch;
                struct ursa_rows rows = {from, s->stride[1] * s->channels, s->out_width, g->hop, 1};
                float *to = packed->x_room + (n * band->rows + j) * g->row_words * packed->x_pitch + k * run;
                g->simd->copy(&rows, run, run, to, packed->x_pitch);
            }
}

/* Words of a band of dy. */
static int64_t words_of(const struct gradient *g, const struct band *band)
{
    return band->images * band->rows * g->row_words;
}

/* Slices of the pixels, for tiles. Words that end with the rows of dy do so by themselves. */
static void slice_dy(const struct gradient *g, const struct band *band, const char *dy, int64_t outs, float *slices)
{
    const struct ursa_conv_shape *s = &g->shape;
    int64_t words = words_of(g, band), rows = band->images * band->rows;
    int64_t together = s->out_width % g->hop ? 1 : rows;
    for (int64_t row = 0; row < rows; row += together) {
        const char *from = dy + row * s->out_width * s->out_channels * g->dy_size;
        struct ursa_rows pixels = {from, s->out_channels, together * s->out_width, g->hop, 1};
        g->simd->slice(&pixels, outs, row * g->row_words, slices, ursa_slice_floats(g->simd, words));
    }
}

/* Strips of the pixels, for pairs. */
static void strip_dy(const struct gradient *g, const struct band *band, const char *dy, int64_t outs, float *strips)
{
    const struct ursa_conv_shape *s = &g->shape;
    int64_t size = ursa_slice_floats(g->simd, words_of(g, band));
    for (int64_t row = 0; row < band->images * band->rows; row++) {
        const char *from = dy + row * s->out_width * s->out_channels * g->dy_size;
        struct ursa_rows pixels = {from, s->out_channels, s->out_width, g->hop, 1};
        g->simd->strips(&pixels, outs, row * g->row_words, strips, size);
        for (int64_t i = 0; i < g->halves; i++) {
            int64_t pixel = half_word_at(g, i).dy;
            if (pixel < 0)
                continue;
            struct ursa_rows half = {from + pixel * s->out_channels * g->dy_size, 0, 1, 1, 1};
            g->simd->strips(&half, outs, row * g->row_words + s->out_width + i, strips, size);
        }
    }
}

static void pack_x(const struct gradient *g, const struct place *place, const struct band *band, const char *x,
                   const struct packed *packed)
{
    const struct ursa_conv_shape *s = &g->shape;
    int64_t tiled = ursa_ceil_div(place->ins, g->simd->columns) * g->simd->columns;
    float *to = packed->x_room;
    for (int64_t n = 0; n < band->images; n++)
        for (int64_t j = 0; j < band->x_rows; j++, to += g->x_words * packed->x_pitch) {
            const char *from = x + (n * s->height + j) * s->width * s->channels * g->x_size;
            struct ursa_rows rows = {from, s->channels, s->width, 1, s->stride[1]};
            g->simd->copy(&rows, place->ins, tiled, to, packed->x_pitch);
            for (int64_t i = 0; i < g->halves; i++) {
                int64_t pixel = half_word_at(g, i).x;
                if (pixel < 0)
                    continue;
                struct ursa_rows half = {from + pixel * s->channels * g->x_size, 0, 1, 1, 1};
                g->simd->copy(&half, place->ins, tiled, to + (s->width + i) * packed->x_pitch, packed->x_pitch);
            }
        }
}

/* Panels of the pixels that are read. */
static void pack_points(const struct gradient *g, const struct place *place, const struct band *band, const char *x,
                        const struct packed *packed)
{
    const struct ursa_conv_shape *s = &g->shape;
    int64_t columns = g->simd->columns;
    for (int64_t n = 0; n < band->images; n++)
        for (int64_t j = 0; j < band->rows; j++) {
            const char *from = x + (n * s->height + j * s->stride[0]) * s->width * s->channels * g->x_size;
            float *to = packed->x_room + (n * band->rows + j) * g->row_words * columns;
            struct ursa_rows rows = {from, s->stride[1] * s->channels, s->out_width, g->hop, 1};
            g->simd->panels(&rows, place->ins, to, words_of(g, band) * columns);
        }
}

static void pack_band(const struct gradient *g, const struct place *place, const struct band *band,
                      struct packed *packed)
{
    const struct ursa_conv_shape *s = &g->shape;
    /* The rows of a band lie one behind the other; those of several images are whole images. */
    int64_t dy_pixel = (band->image * s->out_height + band->row) * s->out_width;
    int64_t x_pixel = (band->image * s->height + band->x_row) * s->width;
    int64_t pixels = band->images * band->rows * s->out_width;
    const char *dy = g->dy + (dy_pixel * s->out_channels + place->group * s->group_out + place->out) * g->dy_size;
    const char *x = g->x + (x_pixel * s->channels + place->group * s->group_in + place->in) * g->x_size;
    if (g->points) {
        slice_dy(g, band, dy, place->outs, packed->dy);
        pack_points(g, place, band, x, packed);
        return;
    }
    strip_dy(g, band, dy, place->outs, packed->dy);
    if (g->windows)
        pack_windows(g, band, packed);
    else
        pack_x(g, place, band, x, packed);
    for (int64_t t = 0; t < taps_of(g); t++)
        packed->counts[t] = list_pairs(g, band, packed, t, packed->pairs + 2 * t * pixels);
}

/* Where the dy of the next band is, if no other task has brought it near: the tiles fetch it. */
static const char *next_dy(const struct gradient *g, const struct band *band)
{
    const struct ursa_conv_shape *s = &g->shape;
    int64_t next = (band->image + band->images - 1) * s->out_height + band->row + band->rows;
    bool last = next == s->images * s->out_height;
    return last || s->groups * g->out_blocks > 1 ? NULL : g->dy + next * s->out_width * s->out_channels * g->dy_size;
}

static void add_band(const struct gradient *g, const struct place *place, const struct band *band,
                     const struct packed *packed, bool add, float *dw)
{
    const struct ursa_conv_shape *s = &g->shape;
    int64_t taps = taps_of(g), pixels = band->images * band->rows * s->out_width;
    struct ursa_pairs tile = {.out_stride = taps * s->group_in, .add = add};
    const char *fetch = next_dy(g, band);
    const char *end = g->dy + s->images * s->out_height * s->out_width * s->out_channels * g->dy_size;
    int64_t strip = ursa_slice_floats(g->simd, words_of(g, band));
    dw += (place->group * s->group_out + place->out) * tile.out_stride + place->in;
    for (int64_t t = 0; t < taps; t++) {
        tile.pair = packed->pairs + 2 * t * pixels;
        tile.count = packed->counts[t];
        for (int64_t c = 0; c < place->ins; c += g->simd->pair_columns) {
            tile.width = (int)(place->ins - c < g->simd->pair_columns ? place->ins - c : g->simd->pair_columns);
            tile.b = packed->x_room + c;
            for (int64_t o = 0; o < place->outs; o += g->simd->rows) {
                tile.height = (int)(place->outs - o < g->simd->rows ? place->outs - o : g->simd->rows);
                tile.a = packed->dy + o / g->simd->rows * strip;
                tile.out = dw + o * tile.out_stride + t * s->group_in + c;
                int64_t fetched = tile.count * URSA_FETCH_STEP * (int64_t)sizeof(float);
                tile.fetch = (const float *)(const void *)fetch;
                g->simd->pairs(&tile);
                if (fetch)
                    fetch = end - fetch > fetched ? fetch + fetched : NULL;
            }
        }
    }
}

static void add_points(const struct gradient *g, const struct place *place, const struct band *band,
                       const struct packed *packed, bool add, float *dw)
{
    int64_t words = words_of(g, band), columns = g->simd->columns;
    struct ursa_tile tile = {.length = words, .alpha = 1, .beta = add ? 1 : 0};
    for (int64_t o = 0; o < place->outs; o++)
        packed->row[o] = dw + (place->group * g->shape.group_out + place->out + o) * g->shape.group_in + place->in;
    for (int64_t c = 0; c < place->ins; c += columns) {
        tile.width = (int)(place->ins - c < columns ? place->ins - c : columns);
        tile.column = c;
        tile.b = packed->x_room + c * words;
        for (int64_t o = 0; o < place->outs; o += g->simd->rows) {
            tile.height = (int)(place->outs - o < g->simd->rows ? place->outs - o : g->simd->rows);
            tile.slice = packed->dy + o / g->simd->rows * ursa_slice_floats(g->simd, words);
            tile.out = packed->row + o;
            g->simd->tile(&tile);
        }
    }
}

static bool packed_new(const struct gradient *g, const struct place *place, struct packed *packed)
{
    const struct ursa_conv_shape *s = &g->shape;
    struct band first = band_at(g, 0);
    int64_t taps = taps_of(g), pixels = first.images * first.rows * s->out_width;
    int64_t x_rows = (first.rows - 1) * s->stride[0] + (s->kernel[0] - 1) * s->dilation[0] + 1;
    if (x_rows > s->height)
        x_rows = s->height;
    int64_t words = words_of(g, &first), x_words = g->points || g->windows ? words : first.images * x_rows * g->x_words;
    int64_t tiled = ursa_ceil_div(place->ins, g->simd->columns) * g->simd->columns;
    int64_t slices = ursa_ceil_div(place->outs, g->simd->rows);
    int64_t dy_floats = slices * ursa_slice_floats(g->simd, words);
    dy_floats = ursa_ceil_div(dy_floats, LINE) * LINE;
    /* A window is copied in vectors, of which the last may be too long. */
    packed->x_pitch = g->points ? tiled : ursa_odd_pitch(tiled + (g->windows ? ursa_cpu_simd()->lanes : 0));
    packed->row = ursa_scratch(URSA_SLOT_ROWS, (size_t)g->out_block * sizeof(float *));
    float *memory =
        ursa_scratch(URSA_SLOT_TASK, (size_t)(dy_floats + x_words * packed->x_pitch) * sizeof(float) +
                                         (size_t)taps * (sizeof(int64_t) + 2 * (size_t)pixels * sizeof(int32_t)));
    if (!memory || !packed->row)
        return false;
    packed->dy = memory;
    packed->x_room = packed->dy + dy_floats;
    packed->counts = (int64_t *)(packed->x_room + x_words * packed->x_pitch);
    packed->pairs = (int32_t *)(packed->counts + taps);
    return true;
}

static void chunk_task(void *context, int64_t index)
{
    const struct gradient *g = context;
    struct place place = place_at(g, index);
    struct packed packed;
    if (!packed_new(g, &place, &packed))
        return;
    float *dw = place.chunk == 0 ? g->dw : g->partial + (place.chunk - 1) * g->weights;
    int64_t begin = place.chunk * g->chunk_bands, end = begin + g->chunk_bands;
    ursa_kernels_begin(g->simd);
    for (int64_t i = begin; i < end && i < g->bands; i++) {
        struct band band = band_at(g, i);
        pack_band(g, &place, &band, &packed);
        if (g->points)
            add_points(g, &place, &band, &packed, i > begin, dw);
        else
            add_band(g, &place, &band, &packed, i > begin, dw);
    }
    ursa_kernels_end(g->simd);
}

static void sum_task(void *context, int64_t begin, int64_t end)
{
    const struct gradient *g = context;
    for (int64_t i = 0; i < g->chunks - 1; i++)
        g->simd->add(g->partial + i * g->weights + begin, g->dw + begin, end - begin);
}

/* ---- the operator ----------------------------------------------------------------- */

static int64_t balanced(int64_t extent, int64_t block, int64_t unit)
{
    int64_t blocks = ursa_ceil_div(extent, block);
    return ursa_ceil_div(ursa_ceil_div(extent, blocks), unit) * unit;
}

static void plan(struct gradient *g)
{
    const struct ursa_conv_shape *s = &g->shape;
    int64_t image = s->out_height * s->out_width;
    g->band_images = image < BAND_PIXELS ? BAND_PIXELS / image : 1;
    g->band_rows = image < BAND_PIXELS ? s->out_height : ursa_ceil_div(BAND_PIXELS, s->out_width);
    if (g->band_rows > s->out_height)
        g->band_rows = s->out_height;
    if (g->band_images > s->images)
        g->band_images = s->images;
    g->bands_per_image = ursa_ceil_div(s->out_height, g->band_rows);
    g->bands = ursa_ceil_div(s->images, g->band_images) * g->bands_per_image;

    g->out_block = balanced(s->group_out, g->points ? POINT_BLOCK : OUT_BLOCK, g->simd->rows);
    g->out_blocks = ursa_ceil_div(s->group_out, g->out_block);
    g->in_block = balanced(s->group_in,
                           g->points    ? POINT_BLOCK
                           : g->windows ? s->group_in
                                        : IN_BLOCK,
                           g->simd->columns);
    g->in_blocks = ursa_ceil_div(s->group_in, g->in_block);

    int64_t wanted = ursa_ceil_div(TASKS, g->out_blocks * g->in_blocks * s->groups);
    int64_t room = PARTIAL_LIMIT / g->weights + 1;
    int64_t chunks = wanted < room ? wanted : room;
    g->chunk_bands = ursa_ceil_div(g->bands, chunks);
    g->chunks = ursa_ceil_div(g->bands, g->chunk_bands);
}

/* Whether a tap may lie outside the image: dy may also be larger than the image needs. */
static bool has_border(const struct ursa_conv_shape *s)
{
    return s->pad[0] || s->pad[1] || (s->out_height - 1) * s->stride[0] >= s->height ||
           (s->out_width - 1) * s->stride[1] >= s->width;
}

static bool grad_weight(const struct ursa_conv_shape *s, const struct ursa_conv_shape *windows, const void *x,
                        const void *dy, float *dw)
{
    struct gradient g = {.shape = *s, .simd = ursa_product_kernels(s->out_type, s->x_type), .x = x, .dy = dy, .dw = dw};
    g.x_size = (int64_t)ursa_dtype_size(s->x_type);
    g.dy_size = (int64_t)ursa_dtype_size(s->out_type);
    g.weights = s->out_channels * taps_of(&g) * s->group_in;
    g.windows = windows;
    g.points = !windows && taps_of(&g) == 1 && !has_border(s);
    g.hop = g.points || windows ? g.simd->depth : 1;
    g.halves = g.hop < g.simd->depth ? s->kernel[1] : 0;
    g.row_words = ursa_ceil_div(s->out_width, g.hop) + g.halves;
    g.x_words = windows ? g.row_words : s->width + g.halves;
    plan(&g);
    if (g.chunks > 1) {
        g.partial = ursa_scratch(URSA_SLOT_PANELS, (size_t)((g.chunks - 1) * g.weights) * sizeof(float));
        if (!g.partial)
            return false;
    }
    if (!ursa_parallel(g.chunks * s->groups * g.out_blocks * g.in_blocks, chunk_task, &g))
        return false;
    return g.chunks == 1 || ursa_parallel_range(g.weights, 16384, sum_task, &g);
}

/* The windows of a stem as pixels of an image: a convolution with a single tap. */
static struct ursa_conv_shape window_points(const struct ursa_conv_shape *stem)
{
    struct ursa_conv_shape points = *stem;
    points.height = stem->out_height;
    points.width = stem->out_width;
    points.channels = points.group_in = stem->kernel[0] * stem->group_in;
    points.kernel[0] = points.stride[0] = points.stride[1] = points.dilation[0] = 1;
    return points;
}

static bool run_method(const struct ursa_conv_shape *s, const void *x, const void *dy, float *dw)
{
    switch (ursa_conv_choose(s, URSA_CONV_GRAD_WEIGHT)) {
    case URSA_CONV_DEPTHWISE:
        return ursa_depthwise_grad_weight(s, x, dy, dw);
    case URSA_CONV_GROUPED:
        return ursa_grouped_grad_weight(s, x, dy, dw);
    case URSA_CONV_WINOGRAD:
        return ursa_winograd_grad_weight(s, x, dy, dw);
    case URSA_CONV_STEM: {
        struct ursa_conv_shape stem = ursa_stem_shape(s);
        const void *padded = ursa_stem_image(s, &stem, x);
        struct ursa_conv_shape points = window_points(&stem);
        return padded && grad_weight(&points, &stem, padded, dy, dw);
    }
    default:
        return grad_weight(s, NULL, x, dy, dw);
    }
}

/* Sums are floats; those that are wanted in a half type are rounded in the end. */
static bool run_rounded(const struct ursa_conv_shape *s, const void *x, const void *dy, int64_t count, void *dw)
{
    float *sums = ursa_alloc_array((size_t)count, sizeof *sums);
    bool done = sums && run_method(s, x, dy, sums);
    if (done)
        ursa_cpu_simd()->convert->kernel[URSA_F32][s->w_type](count, sums, dw);
    free(sums);
    return done;
}

bool ursa_cpu_conv2d_grad_weight(ursa_device *device, const struct ursa_conv2d_grad_weight_args *args)
{
    (void)device;
    struct ursa_conv_shape s = ursa_conv_shape_of(&args->geometry, &args->x, &args->dw, &args->dy);
    const void *x = ursa_cpu_data(&args->x), *dy = ursa_cpu_data(&args->dy);
    void *dw = ursa_cpu_data(&args->dw);
    int64_t count = ursa_array_count(&args->dw);
    if (count == 0)
        return true;
    if (ursa_array_count(&args->x) == 0 || ursa_array_count(&args->dy) == 0) {
        memset(dw, 0, (size_t)count * ursa_dtype_size(args->dw.dtype));
        return true;
    }
    return ursa_is_half(s.w_type) ? run_rounded(&s, x, dy, count, dw) : run_method(&s, x, dy, dw);
}

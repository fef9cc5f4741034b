/* conv_stem.c — convolutions of images with few channels, as in the first
 * layer of a network.
 *
 * With three channels, a tap is three numbers: too short for a segment of the
 * inner dimension, and a fraction of a vector. But in [N, H, W, C] the taps of
 * one row of the window lie side by side, and are one run of KW C numbers. So
 * the image is copied once with its border of zeros, after which every run is
 * whole, and the convolution is one with KH taps of KW C "channels" each,
 * whose pixels happen to overlap.
 */
#include "device/cpu/window.h"
#include "base/memory.h"
#include "base/parallel.h"

#include <stdlib.h>
#include <string.h>

bool ursa_stem_applies(const struct ursa_conv_shape *s)
{
    return s->groups == 1 && s->channels <= 8 && s->kernel[1] > 1 && s->dilation[1] == 1;
}

struct ursa_conv_shape ursa_stem_shape(const struct ursa_conv_shape *s)
{
    struct ursa_conv_shape stem = *s;
    stem.height = (s->out_height - 1) * s->stride[0] + (s->kernel[0] - 1) * s->dilation[0] + 1;
    stem.width = (s->out_width - 1) * s->stride[1] + s->kernel[1];
    stem.pad[0] = stem.pad[1] = 0;
    stem.kernel[1] = 1;
    stem.group_in = s->kernel[1] * s->channels;
    return stem;
}

/* ---- the border ----------------------------------------------------------------- */

struct border {
    const struct ursa_conv_shape *shape, *stem;
    const float *x;
    float *padded;
};

/* Row `row` of the padded image from row - pad of the image. */
static void pad_rows(void *context, int64_t begin, int64_t end)
{
    const struct border *b = context;
    const struct ursa_conv_shape *s = b->shape;
    int64_t channels = s->channels, first = s->pad[1], last = first + s->width;
    first = first < b->stem->width ? first : b->stem->width;
    last = last < b->stem->width ? last : b->stem->width;
    for (int64_t i = begin; i < end; i++) {
        float *to = b->padded + i * b->stem->width * channels;
        int64_t image = i / b->stem->height, row = i % b->stem->height - s->pad[0];
        if (row < 0 || row >= s->height) {
            memset(to, 0, (size_t)(b->stem->width * channels) * sizeof *to);
            continue;
        }
        memset(to, 0, (size_t)(first * channels) * sizeof *to);
        memcpy(to + first * channels, b->x + (image * s->height + row) * s->width * channels,
               (size_t)((last - first) * channels) * sizeof *to);
        memset(to + last * channels, 0, (size_t)((b->stem->width - last) * channels) * sizeof *to);
    }
}

const float *ursa_stem_image(const struct ursa_conv_shape *s, const struct ursa_conv_shape *stem, const float *x)
{
    /* The last pixel's run may reach past the end, and a tile past that. */
    int64_t rows = stem->images * stem->height, count = rows * stem->width * s->channels;
    int64_t more = stem->group_in + ursa_cpu_simd()->gemm->columns;
    float *padded = ursa_scratch(URSA_SLOT_IMAGE, (size_t)(count + more) * sizeof *padded);
    if (!padded)
        return NULL;
    memset(padded + count, 0, (size_t)more * sizeof *padded);
    struct border border = {s, stem, x, padded};
    return ursa_parallel_range(rows, 64, pad_rows, &border) ? padded : NULL;
}

/* ---- gradient to the input --------------------------------------------------------- *
 *
 * As a window over dy this would have C columns, a fraction of a vector. So
 * here the product goes the other way: dy [pixels, O] times w [O, KH KW C] is
 * what each output pixel sends to its whole window; these are added up in a
 * padded image, one image to a task. */

#define BLOCK_ROWS 512 /* pixels of dy at a time, about */
#define LINE       16

struct spread {
    struct ursa_conv_shape shape, stem;
    const float *dy;
    float *dx;
    float *w;    /* [O, KH, run] */
    int64_t run; /* KW C and zeros, in whole vectors */
};

struct pixels {
    const float *dy;
    float *sent;
    int64_t channels, sent_pitch;
};

static void find_pixels(const void *context, int64_t group, int64_t begin, int64_t end, const float **row, float **out)
{
    const struct pixels *p = context;
    (void)group;
    for (int64_t i = begin; i < end; i++) {
        *row++ = p->dy + i * p->channels;
        *out++ = p->sent + i * p->sent_pitch;
    }
}

static bool multiply_rows(const struct spread *g, const float *dy, int64_t count, float *sent)
{
    int64_t columns = g->shape.kernel[0] * g->run;
    struct pixels pixels = {dy, sent, g->shape.out_channels, columns};
    struct ursa_product product = {
        .groups = 1,
        .rows = count,
        .columns = columns,
        .segments = 1,
        .length = g->shape.out_channels,
        .step = 1,
        .row_stride = g->shape.out_channels,
        .factor = {.data = g->w, .k_stride = columns, .j_stride = 1},
        .find = find_pixels,
        .context = &pixels,
        .alpha = 1,
    };
    return ursa_product_run(&product);
}

static void add_rows(const struct spread *g, const float *sent, int64_t first_row, int64_t rows, float *padded)
{
    const struct ursa_conv_shape *s = &g->shape;
    const struct ursa_simd_gemm *simd = ursa_cpu_simd()->gemm;
    int64_t pitch = g->stem.width * s->channels;
    for (int64_t j = 0; j < rows; j++)
        for (int64_t i = 0; i < s->out_width; i++) {
            float *to = padded + (first_row + j) * s->stride[0] * pitch + i * s->stride[1] * s->channels;
            for (int64_t k = 0; k < s->kernel[0]; k++, sent += g->run)
                simd->add(sent, to + k * s->dilation[0] * pitch, g->run);
        }
}

/* The padded gradient without its border. */
static void crop(const struct spread *g, const float *padded, float *dx)
{
    const struct ursa_conv_shape *s = &g->shape;
    int64_t row_floats = s->width * s->channels, pitch = g->stem.width * s->channels;
    int64_t skip = s->pad[1] * s->channels, have = pitch - skip;
    have = have < 0 ? 0 : have < row_floats ? have : row_floats;
    for (int64_t row = 0; row < s->height; row++, dx += row_floats) {
        int64_t from = row + s->pad[0], count = from < g->stem.height ? have : 0;
        if (count)
            memcpy(dx, padded + from * pitch + skip, (size_t)count * sizeof *dx);
        memset(dx + count, 0, (size_t)(row_floats - count) * sizeof *dx);
    }
}

static void spread_task(void *context, int64_t image)
{
    const struct spread *g = context;
    const struct ursa_conv_shape *s = &g->shape;
    int64_t padded_floats = (g->stem.height * g->stem.width * s->channels + g->run + LINE - 1) / LINE * LINE;
    int64_t rows = ursa_ceil_div(BLOCK_ROWS, s->out_width);
    int64_t sent_floats = rows * s->out_width * s->kernel[0] * g->run;
    float *padded = ursa_scratch(URSA_SLOT_IMAGE, (size_t)(padded_floats + sent_floats) * sizeof *padded);
    if (!padded)
        return;
    memset(padded, 0, (size_t)padded_floats * sizeof *padded);
    float *sent = padded + padded_floats;
    for (int64_t row = 0; row < s->out_height; row += rows) {
        int64_t count = s->out_height - row < rows ? s->out_height - row : rows;
        const float *dy = g->dy + (image * s->out_height + row) * s->out_width * s->out_channels;
        if (!multiply_rows(g, dy, count * s->out_width, sent))
            return;
        add_rows(g, sent, row, count, padded);
    }
    crop(g, padded, g->dx + image * s->height * s->width * s->channels);
}

bool ursa_stem_grad_input(const struct ursa_conv_shape *s, const float *dy, const float *w, float *dx)
{
    struct spread g = {.shape = *s, .stem = ursa_stem_shape(s), .dy = dy, .dx = dx};
    int64_t length = g.stem.group_in, lanes = ursa_cpu_simd()->lanes < 8 ? ursa_cpu_simd()->lanes : 8;
    g.run = ursa_ceil_div(length, lanes) * lanes;
    int64_t runs = s->out_channels * s->kernel[0];
    g.w = ursa_alloc_array((size_t)(runs * g.run), sizeof *g.w);
    if (!g.w)
        return false;
    for (int64_t i = 0; i < runs; i++)
        memcpy(g.w + i * g.run, w + i * length, (size_t)length * sizeof *w);
    bool done = ursa_parallel(s->images, spread_task, &g);
    free(g.w);
    return done;
}

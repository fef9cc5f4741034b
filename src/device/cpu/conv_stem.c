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
#include "simd/convert.h"

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
    const char *x;
    char *padded;
};

/* Row `row` of the padded image from row - pad of the image. */
static void pad_rows(void *context, int64_t begin, int64_t end)
{
    const struct border *b = context;
    const struct ursa_conv_shape *s = b->shape;
    int64_t pixel = s->channels * (int64_t)ursa_dtype_size(s->x_type), first = s->pad[1], last = first + s->width;
    first = first < b->stem->width ? first : b->stem->width;
    last = last < b->stem->width ? last : b->stem->width;
    for (int64_t i = begin; i < end; i++) {
        char *to = b->padded + i * b->stem->width * pixel;
        int64_t image = i / b->stem->height, row = i % b->stem->height - s->pad[0];
        if (row < 0 || row >= s->height) {
            memset(to, 0, (size_t)(b->stem->width * pixel));
            continue;
        }
        memset(to, 0, (size_t)(first * pixel));
        memcpy(to + first * pixel, b->x + (image * s->height + row) * s->width * pixel,
               (size_t)((last - first) * pixel));
        memset(to + last * pixel, 0, (size_t)((b->stem->width - last) * pixel));
    }
}

const void *ursa_stem_image(const struct ursa_conv_shape *s, const struct ursa_conv_shape *stem, const void *x)
{
    /* The last pixel's run may reach past the end, and a tile past that. */
    int64_t rows = stem->images * stem->height, count = rows * stem->width * s->channels;
    int64_t more = stem->group_in + ursa_cpu_simd()->gemm->columns;
    int64_t size = (int64_t)ursa_dtype_size(s->x_type);
    char *padded = ursa_scratch(URSA_SLOT_IMAGE, (size_t)((count + more) * size));
    if (!padded)
        return NULL;
    memset(padded + count * size, 0, (size_t)(more * size));
    struct border border = {s, stem, x, padded};
    return ursa_parallel_range(rows, 64, pad_rows, &border) ? padded : NULL;
}

/* ---- gradient to the input --------------------------------------------------------- *
 *
 * As a window over dy this would have C columns, a fraction of a vector. So
 * here the product goes the other way: dy [pixels, O] times w [O, KH KW C] is
 * what each output pixel sends to its whole window; these are added up in a
 * padded image, one image to a task. Windows overlap, and a sum that was just
 * stored cannot be loaded again in vectors that begin elsewhere without a
 * wait; so pixels whose windows do not overlap are added one behind the other,
 * and their neighbours in another round. */

#define BLOCK_FLOATS (1 << 16) /* of a block of dy, and of what it sends */
#define LINE         16

struct spread {
    struct ursa_conv_shape shape, stem;
    const struct ursa_simd_gemm *gemm;
    const char *dy;
    char *dx;
    int64_t dy_size;       /* bytes of an element */
    float *panels;         /* of w, [O, KH KW C] */
    int64_t words;         /* of the channels of dy */
    int64_t columns;       /* KH KW C */
    int64_t sent_pitch;    /* from what one pixel sends to what the next does */
    int64_t vectors;       /* floats of the vectors that hold a row of the window */
    int64_t rows;          /* of dy in a block */
    int64_t slice, slices; /* floats of as many pixels as a tile has rows; of all in a block */
    int64_t dy_bytes;      /* of all of dy */
    int64_t padded_floats; /* of the padded gradient of an image */
};

static void plan(struct spread *g)
{
    const struct ursa_conv_shape *s = &g->shape;
    int64_t lanes = ursa_cpu_simd()->lanes;
    g->dy_size = (int64_t)ursa_dtype_size(s->out_type);
    g->dy_bytes = s->images * s->out_height * s->out_width * s->out_channels * g->dy_size;
    g->words = ursa_ceil_div(s->out_channels, g->gemm->depth);
    g->columns = s->kernel[0] * g->stem.group_in;
    g->sent_pitch = ursa_odd_pitch(g->columns);
    g->vectors = ursa_ceil_div(g->stem.group_in, lanes) * lanes;
    g->rows = BLOCK_FLOATS / (s->out_width * (s->out_channels + g->columns)) + 1;
    g->rows = g->rows < s->out_height ? g->rows : s->out_height;
    g->slice = ursa_slice_floats(g->gemm, g->words);
    g->slices = ursa_ceil_div(ursa_ceil_div(g->rows * s->out_width, g->gemm->rows) * g->slice, LINE) * LINE;
    g->padded_floats = ursa_ceil_div(g->stem.height * g->stem.width * s->channels + g->vectors, LINE) * LINE;
}

/* The memory of a task. */
struct room {
    float *padded, *slices, *sent;
    const void **row;
    float **out;
};

static bool room_new(const struct spread *g, struct room *room)
{
    int64_t pixels = g->rows * g->shape.out_width;
    int64_t sent = pixels * g->sent_pitch + g->vectors; /* the last run may be read past its end */
    room->padded = ursa_scratch(URSA_SLOT_IMAGE, (size_t)(g->padded_floats + g->slices + sent) * sizeof(float));
    room->row = ursa_scratch(URSA_SLOT_ROWS, 2 * (size_t)pixels * sizeof *room->row);
    if (!room->padded || !room->row)
        return false;
    room->slices = room->padded + g->padded_floats;
    room->sent = room->slices + g->slices;
    room->out = (float **)(room->row + pixels);
    for (int64_t i = 0; i < pixels; i++)
        room->out[i] = room->sent + i * g->sent_pitch;
    return true;
}

/* What `pixels` pixels of dy send. The tiles fetch those that come next: they would be waited for in memory. */
static void multiply(const struct spread *g, const char *dy, int64_t pixels, const struct room *room)
{
    int64_t rows = g->gemm->rows, columns = g->gemm->columns, pitch = g->shape.out_channels * g->dy_size;
    const char *fetch = dy + pixels * pitch, *end = g->dy + g->dy_bytes;
    for (int64_t i = 0; i < pixels; i++)
        room->row[i] = dy + i * pitch;
    g->gemm->gather(room->row, 1, 1, g->shape.out_channels, 0, pixels, room->slices);
    struct ursa_tile tile = {.length = g->words, .alpha = 1};
    for (int64_t j = 0; j < g->columns; j += columns) {
        tile.column = j;
        tile.width = (int)(g->columns - j < columns ? g->columns - j : columns);
        tile.b = g->panels + j * g->words;
        for (int64_t i = 0; i < pixels; i += rows) {
            tile.slice = room->slices + i / rows * g->slice;
            tile.height = (int)(pixels - i < rows ? pixels - i : rows);
            tile.out = room->out + i;
            tile.fetch = fetch < end ? (const float *)(const void *)fetch : NULL;
            fetch += g->words * URSA_FETCH_STEP * (int64_t)sizeof(float);
            g->gemm->tile(&tile);
        }
    }
}

static void add_rows(const struct spread *g, const float *sent, int64_t first_row, int64_t rows, float *padded)
{
    const struct ursa_conv_shape *s = &g->shape;
    int64_t run = g->stem.group_in, pitch = g->stem.width * s->channels;
    int64_t step = s->stride[1] * s->channels, rounds = ursa_ceil_div(g->vectors, step);
    for (int64_t j = 0; j < rows; j++, sent += s->out_width * g->sent_pitch)
        for (int64_t k = 0; k < s->kernel[0]; k++) {
            float *to = padded + ((first_row + j) * s->stride[0] + k * s->dilation[0]) * pitch;
            for (int64_t i = 0; i < rounds && i < s->out_width; i++)
                ursa_cpu_simd()->gemm->add_runs(sent + i * g->sent_pitch + k * run, rounds * g->sent_pitch,
                                                to + i * step, rounds * step, run,
                                                ursa_ceil_div(s->out_width - i, rounds));
        }
}

/* The padded gradient without its border. */
static void crop(const struct spread *g, const float *padded, char *dx)
{
    const struct ursa_conv_shape *s = &g->shape;
    ursa_convert_kernel *convert = ursa_cpu_simd()->convert->kernel[URSA_F32][s->x_type];
    int64_t size = (int64_t)ursa_dtype_size(s->x_type);
    int64_t row_floats = s->width * s->channels, pitch = g->stem.width * s->channels;
    int64_t skip = s->pad[1] * s->channels, have = pitch - skip;
    have = have < 0 ? 0 : have < row_floats ? have : row_floats;
    for (int64_t row = 0; row < s->height; row++, dx += row_floats * size) {
        int64_t from = row + s->pad[0], count = from < g->stem.height ? have : 0;
        if (count && convert)
            convert(count, padded + from * pitch + skip, dx);
        else if (count)
            memcpy(dx, padded + from * pitch + skip, (size_t)(count * size));
        memset(dx + count * size, 0, (size_t)((row_floats - count) * size));
    }
}

static void spread_task(void *context, int64_t image)
{
    const struct spread *g = context;
    const struct ursa_conv_shape *s = &g->shape;
    struct room room;
    if (!room_new(g, &room))
        return;
    memset(room.padded, 0, (size_t)g->padded_floats * sizeof(float));
    ursa_kernels_begin(g->gemm);
    for (int64_t row = 0; row < s->out_height; row += g->rows) {
        int64_t count = s->out_height - row < g->rows ? s->out_height - row : g->rows;
        const char *dy = g->dy + (image * s->out_height + row) * s->out_width * s->out_channels * g->dy_size;
        multiply(g, dy, count * s->out_width, &room);
        add_rows(g, room.sent, row, count, room.padded);
    }
    ursa_kernels_end(g->gemm);
    int64_t pixels = image * s->height * s->width;
    crop(g, room.padded, g->dx + pixels * s->channels * (int64_t)ursa_dtype_size(s->x_type));
}

bool ursa_stem_grad_input(const struct ursa_conv_shape *s, const void *dy, const void *w, void *dx)
{
    const struct ursa_simd_gemm *gemm = ursa_product_kernels(s->out_type, s->w_type);
    struct spread g = {.shape = *s, .stem = ursa_stem_shape(s), .gemm = gemm, .dy = dy, .dx = dx};
    plan(&g);
    int64_t panel = g.words * g.gemm->columns, panels = ursa_ceil_div(g.columns, g.gemm->columns);
    g.panels = ursa_scratch(URSA_SLOT_PANELS, (size_t)(panels * panel) * sizeof(float));
    if (!g.panels)
        return false;
    g.gemm->panels(&(struct ursa_rows){w, g.columns, s->out_channels, gemm->depth, 1}, g.columns, g.panels, panel);
    return ursa_parallel(s->images, spread_task, &g);
}

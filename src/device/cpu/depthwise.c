/* depthwise.c — convolutions in which every channel has filters of its own.
 *
 * There is no sum over channels, so nothing to multiply matrices for: the
 * vectors run along the channels, and every pixel is the sum of its taps. With
 * several filters per channel (a multiplier), output channel c multiplier + m
 * belongs to channel c; the outputs of one m form a plane, and each plane is a
 * convolution with multiplier 1.
 *
 * Images may be of a half type, where the multiplier is 1; weights are floats
 * here, rounded to that type (weights.c), and so are the sums.
 */
#include "device/cpu/window.h"
#include "simd/conv.h"
#include "simd/gemm_half.h"
#include "base/memory.h"
#include "base/parallel.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_PIXELS 64

/* ---- planes ------------------------------------------------------------------- */

struct plane {
    float *packed;      /* [pixels, channels] */
    float *interleaved; /* [pixels, channels, multiplier] */
    int64_t channels, multiplier, index;
};

static void gather_plane(void *context, int64_t begin, int64_t end)
{
    const struct plane *p = context;
    for (int64_t i = begin * p->channels; i < end * p->channels; i++)
        p->packed[i] = p->interleaved[i * p->multiplier + p->index];
}

static void scatter_plane(void *context, int64_t begin, int64_t end)
{
    const struct plane *p = context;
    for (int64_t i = begin * p->channels; i < end * p->channels; i++)
        p->interleaved[i * p->multiplier + p->index] = p->packed[i];
}

/* ---- forward and gradient to the input: a sum per pixel -------------------------- */

struct sums {
    const struct ursa_window *window;
    const float *w, *bias;
    int64_t channels;
    ursa_dtype type, out_type; /* of the images that are read and written */
    bool add;
    const ursa_activation *activation;
};

/* Pixels of a half type are activated before they are rounded, in rows of their own. */
static void sum_and_round(const struct sums *s, const void *const *tap, void *const *out, int64_t pixels)
{
    int64_t taps = s->window->taps, pitch = ursa_odd_pitch(s->channels);
    float *sum = ursa_scratch(URSA_SLOT_TASK, (size_t)(pixels * pitch) * sizeof *sum);
    void *row[BLOCK_PIXELS];
    if (!sum)
        return;
    for (int64_t i = 0; i < pixels; i++)
        row[i] = sum + i * pitch;
    ursa_cpu_simd()->conv->depthwise[s->type][0](tap, taps, s->w, s->bias, s->channels, false, row, pixels);
    for (int64_t i = 0; i < pixels; i++)
        ursa_activate(s->activation, row[i], s->channels);
    ursa_cpu_simd()->gemm_half->type[s->out_type].store(sum, pitch, pixels, s->channels, out, 0);
}

static void sum_task(void *context, int64_t begin, int64_t end)
{
    const struct sums *s = context;
    int64_t taps = s->window->taps, pixels = end - begin;
    const void **tap = ursa_scratch(URSA_SLOT_ROWS, (size_t)(pixels * (taps + 1)) * sizeof *tap);
    if (!tap)
        return;
    void **out = (void **)(tap + pixels * taps);
    bool activated = s->activation && s->activation->used, rounded = ursa_is_half(s->out_type);
    ursa_window_find(s->window, 0, begin, end, tap, out);
    if (activated && rounded) {
        sum_and_round(s, tap, out, pixels);
        return;
    }
    ursa_cpu_simd()->conv->depthwise[s->type][rounded](tap, taps, s->w, s->bias, s->channels, s->add, out, pixels);
    if (activated)
        for (int64_t i = 0; i < pixels; i++)
            ursa_activate(s->activation, out[i], s->channels);
}

static bool run_window(const struct ursa_window *window, struct sums *sums)
{
    sums->window = window;
    return ursa_parallel_range(window->images * window->grid[0] * window->grid[1], BLOCK_PIXELS, sum_task, sums);
}

/* Weights [C multiplier, KH, KW] of one plane and the taps of a window, as [tap, C]. */
static void pack_weights(const struct ursa_conv_shape *s, const float *w, int64_t plane, int64_t taps,
                         const int64_t *weight, float *packed)
{
    int64_t multiplier = s->group_out, filter = s->kernel[0] * s->kernel[1];
    for (int64_t t = 0; t < taps; t++)
        for (int64_t c = 0; c < s->channels; c++)
            packed[t * s->channels + c] = w[(c * multiplier + plane) * filter + weight[t]];
}

/* What a depthwise operator needs besides its arguments. */
struct workspace {
    struct ursa_taps taps;
    float *weights, *bias, *zero; /* [taps, C], [C], [C] */
    float *plane;                 /* [pixels of dy, C] when the multiplier is not 1 */
};

static bool workspace_new(struct workspace *space, const struct ursa_conv_shape *s)
{
    int64_t taps = s->kernel[0] * s->kernel[1], pixels = s->images * s->out_height * s->out_width;
    int64_t plane = s->group_out > 1 ? pixels * s->channels : 0;
    if (!ursa_taps_new(&space->taps, s))
        return false;
    space->weights = ursa_alloc_aligned((size_t)((taps + 2) * s->channels + plane + 1) * sizeof(float));
    if (!space->weights) {
        ursa_taps_free(&space->taps);
        return false;
    }
    space->bias = space->weights + taps * s->channels;
    space->zero = space->bias + s->channels;
    space->plane = space->zero + s->channels;
    memset(space->zero, 0, (size_t)s->channels * sizeof(float));
    return true;
}

static void workspace_free(struct workspace *space)
{
    ursa_taps_free(&space->taps);
    free(space->weights);
}

bool ursa_depthwise_forward(const struct ursa_conv_shape *s, const void *x, const void *weights, const float *bias,
                            const ursa_activation *activation, void *out)
{
    struct workspace space;
    const float *w = ursa_conv_weights(s, weights, s->x_type);
    if (!w || !workspace_new(&space, s))
        return false;
    int64_t multiplier = s->group_out, pixels = s->images * s->out_height * s->out_width;
    struct plane plane = {space.plane, out, s->channels, multiplier, 0};
    bool done = true;
    for (int64_t m = 0; done && m < multiplier; m++) {
        struct ursa_window window = ursa_window_forward(s, &space.taps, x, multiplier > 1 ? space.plane : out);
        window.out_pitch = s->channels * (int64_t)ursa_dtype_size(s->out_type);
        window.zero = space.zero;
        pack_weights(s, w, m, window.taps, space.taps.weight, space.weights);
        for (int64_t c = 0; bias && c < s->channels; c++)
            space.bias[c] = bias[c * multiplier + m];
        struct sums sums = {
            .w = space.weights,
            .bias = bias ? space.bias : NULL,
            .channels = s->channels,
            .type = s->x_type,
            .out_type = s->out_type,
            .activation = activation,
        };
        done = run_window(&window, &sums);
        plane.index = m;
        if (done && multiplier > 1)
            done = ursa_parallel_range(pixels, 1024, scatter_plane, &plane);
    }
    workspace_free(&space);
    return done;
}

static bool grad_input_plane(const struct ursa_conv_shape *s, struct workspace *space, const void *dy, const float *w,
                             int64_t m, void *dx)
{
    struct ursa_conv_shape single = *s;
    single.out_channels = s->channels;
    bool done = true;
    for (int64_t phase = 0; done && phase < ursa_window_phases(s); phase++) {
        struct ursa_window window = ursa_window_phase(&single, &space->taps, phase, dy, dx);
        window.zero = space->zero;
        pack_weights(s, w, m, window.taps, space->taps.weight, space->weights);
        struct sums sums = {
            .w = space->weights,
            .channels = s->channels,
            .type = s->out_type,
            .out_type = s->x_type,
            .add = m > 0,
        };
        done = run_window(&window, &sums);
    }
    return done;
}

bool ursa_depthwise_grad_input(const struct ursa_conv_shape *s, const void *dy, const void *weights, void *dx)
{
    struct workspace space;
    const float *w = ursa_conv_weights(s, weights, s->out_type);
    if (!w || !workspace_new(&space, s))
        return false;
    int64_t multiplier = s->group_out, pixels = s->images * s->out_height * s->out_width;
    struct plane plane = {space.plane, (float *)dy, s->channels, multiplier, 0};
    bool done = true;
    for (int64_t m = 0; done && m < multiplier; m++) {
        plane.index = m;
        if (multiplier > 1)
            done = ursa_parallel_range(pixels, 1024, gather_plane, &plane);
        done = done && grad_input_plane(s, &space, multiplier > 1 ? space.plane : dy, w, m, dx);
    }
    workspace_free(&space);
    return done;
}

/* ---- gradient to the weights ------------------------------------------------------ */

struct weight_sums {
    const struct ursa_window *window;
    const char *dy;
    ursa_dtype type; /* of x and dy */
    int64_t channels, pixels, chunk, weights;
    float *partial; /* [chunks, taps, channels] */
};

static void weight_task(void *context, int64_t index)
{
    const struct weight_sums *s = context;
    int64_t taps = s->window->taps, begin = index * s->chunk;
    int64_t end = begin + s->chunk < s->pixels ? begin + s->chunk : s->pixels;
    float *sum = s->partial + index * s->weights;
    memset(sum, 0, (size_t)s->weights * sizeof *sum);
    const void **tap = ursa_scratch(URSA_SLOT_ROWS, (size_t)(BLOCK_PIXELS * (taps + 1)) * sizeof *tap);
    if (!tap)
        return;
    void **unused = (void **)(tap + BLOCK_PIXELS * taps);
    int64_t row = s->channels * (int64_t)ursa_dtype_size(s->type);
    for (int64_t at = begin; at < end; at += BLOCK_PIXELS) {
        int64_t count = end - at < BLOCK_PIXELS ? end - at : BLOCK_PIXELS;
        ursa_window_find(s->window, 0, at, at + count, tap, unused);
        ursa_cpu_simd()->conv->depthwise_weight[s->type](tap, taps, s->dy + at * row, s->channels, count, sum);
    }
}

/* Adds the partial sums in order and writes plane `m` of dw. */
static void collect_weights(const struct ursa_conv_shape *s, const struct weight_sums *sums, int64_t chunks, int64_t m,
                            float *dw)
{
    for (int64_t i = 1; i < chunks; i++)
        for (int64_t k = 0; k < sums->weights; k++)
            sums->partial[k] += sums->partial[i * sums->weights + k];
    int64_t taps = sums->window->taps;
    for (int64_t c = 0; c < s->channels; c++)
        for (int64_t t = 0; t < taps; t++)
            dw[(c * s->group_out + m) * taps + t] = sums->partial[t * s->channels + c];
}

bool ursa_depthwise_grad_weight(const struct ursa_conv_shape *s, const void *x, const void *dy, float *dw)
{
    struct workspace space;
    if (!workspace_new(&space, s))
        return false;
    int64_t multiplier = s->group_out, pixels = s->images * s->out_height * s->out_width;
    struct plane plane = {space.plane, (float *)dy, s->channels, multiplier, 0};
    struct ursa_window window = ursa_window_forward(s, &space.taps, x, dw);
    window.out_pitch = 0; /* only the taps are wanted */
    window.zero = space.zero;
    struct weight_sums sums = {
        .window = &window,
        .dy = multiplier > 1 ? (const char *)space.plane : dy,
        .type = s->x_type,
        .channels = s->channels,
        .pixels = pixels,
        .chunk = ursa_ceil_div(pixels, 32) > 256 ? ursa_ceil_div(pixels, 32) : 256,
        .weights = window.taps * s->channels,
    };
    int64_t chunks = ursa_ceil_div(pixels, sums.chunk);
    sums.partial = ursa_scratch(URSA_SLOT_PANELS, (size_t)(chunks * sums.weights) * sizeof(float));
    bool done = sums.partial != NULL;
    for (int64_t m = 0; done && m < multiplier; m++) {
        plane.index = m;
        if (multiplier > 1)
            done = ursa_parallel_range(pixels, 1024, gather_plane, &plane);
        done = done && ursa_parallel(chunks, weight_task, &sums);
        if (done)
            collect_weights(s, &sums, chunks, m, dw);
    }
    workspace_free(&space);
    return done;
}

/* depthwise.c — convolutions in which every channel has one filter of its own.
 *
 * There is no sum over channels, so nothing to multiply matrices for: the
 * vectors run along the channels, and every pixel is the sum of its taps.
 *
 * Images may be of a half type; weights are floats here, rounded to that type
 * (weights.c), and so are the sums.
 */
#include "device/cpu/window.h"
#include "simd/conv.h"
#include "simd/gemm_half.h"
#include "base/memory.h"
#include "base/parallel.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_PIXELS 64

bool ursa_depthwise_applies(const struct ursa_conv_shape *s, ursa_conv_pass pass)
{
    if (s->group_in != 1 || s->group_out != 1 || s->groups == 1)
        return false;
    if (pass == URSA_CONV_GRAD_WEIGHT)
        return s->x_type == s->out_type;
    ursa_dtype read = pass == URSA_CONV_FORWARD ? s->x_type : s->out_type;
    ursa_dtype written = pass == URSA_CONV_FORWARD ? s->out_type : s->x_type;
    return ursa_is_half(read) ? written == read || written == URSA_F32 : s->w_type == URSA_F32 && written == URSA_F32;
}

/* ---- forward and gradient to the input: a sum per pixel -------------------------- */

/* Rounded from rows of floats, which are activated first if there is an activation. */
static void sum_and_round(const struct ursa_depthwise *sums, ursa_dtype type, ursa_dtype out_type,
                          const ursa_activation *activation)
{
    int64_t pitch = ursa_odd_pitch(sums->channels);
    float *sum = ursa_scratch(URSA_SLOT_IMAGE, (size_t)(BLOCK_PIXELS * pitch) * sizeof *sum);
    void *row[BLOCK_PIXELS];
    for (int64_t i = 0; sum && i < BLOCK_PIXELS; i++)
        row[i] = sum + i * pitch;
    struct ursa_depthwise block = *sums;
    block.out = row;
    block.first = 0;
    for (int64_t p = 0; sum && p < sums->pixels; p += BLOCK_PIXELS) {
        block.tap = sums->tap + p * sums->taps;
        block.pixels = sums->pixels - p < BLOCK_PIXELS ? sums->pixels - p : BLOCK_PIXELS;
        ursa_cpu_simd()->conv->depthwise[type][0](&block);
        for (int64_t i = 0; activation && i < block.pixels; i++)
            ursa_activate(activation, row[i], sums->channels);
        ursa_cpu_simd()->gemm_half->type[out_type]->store(sum, pitch, block.pixels, sums->channels, sums->out + p,
                                                          sums->first);
    }
}

void ursa_depthwise_sum(const struct ursa_depthwise *sums, ursa_dtype type, ursa_dtype out_type,
                        const ursa_activation *activation)
{
    bool rounded = ursa_is_half(out_type);
    if (activation && !activation->used)
        activation = NULL;
    if (rounded && (activation || type != out_type)) {
        sum_and_round(sums, type, out_type, activation);
        return;
    }
    ursa_cpu_simd()->conv->depthwise[type][rounded](sums);
    for (int64_t i = 0; activation && i < sums->pixels; i++)
        ursa_activate(activation, (float *)sums->out[i] + sums->first, sums->channels);
}

struct sums {
    const struct ursa_window *window;
    const float *w, *bias;
    int64_t channels;
    ursa_dtype type, out_type; /* of the images that are read and written */
    const ursa_activation *activation;
    const struct ursa_moments *moments; /* of what is written, or NULL */
};

static void sum_task(void *context, int64_t begin, int64_t end)
{
    const struct sums *s = context;
    int64_t taps = s->window->taps, pixels = end - begin;
    const void **tap = ursa_scratch(URSA_SLOT_ROWS, (size_t)(pixels * (taps + 1)) * sizeof *tap);
    if (!tap)
        return;
    void **out = (void **)(tap + pixels * taps);
    ursa_window_find(s->window, 0, begin, end, tap, out);
    struct ursa_depthwise sums = {
        .tap = tap,
        .pixels = pixels,
        .taps = taps,
        .depth = 1,
        .channels = s->channels,
        .row = s->channels,
        .w = s->w,
        .bias = s->bias,
        .out = out,
    };
    ursa_depthwise_sum(&sums, s->type, s->out_type, s->activation);
    if (s->moments)
        ursa_moments_gather(s->moments, begin / BLOCK_PIXELS, out[0], pixels, 0, s->channels);
}

static bool run_window(const struct ursa_window *window, struct sums *sums)
{
    sums->window = window;
    return ursa_parallel_range(window->images * window->grid[0] * window->grid[1], BLOCK_PIXELS, sum_task, sums);
}

/* Weights [C, KH, KW] and the taps of a window, as [tap, C]. */
static void pack_weights(const struct ursa_conv_shape *s, const float *w, int64_t taps, const int64_t *weight,
                         float *packed)
{
    int64_t filter = s->kernel[0] * s->kernel[1];
    for (int64_t t = 0; t < taps; t++)
        for (int64_t c = 0; c < s->channels; c++)
            packed[t * s->channels + c] = w[c * filter + weight[t]];
}

/* What a depthwise operator needs besides its arguments. */
struct workspace {
    struct ursa_taps taps;
    float *weights, *zero; /* [taps, C], [C] */
};

static bool workspace_new(struct workspace *space, const struct ursa_conv_shape *s)
{
    int64_t taps = s->kernel[0] * s->kernel[1];
    if (!ursa_taps_new(&space->taps, s))
        return false;
    space->weights = ursa_alloc_aligned((size_t)((taps + 1) * s->channels) * sizeof(float));
    if (!space->weights) {
        ursa_taps_free(&space->taps);
        return false;
    }
    space->zero = space->weights + taps * s->channels;
    memset(space->zero, 0, (size_t)s->channels * sizeof(float));
    return true;
}

static void workspace_free(struct workspace *space)
{
    ursa_taps_free(&space->taps);
    free(space->weights);
}

bool ursa_depthwise_forward(const struct ursa_conv_shape *s, const void *x, const void *weights, const float *bias,
                            const ursa_activation *activation, struct ursa_moments *moments, void *out)
{
    struct workspace space;
    const float *w = ursa_conv_weights(s, weights, s->x_type);
    int64_t pixels = s->images * s->out_height * s->out_width;
    if (!w || (moments && !ursa_moments_new(moments, pixels, BLOCK_PIXELS)) || !workspace_new(&space, s))
        return false;
    struct ursa_window window = ursa_window_forward(s, &space.taps, x, out);
    window.zero = space.zero;
    pack_weights(s, w, window.taps, space.taps.weight, space.weights);
    struct sums sums = {
        .w = space.weights,
        .bias = bias,
        .channels = s->channels,
        .type = s->x_type,
        .out_type = s->out_type,
        .activation = activation,
        .moments = moments,
    };
    bool done = run_window(&window, &sums);
    workspace_free(&space);
    return done;
}

bool ursa_depthwise_grad_input(const struct ursa_conv_shape *s, const void *dy, const void *weights, void *dx)
{
    struct workspace space;
    const float *w = ursa_conv_weights(s, weights, s->out_type);
    if (!w || !workspace_new(&space, s))
        return false;
    bool done = true;
    for (int64_t phase = 0; done && phase < ursa_window_phases(s); phase++) {
        struct ursa_window window = ursa_window_phase(s, &space.taps, phase, dy, dx);
        window.zero = space.zero;
        pack_weights(s, w, window.taps, space.taps.weight, space.weights);
        struct sums sums = {.w = space.weights, .channels = s->channels, .type = s->out_type, .out_type = s->x_type};
        done = run_window(&window, &sums);
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
        struct ursa_depthwise_weight weight = {
            .tap = tap,
            .pixels = count,
            .taps = taps,
            .depth = 1,
            .channels = s->channels,
            .row = s->channels,
            .dy = s->dy + at * row,
            .dy_pitch = s->channels,
            .dw = sum,
        };
        ursa_cpu_simd()->conv->depthwise_weight[s->type](&weight);
    }
}

/* Adds the partial sums in order. */
static void collect_weights(const struct weight_sums *sums, int64_t chunks, float *dw)
{
    for (int64_t i = 1; i < chunks; i++)
        for (int64_t k = 0; k < sums->weights; k++)
            sums->partial[k] += sums->partial[i * sums->weights + k];
    int64_t taps = sums->window->taps;
    for (int64_t c = 0; c < sums->channels; c++)
        for (int64_t t = 0; t < taps; t++)
            dw[c * taps + t] = sums->partial[t * sums->channels + c];
}

bool ursa_depthwise_grad_weight(const struct ursa_conv_shape *s, const void *x, const void *dy, float *dw)
{
    struct workspace space;
    if (!workspace_new(&space, s))
        return false;
    int64_t pixels = s->images * s->out_height * s->out_width;
    struct ursa_window window = ursa_window_forward(s, &space.taps, x, dw);
    window.out_pitch = 0; /* only the taps are wanted */
    window.zero = space.zero;
    struct weight_sums sums = {
        .window = &window,
        .dy = dy,
        .type = s->x_type,
        .channels = s->channels,
        .pixels = pixels,
        .chunk = ursa_ceil_div(pixels, 32) > 256 ? ursa_ceil_div(pixels, 32) : 256,
        .weights = window.taps * s->channels,
    };
    int64_t chunks = ursa_ceil_div(pixels, sums.chunk);
    sums.partial = ursa_scratch(URSA_SLOT_PANELS, (size_t)(chunks * sums.weights) * sizeof(float));
    bool done = sums.partial && ursa_parallel(chunks, weight_task, &sums);
    if (done)
        collect_weights(&sums, chunks, dw);
    workspace_free(&space);
    return done;
}

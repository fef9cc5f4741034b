/* test_products.c — matrix products and convolutions of the CPU backend
 * against sums in double, of floats and of half types, on every instruction
 * set of this machine, with shapes drawn at random around the sizes of tiles, blocks and bands; and the
 * same bytes from one thread and from three, and for caches of other sizes. Every array is an allocation of
 * its own of exactly its size, so that the sanitizers see a step outside.
 */
#include "base/cache_size.h"
#include "base/parallel.h"
#include "device/backend.h"
#include "device/cpu/cpu.h"
#include "device/cpu/window.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static ursa_device *cpu;
static bool quick; /* fewer shapes, and not on the plain set if there is another: where every one takes long */

/* The type in question. Numbers are drawn from those it has; arrays are of it, or some of floats. */
static ursa_dtype tested;

/* What the bound of rounding errors is multiplied by. Winograd's products are larger than the result, and their errors
 * with them, by 2 to 3 (docs/performance.md). For floats the bound of the direct method has room for that; the more
 * draws of the halves come up to a twentieth above it. */
static double error_growth = 1;

/* ---- arrays -------------------------------------------------------------- */

static ursa_buffer *buffer_new(size_t bytes)
{
    ursa_buffer *buffer = calloc(1, sizeof *buffer);
    buffer->device = cpu;
    buffer->bytes = bytes;
    buffer->handle = malloc(bytes + (bytes == 0));
    buffer->references = 1;
    return buffer;
}

static ursa_array array_new(int ndim, const int64_t *shape)
{
    ursa_array array = {.dtype = URSA_F32, .ndim = ndim};
    int64_t count = 1;
    for (int i = ndim - 1; i >= 0; i--) {
        array.shape[i] = shape[i];
        array.stride[i] = count;
        count *= shape[i];
    }
    array.buffer = buffer_new((size_t)count * sizeof(float));
    return array;
}

static void array_free(ursa_array *array)
{
    if (array->buffer) {
        free(array->buffer->handle);
        free(array->buffer);
    }
    array->buffer = NULL;
}

static float *floats(const ursa_array *array)
{
    return array->buffer ? array->buffer->handle : NULL;
}

static uint16_t half(float x, ursa_dtype dtype)
{
    return dtype == URSA_F16 ? ursa_f16_from_f32(x) : ursa_bf16_from_f32(x);
}

static float single(uint16_t x, ursa_dtype dtype)
{
    return dtype == URSA_F16 ? ursa_f32_from_f16(x) : ursa_f32_from_bf16(x);
}

static void fill(ursa_array *array, ursa_rng *rng)
{
    for (size_t i = 0; i < array->buffer->bytes / sizeof(float); i++) {
        float x = (float)(2 * ursa_rng_uniform(rng) - 1);
        floats(array)[i] = tested == URSA_F32 ? x : single(half(x, tested), tested);
    }
}

/* The same numbers as another type. */
static ursa_array typed(const ursa_array *array, ursa_dtype dtype)
{
    size_t count = array->buffer->bytes / sizeof(float);
    ursa_array copy = *array;
    copy.dtype = dtype;
    copy.buffer = buffer_new(count * ursa_dtype_size(dtype));
    if (dtype == URSA_F32)
        memcpy(copy.buffer->handle, floats(array), count * sizeof(float));
    for (size_t i = 0; i < count && dtype != URSA_F32; i++)
        ((uint16_t *)copy.buffer->handle)[i] = half(floats(array)[i], dtype);
    return copy;
}

static double number(const ursa_array *array, int64_t i)
{
    if (array->dtype == URSA_F32)
        return (double)floats(array)[i];
    return (double)single(((const uint16_t *)array->buffer->handle)[i], array->dtype);
}

static void poison(ursa_array *array)
{
    for (size_t i = 0; i < array->buffer->bytes / sizeof(float); i++)
        floats(array)[i] = NAN;
}

static int64_t pick(ursa_rng *rng, const int64_t *choices, size_t count)
{
    return choices[ursa_rng_below(rng, count)];
}
#define PICK(rng, ...)                                                                                                 \
    pick(rng, (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

/* Each sum of `terms` products of numbers below 1 may be off by some rounding per term; products of halves are exact,
 * and their sums are floats too. At the end comes half a unit in the last place of the result, which has 8 or 11 bits,
 * or, below the normal numbers of f16, ends at 2⁻²⁴. */
static void expect_close(const ursa_array *got, const double *want, int64_t terms, const char *what)
{
    int64_t count = ursa_array_count(got);
    double bound = error_growth * 3e-7 * (2 + sqrt((double)terms) * 4);
    double rounding = got->dtype == URSA_F16 ? 0x1p-11 : got->dtype == URSA_BF16 ? 0x1p-8 : 0;
    for (int64_t i = 0; i < count; i++)
        if (!(fabs(number(got, i) - want[i]) <=
              bound * (1 + fabs(want[i])) * (1 + rounding) + rounding * fabs(want[i]) + (rounding > 0 ? 0x1p-25 : 0)))
            fail_msg("%s %s: element %ld of %ld is %.9g, expected %.9g", ursa_dtype_name(tested), what, (long)i,
                     (long)count, number(got, i), want[i]);
}

/* Runs an operator on three threads and again on one, that takes the caches to be small, over the same initial
 * contents of `out`, and expects the same bytes. */
static const struct ursa_caches small_caches = {4 << 10, 16 << 10, 64 << 10};

#define RUN_BOTH(op, args, out)                                                                                        \
    do {                                                                                                               \
        size_t bytes_ = (out)->buffer->bytes;                                                                          \
        void *before_ = malloc(bytes_ + 1), *first_ = malloc(bytes_ + 1);                                              \
        memcpy(before_, floats(out), bytes_);                                                                          \
        ursa_set_threads(3);                                                                                           \
        assert_true(ursa_op_##op(cpu, args));                                                                          \
        memcpy(first_, floats(out), bytes_);                                                                           \
        memcpy(floats(out), before_, bytes_);                                                                          \
        ursa_set_threads(1);                                                                                           \
        ursa_caches_assume(&small_caches);                                                                             \
        assert_true(ursa_op_##op(cpu, args));                                                                          \
        ursa_caches_assume(NULL);                                                                                      \
        assert_memory_equal(first_, floats(out), bytes_);                                                              \
        free(before_);                                                                                                 \
        free(first_);                                                                                                  \
    } while (0)

static const ursa_activation activations[] = {
    {0},
    {true, URSA_UNARY_relu, 0, 0},
    {true, URSA_UNARY_leaky_relu, 0.1f, 0},
    {true, URSA_UNARY_tanh, 0, 0},
};

static double activate(const ursa_activation *activation, double x)
{
    if (!activation->used)
        return x;
    if (activation->kind == URSA_UNARY_relu)
        return x > 0 ? x : 0;
    if (activation->kind == URSA_UNARY_leaky_relu)
        return x > 0 ? x : (double)activation->a * x;
    return tanh(x);
}

/* ---- products --------------------------------------------------------------- */

/* [batch, rows, columns], the last two stored the other way round if
 * `transposed`, with `gap` unused elements between rows; one matrix for all of
 * the batch if `shared`. */
static ursa_array matrix_new(int64_t batch, int64_t rows, int64_t columns, bool transposed, bool shared, int64_t gap)
{
    int64_t outer = transposed ? columns : rows, inner = (transposed ? rows : columns) + gap;
    ursa_array array = array_new(3, (const int64_t[]){shared ? 1 : batch, outer, inner});
    if (shared)
        array.stride[0] = 0;
    array.shape[0] = batch;
    array.shape[1] = rows;
    array.shape[2] = columns;
    if (transposed) {
        array.stride[2] = inner;
        array.stride[1] = 1;
    }
    return array;
}

static float element(const ursa_array *x, int64_t b, int64_t i, int64_t j)
{
    return floats(x)[b * x->stride[0] + i * x->stride[1] + j * x->stride[2]];
}

static void check_gemm(ursa_rng *rng, int64_t batch, int64_t m, int64_t n, int64_t k)
{
    bool x_turned = PICK(rng, 0, 1), y_turned = PICK(rng, 0, 1);
    struct ursa_gemm_args args = {
        .x = matrix_new(batch, m, k, x_turned, PICK(rng, 0, 0, 1), PICK(rng, 0, 0, 3)),
        .y = matrix_new(batch, k, n, y_turned, PICK(rng, 0, 0, 1), PICK(rng, 0, 0, 5)),
        .out = array_new(3, (const int64_t[]){batch, m, n}),
        .alpha = (float)PICK(rng, 1, 1, 2) * 0.5f,
        .beta = (float)PICK(rng, 0, 0, 1, 2) * 0.5f,
        .activation = activations[ursa_rng_below(rng, 4)],
    };
    if (PICK(rng, 0, 1)) {
        args.bias = array_new(1, &n);
        fill(&args.bias, rng);
    }
    fill(&args.x, rng);
    fill(&args.y, rng);
    if (args.beta == 0)
        poison(&args.out);
    else
        fill(&args.out, rng);
    double *want = malloc((size_t)(batch * m * n + 1) * sizeof *want), *at = want;
    for (int64_t b = 0; b < batch; b++)
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) {
                double sum = 0;
                for (int64_t l = 0; l < k; l++)
                    sum += (double)element(&args.x, b, i, l) * (double)element(&args.y, b, l, j);
                sum *= (double)args.alpha;
                if (args.beta != 0)
                    sum += (double)args.beta * (double)element(&args.out, b, i, j);
                if (args.bias.buffer)
                    sum += (double)floats(&args.bias)[j];
                *at++ = activate(&args.activation, sum);
            }
    struct ursa_gemm_args run = args;
    run.x = typed(&args.x, PICK(rng, 0, 1, 1) ? tested : URSA_F32);
    run.y = typed(&args.y, PICK(rng, 0, 1) ? tested : URSA_F32);
    run.out = typed(&args.out, PICK(rng, 0, 1) ? tested : URSA_F32);
    RUN_BOTH(gemm, &run, &run.out);
    char what[120];
    snprintf(what, sizeof what, "gemm %s %ldx%ldx%ldx%ld x%s y%s", ursa_cpu_simd()->name, (long)batch, (long)m, (long)n,
             (long)k, x_turned ? "ᵀ" : "", y_turned ? "ᵀ" : "");
    expect_close(&run.out, want, k, what);
    free(want);
    array_free(&run.x);
    array_free(&run.y);
    array_free(&run.out);
    array_free(&args.x);
    array_free(&args.y);
    array_free(&args.out);
    array_free(&args.bias);
}

/* Whether the set multiplies floats by the kernels of the one before it. */
static bool has_floats_of_another(int set)
{
    return set > 0 && ursa_cpu_set(set)->gemm == ursa_cpu_set(set - 1)->gemm;
}

/* Floats on every set there is; then half types, of which there are fewer trials. */
static bool next_trial(int *set, int *share)
{
    tested = *set < 0 || tested == URSA_BF16 ? URSA_F32 : tested + 1;
    *set += tested == URSA_F32;
    if (quick && *set == 0 && ursa_cpu_set(1))
        *set = 1;
    if (!ursa_cpu_set(*set) || !ursa_cpu_use(ursa_cpu_set(*set)->name))
        return false;
    if (tested == URSA_F32 && has_floats_of_another(*set))
        tested++;
    *share = tested == URSA_F32 ? 1 : 3;
    return true;
}

static void products(void **state)
{
    (void)state;
    for (int set = -1, share; next_trial(&set, &share);) {
        ursa_rng rng = ursa_rng_new(7, URSA_PURPOSE_USER, 0);
        for (int i = 0; i < (quick ? 60 : 400) / share; i++)
            check_gemm(&rng, PICK(&rng, 1, 1, 2, 5), PICK(&rng, 0, 1, 2, 3, 5, 6, 7, 12, 13, 31, 64, 97, 130),
                       PICK(&rng, 0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100),
                       PICK(&rng, 0, 1, 2, 3, 8, 17, 64, 255, 300));
        if (quick && share > 1)
            continue;
        check_gemm(&rng, 1, 200, 150, 1030);
        check_gemm(&rng, 1, 300, 310, 40);
        check_gemm(&rng, 3, 100, 200, 260);
        check_gemm(&rng, 200, 17, 19, 23);
        check_gemm(&rng, 1, 1, 3000, 500);
        check_gemm(&rng, 1, 3000, 1, 500);
    }
}

/* ---- convolutions ------------------------------------------------------------ */

struct conv {
    ursa_conv_geometry geometry;
    ursa_array x, w, dy; /* dy has the shape of the output */
    char name[160];
};

/* Calls `each` for every product of the convolution, by element offsets. */
typedef void each_product(void *context, int64_t x, int64_t w, int64_t out);

static void for_products(const struct conv *conv, each_product *each, void *context)
{
    const int64_t *xs = conv->x.shape, *ws = conv->w.shape, *os = conv->dy.shape;
    const ursa_conv_geometry *g = &conv->geometry;
    int64_t group_out = os[3] / g->groups;
    for (int64_t n = 0; n < os[0]; n++)
        for (int64_t oh = 0; oh < os[1]; oh++)
            for (int64_t ow = 0; ow < os[2]; ow++)
                for (int64_t kh = 0; kh < ws[1]; kh++)
                    for (int64_t kw = 0; kw < ws[2]; kw++) {
                        int64_t h = oh * g->stride[0] - g->pad[0] + kh * g->dilation[0];
                        int64_t w = ow * g->stride[1] - g->pad[1] + kw * g->dilation[1];
                        if (h < 0 || h >= xs[1] || w < 0 || w >= xs[2])
                            continue;
                        for (int64_t o = 0; o < os[3]; o++)
                            for (int64_t c = 0; c < ws[3]; c++)
                                each(context, ((n * xs[1] + h) * xs[2] + w) * xs[3] + o / group_out * ws[3] + c,
                                     ((o * ws[1] + kh) * ws[2] + kw) * ws[3] + c,
                                     ((n * os[1] + oh) * os[2] + ow) * os[3] + o);
                    }
}

struct sums {
    const float *x, *w, *dy;
    double *out, *dx, *dw;
};

static void add_product(void *context, int64_t x, int64_t w, int64_t out)
{
    struct sums *s = context;
    s->out[out] += (double)s->x[x] * (double)s->w[w];
    s->dx[x] += (double)s->dy[out] * (double)s->w[w];
    s->dw[w] += (double)s->dy[out] * (double)s->x[x];
}

static double *doubles(const ursa_array *array)
{
    return calloc((size_t)ursa_array_count(array) + 1, sizeof(double));
}

/* Mean and variance are those of what was stored, or of what was rounded to be stored; sums of n floats may be off by
 * 6 √n roundings, as in the kernel tests, and the differences from the mean by one of the numbers themselves. */
static void expect_moments(const ursa_array *out, const ursa_array *mean, const ursa_array *var, const char *what)
{
    int64_t channels = out->shape[3], count = ursa_array_count(out), rows = count / channels;
    double rounding = out->dtype == URSA_F16 ? 0x1p-11 : out->dtype == URSA_BF16 ? 0x1p-8 : 0;
    double sum_error = 0x1p-24 * (6 * sqrt((double)rows) + 6);
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0, size = 0, squares = 0;
        for (int64_t i = c; i < count; i += channels) {
            sum += number(out, i) / (double)rows;
            size += fabs(number(out, i)) / (double)rows;
        }
        for (int64_t i = c; i < count; i += channels)
            squares += (number(out, i) - sum) * (number(out, i) - sum) / (double)rows;
        double off = (sum_error + rounding) * size, deviation = sqrt(squares);
        double var_off = sum_error * deviation * (deviation + size) + 2 * deviation * rounding * size + 4 * off * off;
        if (!(fabs((double)floats(mean)[c] - sum) <= off) || !(fabs((double)floats(var)[c] - squares) <= var_off))
            fail_msg("%s %s: channel %ld has mean %.9g and variance %.9g, expected %.9g and %.9g",
                     ursa_dtype_name(tested), what, (long)c, (double)floats(mean)[c], (double)floats(var)[c], sum,
                     squares);
    }
}

static void check_conv(struct conv *conv, ursa_rng *rng)
{
    struct sums sums = {floats(&conv->x),   floats(&conv->w),  floats(&conv->dy),
                        doubles(&conv->dy), doubles(&conv->x), doubles(&conv->w)};
    for_products(conv, add_product, &sums);
    const int64_t *xs = conv->x.shape, *ws = conv->w.shape, *os = conv->dy.shape;
    int64_t filter = ws[1] * ws[2];

    struct ursa_conv2d_args forward = {
        .geometry = conv->geometry,
        .x = conv->x,
        .w = conv->w,
        .out = array_new(4, os),
        .activation = activations[ursa_rng_below(rng, 4)],
    };
    if (PICK(rng, 0, 1)) {
        forward.bias = array_new(1, &os[3]);
        fill(&forward.bias, rng);
        for (int64_t i = 0, away = PICK(rng, 0, 0, 1000); i < os[3]; i++)
            floats(&forward.bias)[i] += (float)away;
    }
    bool moments = !forward.activation.used && ursa_array_count(&forward.out) > 0;
    if (moments) {
        forward.mean = array_new(1, &os[3]);
        forward.var = array_new(1, &os[3]);
    }
    for (int64_t i = 0; i < ursa_array_count(&forward.out); i++) {
        if (forward.bias.buffer)
            sums.out[i] += (double)floats(&forward.bias)[i % os[3]];
        sums.out[i] = activate(&forward.activation, sums.out[i]);
    }
    poison(&forward.out);
    ursa_array x = typed(&conv->x, tested), dy = typed(&conv->dy, PICK(rng, 0, 1, 1, 1) ? tested : URSA_F32);
    ursa_array w = typed(&conv->w, PICK(rng, 0, 1) ? tested : URSA_F32), out = forward.out;
    forward.x = x;
    forward.w = w;
    forward.out = typed(&out, PICK(rng, 0, 1, 1, 1) ? tested : URSA_F32);
    RUN_BOTH(conv2d, &forward, &forward.out);
    expect_close(&forward.out, sums.out, filter * ws[3], conv->name);
    if (moments) {
        RUN_BOTH(conv2d, &forward, &forward.var);
        expect_moments(&forward.out, &forward.mean, &forward.var, conv->name);
    }

    ursa_array dx = array_new(4, xs), dw = array_new(4, ws);
    poison(&dx);
    poison(&dw);
    struct ursa_conv2d_grad_input_args input = {conv->geometry, dy, w, typed(&dx, tested)};
    RUN_BOTH(conv2d_grad_input, &input, &input.dx);
    expect_close(&input.dx, sums.dx, filter * os[3] / conv->geometry.groups, conv->name);

    struct ursa_conv2d_grad_weight_args weight = {conv->geometry, x, dy,
                                                  typed(&dw, PICK(rng, 0, 0, 1) ? tested : URSA_F32)};
    RUN_BOTH(conv2d_grad_weight, &weight, &weight.dw);
    expect_close(&weight.dw, sums.dw, os[0] * os[1] * os[2], conv->name);

    ursa_array *arrays[] = {&x, &dy, &w, &out, &dx, &dw};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        array_free(arrays[i]);
    array_free(&forward.out);
    array_free(&forward.bias);
    array_free(&forward.mean);
    array_free(&forward.var);
    array_free(&input.dx);
    array_free(&weight.dw);
    free(sums.out);
    free(sums.dx);
    free(sums.dw);
}

struct conv_case {
    int64_t images, height, width, group_in, group_out, kernel[2];
    ursa_conv_geometry geometry;
};

static void run_conv(const struct conv_case *c, ursa_rng *rng)
{
    const ursa_conv_geometry *g = &c->geometry;
    int64_t extent[2] = {c->height, c->width}, out[2];
    for (int axis = 0; axis < 2; axis++) {
        int64_t span = (c->kernel[axis] - 1) * g->dilation[axis] + 1;
        int64_t room = extent[axis] + 2 * g->pad[axis] - span;
        if (room < 0)
            return;
        out[axis] = room / g->stride[axis] + 1;
    }
    struct conv conv = {
        .geometry = *g,
        .x = array_new(4, (const int64_t[]){c->images, c->height, c->width, c->group_in * g->groups}),
        .w = array_new(4, (const int64_t[]){c->group_out * g->groups, c->kernel[0], c->kernel[1], c->group_in}),
        .dy = array_new(4, (const int64_t[]){c->images, out[0], out[1], c->group_out * g->groups}),
    };
    snprintf(conv.name, sizeof conv.name,
             "conv %s %ldx%ldx%ld, %d groups of %ld to %ld, kernel %ldx%ld, stride %d %d, pad %d %d, dilation %d %d",
             ursa_cpu_simd()->name, (long)c->images, (long)c->height, (long)c->width, g->groups, (long)c->group_in,
             (long)c->group_out, (long)c->kernel[0], (long)c->kernel[1], g->stride[0], g->stride[1], g->pad[0],
             g->pad[1], g->dilation[0], g->dilation[1]);
    fill(&conv.x, rng);
    fill(&conv.w, rng);
    fill(&conv.dy, rng);
    check_conv(&conv, rng);
    array_free(&conv.x);
    array_free(&conv.w);
    array_free(&conv.dy);
}

static struct conv_case random_case(ursa_rng *rng)
{
    struct conv_case c = {
        .images = PICK(rng, 0, 1, 1, 2, 3, 7),
        .height = PICK(rng, 1, 2, 3, 5, 7, 8, 12),
        .width = PICK(rng, 1, 2, 4, 7, 9, 17, 20),
        .group_in = PICK(rng, 1, 1, 2, 3, 4, 8, 11, 16, 35),
        .group_out = PICK(rng, 1, 1, 2, 3, 8, 13, 16, 17, 40),
        .kernel = {PICK(rng, 1, 2, 3, 3, 5), PICK(rng, 1, 2, 3, 3, 4)},
    };
    ursa_conv_geometry *g = &c.geometry;
    for (int axis = 0; axis < 2; axis++) {
        g->stride[axis] = (int)PICK(rng, 1, 1, 2, 3);
        g->pad[axis] = (int)PICK(rng, 0, 1, 1, 2, 4);
        g->dilation[axis] = (int)PICK(rng, 1, 1, 1, 2, 3);
    }
    g->groups = (int)PICK(rng, 1, 1, 1, 2, 3, 9);
    return c;
}

static void convolutions(void **state)
{
    (void)state;
    static const struct conv_case fixed[] = {
        {2, 37, 41, 3, 64, {7, 7}, {{2, 2}, {3, 3}, {1, 1}, 1}},   /* a stem */
        {3, 28, 28, 1, 16, {3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}},   /* a stem of one channel */
        {2, 14, 14, 96, 100, {3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}}, /* several blocks each way */
        {9, 4, 4, 130, 70, {3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}},   /* several images to a band */
        {2, 9, 300, 20, 24, {3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}},  /* a row longer than a band */
        {3, 16, 16, 33, 65, {1, 1}, {{2, 2}, {0, 0}, {1, 1}, 1}},
        {2, 10, 10, 200, 220, {1, 1}, {{2, 2}, {0, 0}, {1, 1}, 1}}, /* gaps in dx, whose columns are cut */
        {2, 9, 8, 20, 24, {1, 1}, {{2, 3}, {1, 2}, {1, 1}, 3}},
        {2, 12, 12, 300, 20, {1, 1}, {{1, 1}, {0, 0}, {1, 1}, 1}}, /* an inner dimension in parts */
        {2, 15, 15, 1, 1, {3, 3}, {{1, 1}, {1, 1}, {1, 1}, 67}},   /* depthwise */
        {2, 15, 15, 1, 2, {3, 3}, {{2, 2}, {1, 1}, {1, 1}, 40}},
        {4, 5, 5, 1, 3, {5, 5}, {{3, 3}, {2, 2}, {1, 1}, 5}},
        {2, 40, 41, 4, 4, {3, 3}, {{1, 1}, {1, 1}, {1, 1}, 32}}, /* groups of few channels, in several bands */
        {1, 40, 20, 8, 8, {3, 3}, {{2, 2}, {1, 1}, {1, 1}, 9}},
        {2, 9, 9, 2, 6, {3, 3}, {{1, 1}, {1, 1}, {2, 2}, 7}},
    };
    for (int set = -1, share; next_trial(&set, &share);) {
        ursa_rng rng = ursa_rng_new(11, URSA_PURPOSE_USER, 0);
        for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i += quick ? (size_t)share : 1)
            run_conv(&fixed[i], &rng);
        for (int i = 0; i < (quick ? 30 : 150) / share; i++) {
            struct conv_case c = random_case(&rng);
            run_conv(&c, &rng);
        }
    }
}

/* Shapes for which Winograd's method is taken, forward and backward: borders that cut tiles, windows without a border
 * and with a wide one, blocks that are not full, inner dimensions in parts; many tiles and few. */
static void winograd(void **state)
{
    (void)state;
    static const struct conv_case cases[] = {
        {5, 17, 23, 64, 72, {3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}},
        {1, 30, 31, 40, 128, {3, 3}, {{1, 1}, {0, 0}, {1, 1}, 1}},
        {5, 20, 18, 64, 80, {3, 3}, {{1, 1}, {2, 0}, {1, 1}, 1}},
        {70, 4, 4, 136, 88, {3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}},
        {6, 16, 12, 264, 48, {3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}},
        {3, 28, 28, 32, 56, {3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}},
        {1, 33, 40, 128, 48, {3, 3}, {{1, 1}, {0, 2}, {1, 1}, 1}},
        {3, 32, 31, 64, 64, {3, 3}, {{1, 1}, {1, 1}, {1, 1}, 1}}, /* also where the direct method multiplies pairs */
    };
    enum { CASES = sizeof cases / sizeof *cases };
    for (int set = -1, share; next_trial(&set, &share);) {
        ursa_rng rng = ursa_rng_new(13, URSA_PURPOSE_USER, 0);
        error_growth = tested == URSA_F32 ? 1 : 1.25;
        int rate = ursa_product_kernels(tested, tested)->rate;
        bool pairs = rate >= 2, tiles = rate > 2; /* tiles of pairs leave Winograd's method nothing */
        for (int i = pairs ? CASES - 1 : 0; i < CASES - !pairs; i += quick ? 3 * share : share) {
            const struct conv_case *c = &cases[i];
            const int *pad = c->geometry.pad;
            struct ursa_conv_shape shape = {.images = c->images,
                                            .height = c->height,
                                            .width = c->width,
                                            .channels = c->group_in,
                                            .out_height = c->height + 2 * pad[0] - 2,
                                            .out_width = c->width + 2 * pad[1] - 2,
                                            .out_channels = c->group_out,
                                            .kernel = {3, 3},
                                            .stride = {1, 1},
                                            .pad = {pad[0], pad[1]},
                                            .dilation = {1, 1},
                                            .groups = 1,
                                            .group_in = c->group_in,
                                            .group_out = c->group_out,
                                            .x_type = tested,
                                            .out_type = tested};
            assert_true(ursa_winograd_applies(&shape) == !tiles);
            assert_true(ursa_winograd_grad_input_applies(&shape) == !tiles);
            assert_true(ursa_winograd_grad_weight_applies(&shape) == !tiles);
            run_conv(c, &rng);
        }
    }
}

/* ---- infinities -------------------------------------------------------------- */

/* Weights in whose gradient one number of x, or of dy, is a term. */
struct reach {
    int64_t x, dy; /* -1: none */
    bool *weights;
};

static void mark(void *context, int64_t x, int64_t w, int64_t out)
{
    struct reach *reach = context;
    if (x == reach->x || out == reach->dy)
        reach->weights[w] = true;
}

/* One infinite number makes its own sums infinite and no others. */
static void check_reach(const struct conv *conv, ursa_array *infinite, int64_t at)
{
    int64_t count = ursa_array_count(&conv->w);
    struct reach reach = {infinite == &conv->x ? at : -1, infinite == &conv->dy ? at : -1, calloc((size_t)count, 1)};
    float before = floats(infinite)[at];
    floats(infinite)[at] = INFINITY;
    for_products(conv, mark, &reach);
    struct ursa_conv2d_grad_weight_args args = {conv->geometry, typed(&conv->x, tested), typed(&conv->dy, tested),
                                                array_new(4, conv->w.shape)};
    assert_true(ursa_op_conv2d_grad_weight(cpu, &args));
    for (int64_t i = 0; i < count; i++)
        if (reach.weights[i] ? !isinf(floats(&args.dw)[i]) : !isfinite(floats(&args.dw)[i]))
            fail_msg("%s %s: weight %ld is %g, element %ld of %s is infinite", ursa_dtype_name(tested), conv->name,
                     (long)i, (double)floats(&args.dw)[i], (long)at, infinite == &conv->x ? "x" : "dy");
    floats(infinite)[at] = before;
    array_free(&args.x);
    array_free(&args.dy);
    array_free(&args.dw);
    free(reach.weights);
}

/* Windows whose rows begin and end within pairs of pixels, inside the image and at its border. */
static void infinities(void **state)
{
    (void)state;
    for (int set = -1, share; next_trial(&set, &share);) {
        ursa_rng rng = ursa_rng_new(17, URSA_PURPOSE_USER, 0);
        for (int64_t width = 6; width < 10; width++)
            for (int stride = 1; stride < 3; stride++) {
                ursa_conv_geometry geometry = {{1, stride}, {1, 2}, {1, 1}, 1};
                int64_t out = (width - 1) / stride + 1;
                struct conv conv = {geometry, array_new(4, (const int64_t[]){1, 3, width, 9}),
                                    array_new(4, (const int64_t[]){5, 3, 5, 9}),
                                    array_new(4, (const int64_t[]){1, 3, out, 5})};
                snprintf(conv.name, sizeof conv.name, "%s width %ld stride %d", ursa_cpu_simd()->name, (long)width,
                         stride);
                fill(&conv.x, &rng);
                fill(&conv.dy, &rng);
                for (int64_t i = 0; i < width; i++)
                    check_reach(&conv, &conv.x, (width + i) * 9 + 4);
                for (int64_t i = 0; i < out; i++)
                    check_reach(&conv, &conv.dy, (out + i) * 5 + 2);
                array_free(&conv.x);
                array_free(&conv.w);
                array_free(&conv.dy);
            }
    }
}

static int setup(void **state)
{
    (void)state;
    cpu = ursa_device_open("cpu");
    return cpu ? 0 : -1;
}

int main(int argc, char **argv)
{
    quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products),
        cmocka_unit_test(convolutions),
        cmocka_unit_test(winograd),
        cmocka_unit_test(infinities),
    };
    int failed = cmocka_run_group_tests(tests, setup, NULL);
    return ursa_finish() || failed;
}

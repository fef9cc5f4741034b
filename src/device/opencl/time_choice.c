/* time_choice.c — how long a choice takes, on arrays made for the problem. */
#include "device/opencl/tuning.h"
#include "base/clock.h"
#include <stdlib.h>

enum { RUNS = 5, SIDE = 8 };

/* A contiguous array of ones: what memory held before may be subnormal numbers, which slow processors down. */
static ursa_array array_of(struct ursa_cl_device *device, ursa_dtype type, int ndim, const int64_t *shape)
{
    ursa_array a = {.dtype = type, .ndim = ndim};
    int64_t step = 1;
    for (int axis = ndim - 1; axis >= 0; axis--) {
        a.shape[axis] = shape[axis];
        a.stride[axis] = step;
        step *= shape[axis];
    }
    a.buffer = ursa_buffer_new(&device->base, type, step);
    if (a.buffer && !ursa_op_fill(&device->base, &(struct ursa_fill_args){.out = a, .value = 1})) {
        ursa_buffer_release(a.buffer);
        a.buffer = NULL;
    }
    return a;
}
#define ARRAY(device, type, ...)                                                                                       \
    array_of(device, type, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__})

/* The same matrix, rows next to each other instead of columns. */
static ursa_array transposed(ursa_array a)
{
    a.stride[2] = a.shape[1];
    a.stride[1] = 1;
    return a;
}

/* The factors and the result of one operator, as the problem wants them. */
struct subject {
    ursa_array x, w, out;
    ursa_conv_geometry geometry;
};

static struct subject gemm_subject(struct ursa_cl_device *device, const struct ursa_cl_product *p)
{
    struct subject s = {.x = ARRAY(device, p->type, p->batch, p->m, p->k),
                        .w = ARRAY(device, p->type, p->batch, p->k, p->n),
                        .out = ARRAY(device, p->type, p->batch, p->m, p->n)};
    if (!p->x_across)
        s.x = transposed(s.x);
    if (!p->y_across)
        s.w = transposed(s.w);
    return s;
}

/* A convolution that comes down to these matrices: with a window of 3 × 3 where
 * the problem says so, else of 1 × 1. */
static struct subject conv_subject(struct ursa_cl_device *device, const struct ursa_cl_product *p)
{
    bool weight = p->kind == URSA_CL_CONV_WEIGHT;
    int64_t pixels = weight ? p->k : p->m, width = weight ? p->m : p->n, terms = weight ? p->n : p->k;
    int64_t window = p->window == 3 && terms % 9 == 0 ? 3 : 1, depth = terms / (window * window);
    int64_t images = (pixels + SIDE * SIDE - 1) / (SIDE * SIDE);
    int pad = (int)window / 2;
    return (struct subject){
        .x = ARRAY(device, p->type, images, SIDE, SIDE, depth * p->batch),
        .w = ARRAY(device, URSA_F32, width * p->batch, window, window, depth),
        .out = ARRAY(device, p->type, images, SIDE, SIDE, width * p->batch),
        .geometry = {.stride = {1, 1}, .pad = {pad, pad}, .dilation = {1, 1}, .groups = (int)p->batch}};
}

static bool run(struct ursa_cl_device *device, const struct ursa_cl_product *p, const struct subject *s)
{
    switch (p->kind) {
    case URSA_CL_GEMM:
        return ursa_opencl_gemm(&device->base,
                                &(struct ursa_gemm_args){.x = s->x, .y = s->w, .out = s->out, .alpha = 1});
    case URSA_CL_CONV:
        return ursa_opencl_conv2d(
            &device->base, &(struct ursa_conv2d_args){.geometry = s->geometry, .x = s->x, .w = s->w, .out = s->out});
    case URSA_CL_CONV_WEIGHT:
        return ursa_opencl_conv2d_grad_weight(
            &device->base,
            &(struct ursa_conv2d_grad_weight_args){.geometry = s->geometry, .x = s->x, .dy = s->out, .dw = s->w});
    }
    return false;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double ursa_cl_time_choice(struct ursa_cl_device *device, const struct ursa_cl_product *product,
                           const struct ursa_cl_choice *choice)
{
    struct subject s = product->kind == URSA_CL_GEMM ? gemm_subject(device, product) : conv_subject(device, product);
    double seconds[RUNS];
    bool ok = s.x.buffer && s.w.buffer && s.out.buffer;
    ursa_cl_try_choice(choice);
    ok = ok && run(device, product, &s) && ursa_cl_sync(&device->base); /* compiles */
    for (int i = 0; ok && i < RUNS; i++) {
        double start = ursa_seconds();
        ok = run(device, product, &s) && ursa_cl_sync(&device->base);
        seconds[i] = ursa_seconds() - start;
    }
    ursa_cl_try_choice(NULL);
    ursa_buffer_release(s.x.buffer);
    ursa_buffer_release(s.w.buffer);
    ursa_buffer_release(s.out.buffer);
    if (!ok)
        return -1;
    qsort(seconds, RUNS, sizeof *seconds, by_size);
    return seconds[RUNS / 2];
}

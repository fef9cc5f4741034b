/* resample.c — resizing and grid sampling on the CPU. */
#include "cpu.h"
#include "taps.h"
#include "base/parallel.h"
#include "simd/convert.h"
#include <stdlib.h>
#include <string.h>

/* ---- resizing ----------------------------------------------------------- */

bool ursa_cpu_resize(ursa_device *device, const struct ursa_resize_args *args)
{
    (void)device;
    const int64_t *in = args->x.shape, *out = args->out.shape;
    return ursa_taps_apply(ursa_taps_resize(args->kind, args->align_corners, out[1], in[1]),
                           ursa_taps_resize(args->kind, args->align_corners, out[2], in[2]), &args->x, &args->out);
}

bool ursa_cpu_resize_grad(ursa_device *device, const struct ursa_resize_grad_args *args)
{
    (void)device;
    const int64_t *out = args->dy.shape, *in = args->dx.shape;
    struct ursa_tap_table rows = ursa_taps_resize(args->kind, args->align_corners, out[1], in[1]);
    struct ursa_tap_table columns = ursa_taps_resize(args->kind, args->align_corners, out[2], in[2]);
    bool done = ursa_taps_apply(ursa_taps_transpose(&rows), ursa_taps_transpose(&columns), &args->dy, &args->dx);
    free(rows.memory);
    free(columns.memory);
    return done;
}

/* ---- grid sampling ------------------------------------------------------ */

typedef struct grid_job {
    const struct ursa_resample_kernels *simd;
    ursa_dtype dtype;
    int64_t element; /* its bytes */
    struct ursa_grid_rules rules;
    const char *x, *dy;
    const float *grid;
    char *out, *dx;
    float *dgrid;
    int64_t out_h, out_w;
} grid_job;

static struct ursa_grid_rules rules_of(ursa_resize_kind kind, ursa_border_kind border, bool align_corners,
                                       const int64_t *image)
{
    return (struct ursa_grid_rules){kind, border, align_corners, image[1], image[2], image[3]};
}

static void grid_row(void *context, int64_t index)
{
    const grid_job *job = context;
    const struct ursa_grid_rules *rules = &job->rules;
    const char *image = job->x + index / job->out_h * rules->h * rules->w * rules->c * job->element;
    int64_t at = index * job->out_w;
    job->simd->grid(rules, image, job->grid + 2 * at, job->out_w, job->out + at * rules->c * job->element);
}

bool ursa_cpu_grid_sample(ursa_device *device, const struct ursa_grid_sample_args *args)
{
    (void)device;
    const int64_t *out = args->out.shape;
    grid_job job = {.simd = &ursa_cpu_simd()->resample->of[args->x.dtype],
                    .dtype = args->x.dtype,
                    .element = (int64_t)ursa_dtype_size(args->x.dtype),
                    .rules = rules_of(args->kind, args->border, args->align_corners, args->x.shape),
                    .x = ursa_cpu_data(&args->x),
                    .grid = ursa_cpu_f32(&args->grid),
                    .out = ursa_cpu_data(&args->out),
                    .out_h = out[1],
                    .out_w = out[2]};
    return ursa_parallel(out[0] * out[1], grid_row, &job);
}

/* Where the gradient of an image is summed: in dx, or in scratch where dx is of a half type. */
static float *sums_of(const grid_job *job, int64_t n, int64_t size)
{
    if (!job->dx)
        return NULL;
    float *sums = job->dtype == URSA_F32 ? (float *)(void *)job->dx + n * size
                                         : ursa_scratch(2, (size_t)(size + 1) * sizeof *sums);
    if (sums)
        memset(sums, 0, (size_t)size * sizeof *sums);
    return sums;
}

/* Pixels of one image may meet in dx, so an image is not divided. */
static void grid_grad_image(void *context, int64_t n)
{
    const grid_job *job = context;
    const struct ursa_grid_rules *rules = &job->rules;
    int64_t size = rules->h * rules->w * rules->c, count = job->out_h * job->out_w, at = n * count;
    float *dx = sums_of(job, n, size);
    if (job->dx && !dx)
        return;
    job->simd->grid_grad(rules, job->x + n * size * job->element, job->grid + 2 * at,
                         job->dy + at * rules->c * job->element, count, dx, job->dgrid ? job->dgrid + 2 * at : NULL);
    if (dx && job->dtype != URSA_F32)
        ursa_cpu_simd()->convert->kernel[URSA_F32][job->dtype](size, dx, job->dx + n * size * job->element);
}

bool ursa_cpu_grid_sample_grad(ursa_device *device, const struct ursa_grid_sample_grad_args *args)
{
    (void)device;
    const int64_t *out = args->dy.shape;
    grid_job job = {.simd = &ursa_cpu_simd()->resample->of[args->x.dtype],
                    .dtype = args->x.dtype,
                    .element = (int64_t)ursa_dtype_size(args->x.dtype),
                    .rules = rules_of(args->kind, args->border, args->align_corners, args->x.shape),
                    .x = ursa_cpu_data(&args->x),
                    .grid = ursa_cpu_f32(&args->grid),
                    .dy = ursa_cpu_data(&args->dy),
                    .dx = ursa_cpu_data(&args->dx),
                    .dgrid = ursa_cpu_f32(&args->dgrid),
                    .out_h = out[1],
                    .out_w = out[2]};
    return ursa_parallel(out[0], grid_grad_image, &job);
}

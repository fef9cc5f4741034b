/* pool.c — pooling on the CPU: maxima by kernels of their own, averages by
 * tables of weights. */
#include "cpu.h"
#include "taps.h"
#include "base/memory.h"
#include "base/parallel.h"
#include <stdlib.h>

#define GRAIN 16384 /* elements of the image in a task */

typedef struct pool_job {
    const struct ursa_pool_kernels *simd;
    int64_t size; /* bytes of an element */
    const struct ursa_span *rows, *columns;
    const char *from;
    char *to;
    int32_t *indices;
    int64_t from_h, from_w, to_h, to_w, c;
} pool_job;

static struct ursa_span *windows(const ursa_pool_geometry *geometry, int axis, int64_t outputs, int64_t extent)
{
    struct ursa_span *spans = ursa_alloc_array((size_t)(outputs + 1), sizeof *spans);
    for (int64_t o = 0; spans && o < outputs; o++)
        spans[o] = ursa_pool_window(geometry, axis, o, outputs, extent).span;
    return spans;
}

/* For every pixel of an axis the windows it lies in. As o grows, windows
 * neither begin nor end earlier, so these follow each other. */
static struct ursa_span *windows_around(const ursa_pool_geometry *geometry, int axis, int64_t outputs, int64_t extent)
{
    struct ursa_span *spans = ursa_alloc_array((size_t)(extent + 1), sizeof *spans);
    for (int64_t o = 0; spans && o < outputs; o++) {
        struct ursa_span window = ursa_pool_window(geometry, axis, o, outputs, extent).span;
        for (int64_t i = window.begin; i < window.end; i++) {
            if (spans[i].end == 0)
                spans[i].begin = (int32_t)o;
            spans[i].end = (int32_t)o + 1;
        }
    }
    return spans;
}

static void max_rows(void *context, int64_t begin, int64_t end)
{
    const pool_job *job = context;
    for (int64_t i = begin; i < end; i++) {
        const char *image = job->from + i / job->to_h * job->from_h * job->from_w * job->c * job->size;
        int64_t at = i * job->to_w * job->c;
        job->simd->max(image, job->from_w, job->c, job->rows[i % job->to_h], job->columns, job->to_w,
                       job->to + at * job->size, job->indices ? job->indices + at : NULL);
    }
}

static void max_grad_rows(void *context, int64_t begin, int64_t end)
{
    const pool_job *job = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t h = i % job->to_h, image = i / job->to_h * job->from_h * job->from_w * job->c;
        job->simd->max_grad(job->from + image * job->size, job->indices + image, job->from_w, job->c, job->rows[h],
                            job->columns, h, job->to_w, job->to + i * job->to_w * job->c * job->size);
    }
}

/* Frees the spans. */
static bool run(pool_job job, ursa_dtype dtype, struct ursa_span *rows, struct ursa_span *columns, int64_t images,
                ursa_range_task *task)
{
    job.simd = &ursa_cpu_simd()->pool->of[dtype];
    job.size = (int64_t)ursa_dtype_size(dtype);
    job.rows = rows;
    job.columns = columns;
    int64_t width = job.from_w > job.to_w ? job.from_w : job.to_w, grain = GRAIN / (width * job.c + 1);
    bool done = rows && columns && ursa_parallel_range(images * job.to_h, grain > 1 ? grain : 1, task, &job);
    free(rows);
    free(columns);
    return done;
}

bool ursa_cpu_pool2d(ursa_device *device, const struct ursa_pool2d_args *args)
{
    (void)device;
    const int64_t *in = args->x.shape, *out = args->out.shape;
    if (args->kind == URSA_POOL_AVG)
        return ursa_taps_apply(ursa_taps_average(&args->geometry, 0, out[1], in[1]),
                               ursa_taps_average(&args->geometry, 1, out[2], in[2]), &args->x, &args->out);
    pool_job job = {.from = ursa_cpu_data(&args->x),
                    .to = ursa_cpu_data(&args->out),
                    .indices = ursa_cpu_i32(&args->indices),
                    .from_h = in[1],
                    .from_w = in[2],
                    .to_h = out[1],
                    .to_w = out[2],
                    .c = in[3]};
    return run(job, args->x.dtype, windows(&args->geometry, 0, out[1], in[1]),
               windows(&args->geometry, 1, out[2], in[2]), out[0], max_rows);
}

static bool average_grad(const struct ursa_pool2d_grad_args *args)
{
    const int64_t *out = args->dy.shape, *in = args->dx.shape;
    struct ursa_tap_table rows = ursa_taps_average(&args->geometry, 0, out[1], in[1]);
    struct ursa_tap_table columns = ursa_taps_average(&args->geometry, 1, out[2], in[2]);
    bool done = ursa_taps_apply(ursa_taps_transpose(&rows), ursa_taps_transpose(&columns), &args->dy, &args->dx);
    free(rows.memory);
    free(columns.memory);
    return done;
}

bool ursa_cpu_pool2d_grad(ursa_device *device, const struct ursa_pool2d_grad_args *args)
{
    (void)device;
    if (args->kind == URSA_POOL_AVG)
        return average_grad(args);
    const int64_t *out = args->dy.shape, *in = args->dx.shape;
    pool_job job = {.from = ursa_cpu_data(&args->dy),
                    .to = ursa_cpu_data(&args->dx),
                    .indices = ursa_cpu_i32(&args->indices),
                    .from_h = out[1],
                    .from_w = out[2],
                    .to_h = in[1],
                    .to_w = in[2],
                    .c = in[3]};
    return run(job, args->dx.dtype, windows_around(&args->geometry, 0, out[1], in[1]),
               windows_around(&args->geometry, 1, out[2], in[2]), in[0], max_grad_rows);
}

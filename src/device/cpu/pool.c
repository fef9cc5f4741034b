/* pool.c — pooling on the CPU: maxima by kernels of their own, averages by
 * tables of weights. */
#include "cpu.h"
#include "taps.h"
#include "base/memory.h"
#include "base/parallel.h"
#include <stdlib.h>

#define GRAIN 16384 /* elements of the image in a task */

/* Maxima, or their gradients, of windows on images `x` with results `y`. */
typedef struct max_job {
    const struct ursa_pool_kernels *simd;
    int64_t size; /* bytes of an element */
    const int64_t *x, *y;
    const char *from;
    char *to;
    struct ursa_winners winners;
    struct ursa_span *rows, *columns; /* of windows; of the gradient, the windows around pixels */
    int32_t *first_rows, *first_columns;
} max_job;

/* ---- tables ---------------------------------------------------------------- */

typedef struct ursa_span *span_table(const ursa_pool_geometry *geometry, int axis, int64_t outputs, int64_t extent);

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

/* The first pixel of every window, in the padding or not. */
static int32_t *firsts(const ursa_pool_geometry *geometry, int axis, int64_t outputs, int64_t extent)
{
    int32_t *first = ursa_alloc_array((size_t)(outputs + 1), sizeof *first);
    for (int64_t o = 0; first && o < outputs; o++)
        first[o] = (int32_t)ursa_pool_first(geometry, axis, o, extent, outputs);
    return first;
}

/* ---- maxima ---------------------------------------------------------------- */

static max_job plan(const ursa_pool_geometry *geometry, const ursa_array *x, const ursa_array *y,
                    const ursa_array *winners, span_table *spans)
{
    const int64_t *in = x->shape, *out = y->shape;
    max_job job = {.simd = &ursa_cpu_simd()->pool->of[x->dtype],
                   .size = (int64_t)ursa_dtype_size(x->dtype),
                   .x = in,
                   .y = out,
                   .rows = spans(geometry, 0, out[1], in[1]),
                   .columns = spans(geometry, 1, out[2], in[2]),
                   .first_rows = firsts(geometry, 0, out[1], in[1]),
                   .first_columns = firsts(geometry, 1, out[2], in[2])};
    job.winners = (struct ursa_winners){.places = ursa_cpu_data(winners),
                                        .size = winners->buffer ? (int)ursa_dtype_size(winners->dtype) : 0,
                                        .across = ursa_pool_span(geometry, 1, in[2], out[2]),
                                        .first_rows = job.first_rows,
                                        .first_columns = job.first_columns};
    return job;
}

/* Frees the tables. */
static bool run(max_job *job, ursa_range_task *task, int64_t tasks)
{
    int64_t width = job->x[2] > job->y[2] ? job->x[2] : job->y[2], grain = GRAIN / (width * job->x[3] + 1);
    bool done = job->rows && job->columns && job->first_rows && job->first_columns &&
                ursa_parallel_range(tasks, grain > 1 ? grain : 1, task, job);
    free(job->rows);
    free(job->columns);
    free(job->first_rows);
    free(job->first_columns);
    return done;
}

static int64_t image_elements(const int64_t *shape)
{
    return shape[1] * shape[2] * shape[3];
}

static struct ursa_winners winners_from(const max_job *job, int64_t element)
{
    struct ursa_winners winners = job->winners;
    if (winners.size)
        winners.places = (char *)winners.places + element * winners.size;
    return winners;
}

static void max_rows(void *context, int64_t begin, int64_t end)
{
    const max_job *job = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t image = i / job->y[1], row = i % job->y[1], to = i * job->y[2] * job->y[3];
        struct ursa_winners winners = winners_from(job, to);
        job->simd->max(job->from + image * image_elements(job->x) * job->size, job->x[2], job->x[3], job->rows[row],
                       job->columns, row, job->y[2], job->to + to * job->size, &winners);
    }
}

static void max_grad_rows(void *context, int64_t begin, int64_t end)
{
    const max_job *job = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t image = i / job->x[1], h = i % job->x[1], from = image * image_elements(job->y);
        struct ursa_winners winners = winners_from(job, from);
        job->simd->max_grad(job->from + from * job->size, &winners, job->y[2], job->y[3], job->rows[h], job->columns, h,
                            job->x[2], job->to + i * job->x[2] * job->x[3] * job->size);
    }
}

static bool max_of(const struct ursa_pool2d_args *args)
{
    max_job job = plan(&args->geometry, &args->x, &args->out, &args->winners, windows);
    job.from = ursa_cpu_data(&args->x);
    job.to = ursa_cpu_data(&args->out);
    return run(&job, max_rows, job.y[0] * job.y[1]);
}

static bool max_grad(const struct ursa_pool2d_grad_args *args)
{
    max_job job = plan(&args->geometry, &args->dx, &args->dy, &args->winners, windows_around);
    job.from = ursa_cpu_data(&args->dy);
    job.to = ursa_cpu_data(&args->dx);
    return run(&job, max_grad_rows, job.x[0] * job.x[1]);
}

/* ---- averages -------------------------------------------------------------- */

static bool average_of(const struct ursa_pool2d_args *args)
{
    const int64_t *in = args->x.shape, *out = args->out.shape;
    return ursa_taps_apply(ursa_taps_average(&args->geometry, 0, out[1], in[1]),
                           ursa_taps_average(&args->geometry, 1, out[2], in[2]), &args->x, &args->out);
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

bool ursa_cpu_pool2d(ursa_device *device, const struct ursa_pool2d_args *args)
{
    (void)device;
    return args->kind == URSA_POOL_MAX ? max_of(args) : average_of(args);
}

bool ursa_cpu_pool2d_grad(ursa_device *device, const struct ursa_pool2d_grad_args *args)
{
    (void)device;
    return args->kind == URSA_POOL_MAX ? max_grad(args) : average_grad(args);
}

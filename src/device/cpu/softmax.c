/* softmax.c — softmax and log-softmax along an axis on the CPU.
 *
 * An array is [outer, n, inner] around the axis. With inner = 1 the kernels
 * work along rows, else along the columns of panels [n, PANEL]. Halves are
 * widened to float, row block or panel at a time.
 */
#include "cpu.h"
#include "simd/convert.h"
#include "simd/softmax.h"
#include "base/parallel.h"

#define PANEL 64
#define GRAIN 16384 /* elements in a task */

typedef struct softmax_job {
    const struct ursa_simd *simd;
    ursa_dtype dtype;
    bool log;
    const char *x; /* of the gradient: y */
    const char *dy;
    char *out;
    int64_t outer, n, inner;
    int64_t panels; /* in a row of inner */
} softmax_job;

static int64_t at_least_one(int64_t value)
{
    return value > 1 ? value : 1;
}

static void rows_kernel(const softmax_job *job, const float *x, const float *dy, int64_t rows, float *out)
{
    if (job->dy)
        job->simd->softmax->rows_grad(x, dy, rows, job->n, job->log, out);
    else
        job->simd->softmax->rows(x, rows, job->n, job->log, out);
}

static void columns_kernel(const softmax_job *job, const float *x, const float *dy, int64_t stride, int64_t width,
                           float *out)
{
    if (job->dy)
        job->simd->softmax->columns_grad(x, dy, job->n, stride, width, job->log, out);
    else
        job->simd->softmax->columns(x, job->n, stride, width, job->log, out);
}

/* ---- float -------------------------------------------------------------- */

static const float *floats(const char *data, int64_t at)
{
    return data ? (const float *)(const void *)data + at : NULL;
}

static void float_rows(void *context, int64_t begin, int64_t end)
{
    const softmax_job *job = context;
    int64_t at = begin * job->n;
    rows_kernel(job, floats(job->x, at), floats(job->dy, at), end - begin, (float *)(void *)job->out + at);
}

/* Where panel `index` begins, and how wide it is. */
static int64_t panel_at(const softmax_job *job, int64_t index, int64_t *width)
{
    int64_t column = index % job->panels * PANEL, left = job->inner - column;
    *width = left < PANEL ? left : PANEL;
    return index / job->panels * job->n * job->inner + column;
}

static void float_panels(void *context, int64_t begin, int64_t end)
{
    const softmax_job *job = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t width, at = panel_at(job, i, &width);
        columns_kernel(job, floats(job->x, at), floats(job->dy, at), job->inner, width, (float *)(void *)job->out + at);
    }
}

/* ---- halves ------------------------------------------------------------- */

/* `rows` pieces of `width` elements, `inner` apart in `data`, side by side. */
static void widen(const softmax_job *job, const char *data, int64_t at, int64_t rows, int64_t width, float *to)
{
    int64_t size = (int64_t)ursa_dtype_size(job->dtype);
    for (int64_t i = 0; data && i < rows; i++)
        job->simd->convert->kernel[job->dtype][URSA_F32](width, data + (at + i * job->inner) * size, to + i * width);
}

static void narrow(const softmax_job *job, const float *from, int64_t at, int64_t rows, int64_t width)
{
    int64_t size = (int64_t)ursa_dtype_size(job->dtype);
    for (int64_t i = 0; i < rows; i++)
        job->simd->convert->kernel[URSA_F32][job->dtype](width, from + i * width,
                                                         job->out + (at + i * job->inner) * size);
}

static float *half_scratch(int64_t count)
{
    return ursa_scratch(2, 2 * (size_t)count * sizeof(float));
}

static void half_rows(void *context, int64_t begin, int64_t end)
{
    const softmax_job *job = context;
    int64_t block = at_least_one(GRAIN / job->n), n = job->n;
    float *x = half_scratch(block * n), *dy = x + block * n;
    for (int64_t row = begin; x && row < end; row += block) {
        int64_t rows = end - row < block ? end - row : block;
        widen(job, job->x, row * n, 1, rows * n, x);
        widen(job, job->dy, row * n, 1, rows * n, dy);
        rows_kernel(job, x, dy, rows, x);
        narrow(job, x, row * n, 1, rows * n);
    }
}

static void half_panels(void *context, int64_t begin, int64_t end)
{
    const softmax_job *job = context;
    float *x = half_scratch(job->n * PANEL), *dy = x + job->n * PANEL;
    for (int64_t i = begin; x && i < end; i++) {
        int64_t width, at = panel_at(job, i, &width);
        widen(job, job->x, at, job->n, width, x);
        widen(job, job->dy, at, job->n, width, dy);
        columns_kernel(job, x, dy, width, width, x);
        narrow(job, x, at, job->n, width);
    }
}

/* ---- the operators ------------------------------------------------------ */

static bool run(softmax_job *job, const ursa_array *x, int axis)
{
    job->simd = ursa_cpu_simd();
    job->dtype = x->dtype;
    job->outer = job->inner = 1;
    job->n = x->shape[axis];
    for (int i = 0; i < axis; i++)
        job->outer *= x->shape[i];
    for (int i = axis + 1; i < x->ndim; i++)
        job->inner *= x->shape[i];
    if (job->outer * job->n * job->inner == 0)
        return true;
    bool is_float = job->dtype == URSA_F32;
    if (job->inner == 1)
        return ursa_parallel_range(job->outer, at_least_one(GRAIN / job->n), is_float ? float_rows : half_rows, job);
    job->panels = (job->inner + PANEL - 1) / PANEL;
    int64_t grain = GRAIN / (job->n * (job->inner < PANEL ? job->inner : PANEL));
    return ursa_parallel_range(job->outer * job->panels, at_least_one(grain), is_float ? float_panels : half_panels,
                               job);
}

bool ursa_cpu_softmax(ursa_device *device, const struct ursa_softmax_args *args)
{
    (void)device;
    softmax_job job = {.log = args->log, .x = ursa_cpu_data(&args->x), .out = ursa_cpu_data(&args->out)};
    return run(&job, &args->x, args->axis);
}

bool ursa_cpu_softmax_grad(ursa_device *device, const struct ursa_softmax_grad_args *args)
{
    (void)device;
    softmax_job job = {.log = args->log,
                       .x = ursa_cpu_data(&args->y),
                       .dy = ursa_cpu_data(&args->dy),
                       .out = ursa_cpu_data(&args->dx)};
    return run(&job, &args->y, args->axis);
}

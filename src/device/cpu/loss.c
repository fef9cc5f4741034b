/* loss.c — losses on the CPU. */
#include "cpu.h"
#include "simd/loss.h"
#include "base/error.h"
#include "base/parallel.h"
#include <inttypes.h>

#define GRAIN 16384 /* elements in a task */

/* ---- cross-entropy ------------------------------------------------------ */

typedef struct cross_entropy_job {
    const struct ursa_simd_loss *simd;
    struct ursa_cross_entropy_rules rules;
    const float *x, *dloss;
    const int64_t *classes;
    float *loss, *row_weight, *log_sum, *dx;
} cross_entropy_job;

static bool check_classes(const char *name, const int64_t *classes, int64_t rows, int64_t n, int64_t ignore)
{
    for (int64_t r = 0; r < rows; r++)
        if ((classes[r] < 0 || classes[r] >= n) && classes[r] != ignore)
            return ursa_fail(URSA_ERROR_ARGUMENT, "%s: class %" PRId64 " of row %" PRId64 ", expected 0 … %" PRId64,
                             name, classes[r], r, n - 1);
    return true;
}

static float weight_sum(const float *weight, int64_t n)
{
    double sum = 0;
    for (int64_t c = 0; weight && c < n; c++)
        sum += (double)weight[c];
    return weight ? (float)sum : (float)n;
}

static struct ursa_cross_entropy_rules rules_of(int64_t n, const float *weight, float smoothing, int64_t ignore)
{
    return (struct ursa_cross_entropy_rules){n, weight, weight_sum(weight, n), smoothing, ignore};
}

static bool for_rows(int64_t rows, int64_t n, ursa_range_task *task, cross_entropy_job *job)
{
    int64_t grain = GRAIN / (n + 1);
    return ursa_parallel_range(rows, grain > 1 ? grain : 1, task, job);
}

static void cross_entropy_rows(void *context, int64_t begin, int64_t end)
{
    const cross_entropy_job *job = context;
    job->simd->cross_entropy(&job->rules, job->x + begin * job->rules.n, job->classes + begin, end - begin,
                             job->loss + begin, job->row_weight + begin, job->log_sum + begin);
}

bool ursa_cpu_cross_entropy(ursa_device *device, const struct ursa_cross_entropy_args *args)
{
    (void)device;
    int64_t rows = args->x.shape[0], n = args->x.shape[1];
    cross_entropy_job job = {.simd = ursa_cpu_simd()->loss,
                             .rules = rules_of(n, ursa_cpu_f32(&args->weight), args->smoothing, args->ignore),
                             .x = ursa_cpu_f32(&args->x),
                             .classes = ursa_cpu_i64(&args->classes),
                             .loss = ursa_cpu_f32(&args->loss),
                             .row_weight = ursa_cpu_f32(&args->row_weight),
                             .log_sum = ursa_cpu_f32(&args->log_sum)};
    return check_classes("cross_entropy", job.classes, rows, n, args->ignore) &&
           for_rows(rows, n, cross_entropy_rows, &job);
}

static void cross_entropy_grad_rows(void *context, int64_t begin, int64_t end)
{
    const cross_entropy_job *job = context;
    int64_t at = begin * job->rules.n;
    job->simd->cross_entropy_grad(&job->rules, job->x + at, job->classes + begin, job->log_sum + begin,
                                  job->dloss + begin, end - begin, job->dx + at);
}

bool ursa_cpu_cross_entropy_grad(ursa_device *device, const struct ursa_cross_entropy_grad_args *args)
{
    (void)device;
    int64_t rows = args->x.shape[0], n = args->x.shape[1];
    cross_entropy_job job = {.simd = ursa_cpu_simd()->loss,
                             .rules = rules_of(n, ursa_cpu_f32(&args->weight), args->smoothing, args->ignore),
                             .x = ursa_cpu_f32(&args->x),
                             .classes = ursa_cpu_i64(&args->classes),
                             .log_sum = ursa_cpu_f32(&args->log_sum),
                             .dloss = ursa_cpu_f32(&args->dloss),
                             .dx = ursa_cpu_f32(&args->dx)};
    return check_classes("cross_entropy_grad", job.classes, rows, n, args->ignore) &&
           for_rows(rows, n, cross_entropy_grad_rows, &job);
}

/* ---- elementwise losses ------------------------------------------------- */

/* Elements taken together from operands that are not contiguous. */
#define BLOCK 1024

enum { X, TARGET, DOUT, OPERANDS };

typedef struct loss_job {
    const struct ursa_simd_loss *simd;
    ursa_loss_kind kind;
    float a, b;
    const ursa_array *array[OPERANDS]; /* DOUT is NULL in the forward direction */
    bool contiguous[OPERANDS];
    float *out;
} loss_job;

/* Row-major elements begin … begin + count - 1 of a strided array. */
static void collect(const ursa_array *array, int64_t begin, int64_t count, float *to)
{
    int64_t index[URSA_MAX_DIMS], at = 0;
    for (int i = array->ndim - 1; i >= 0; i--) {
        index[i] = begin % array->shape[i];
        begin /= array->shape[i];
        at += index[i] * array->stride[i];
    }
    const float *data = ursa_cpu_f32(array);
    for (int64_t k = 0; k < count; k++) {
        to[k] = data[at];
        for (int i = array->ndim - 1; i >= 0; i--) {
            at += array->stride[i];
            if (++index[i] < array->shape[i])
                break;
            at -= array->shape[i] * array->stride[i];
            index[i] = 0;
        }
    }
}

static const float *operand(const loss_job *job, int which, int64_t begin, int64_t count, float *space)
{
    if (job->contiguous[which])
        return ursa_cpu_f32(job->array[which]) + begin;
    collect(job->array[which], begin, count, space);
    return space;
}

static void loss_range(void *context, int64_t begin, int64_t end)
{
    const loss_job *job = context;
    float space[OPERANDS][BLOCK];
    for (int64_t at = begin; at < end; at += BLOCK) {
        int64_t count = end - at < BLOCK ? end - at : BLOCK;
        const float *x = operand(job, X, at, count, space[X]);
        const float *target = operand(job, TARGET, at, count, space[TARGET]);
        if (!job->array[DOUT]) {
            job->simd->loss(job->kind, x, target, count, job->a, job->b, job->out + at);
            continue;
        }
        const float *dout = operand(job, DOUT, at, count, space[DOUT]);
        job->simd->loss_grad(job->kind, x, target, dout, count, job->a, job->b, job->out + at);
    }
}

static bool run(loss_job *job, int64_t count)
{
    job->simd = ursa_cpu_simd()->loss;
    for (int i = 0; i < OPERANDS; i++)
        job->contiguous[i] = job->array[i] && ursa_array_is_contiguous(job->array[i]);
    return ursa_parallel_range(count, GRAIN, loss_range, job);
}

bool ursa_cpu_loss(ursa_device *device, const struct ursa_loss_args *args)
{
    (void)device;
    loss_job job = {.kind = args->kind,
                    .a = args->a,
                    .b = args->b,
                    .array = {&args->x, &args->target, NULL},
                    .out = ursa_cpu_f32(&args->out)};
    return run(&job, ursa_array_count(&args->out));
}

bool ursa_cpu_loss_grad(ursa_device *device, const struct ursa_loss_grad_args *args)
{
    (void)device;
    loss_job job = {.kind = args->kind,
                    .a = args->a,
                    .b = args->b,
                    .array = {&args->x, &args->target, &args->dout},
                    .out = ursa_cpu_f32(&args->dx)};
    return run(&job, ursa_array_count(&args->dx));
}

/* optimize.c — optimizer steps on the CPU: every range of parameters by itself. */
#include "cpu.h"
#include "simd/optimize.h"
#include "base/parallel.h"
#include <math.h>

#define GRAIN 32768

/* The arrays of a step, and its arguments. */
typedef struct step_job {
    const struct ursa_simd_optimize *simd;
    const void *args;
    const float *grad;
    float *param;
    float *m, *v;    /* averages of the gradient (or the momentum) and of its square */
    float *mean;     /* of rmsprop */
    float *update;   /* of lamb */
    double *squares; /* [ranges, 2] */
    float scale;
} step_job;

/* Where an optional array goes on. */
static float *at(float *array, int64_t i)
{
    return array ? array + i : NULL;
}

/* Operators run when they are called, so what the device knows can be looked at. */
static bool is_skipped(const ursa_array *skip)
{
    return skip->buffer && *ursa_cpu_f32(skip) != 0.0f;
}

static void sgd_range(void *context, int64_t begin, int64_t end)
{
    const step_job *job = context;
    job->simd->sgd(job->args, end - begin, job->grad + begin, job->param + begin, at(job->m, begin));
}

bool ursa_cpu_sgd_step(ursa_device *device, const struct ursa_sgd_step_args *args)
{
    (void)device;
    if (is_skipped(&args->skip))
        return true;
    step_job job = {.simd = ursa_cpu_simd()->optimize,
                    .args = args,
                    .grad = ursa_cpu_f32(&args->grad),
                    .param = ursa_cpu_f32(&args->param),
                    .m = ursa_cpu_f32(&args->momentum)};
    return ursa_parallel_range(ursa_array_count(&args->param), GRAIN, sgd_range, &job);
}

static void adam_range(void *context, int64_t begin, int64_t end)
{
    const step_job *job = context;
    job->simd->adam(job->args, end - begin, job->grad + begin, job->param + begin, job->m + begin, job->v + begin);
}

bool ursa_cpu_adam_step(ursa_device *device, const struct ursa_adam_step_args *args)
{
    (void)device;
    if (is_skipped(&args->skip))
        return true;
    step_job job = {.simd = ursa_cpu_simd()->optimize,
                    .args = args,
                    .grad = ursa_cpu_f32(&args->grad),
                    .param = ursa_cpu_f32(&args->param),
                    .m = ursa_cpu_f32(&args->m),
                    .v = ursa_cpu_f32(&args->v)};
    return ursa_parallel_range(ursa_array_count(&args->param), GRAIN, adam_range, &job);
}

static void rmsprop_range(void *context, int64_t begin, int64_t end)
{
    const step_job *job = context;
    job->simd->rmsprop(job->args, end - begin, job->grad + begin, job->param + begin, job->v + begin,
                       at(job->mean, begin), at(job->m, begin));
}

bool ursa_cpu_rmsprop_step(ursa_device *device, const struct ursa_rmsprop_step_args *args)
{
    (void)device;
    if (is_skipped(&args->skip))
        return true;
    step_job job = {.simd = ursa_cpu_simd()->optimize,
                    .args = args,
                    .grad = ursa_cpu_f32(&args->grad),
                    .param = ursa_cpu_f32(&args->param),
                    .m = ursa_cpu_f32(&args->momentum),
                    .v = ursa_cpu_f32(&args->v),
                    .mean = ursa_cpu_f32(&args->mean)};
    return ursa_parallel_range(ursa_array_count(&args->param), GRAIN, rmsprop_range, &job);
}

static void lamb_update_range(void *context, int64_t begin, int64_t end)
{
    const step_job *job = context;
    job->simd->lamb_update(job->args, end - begin, job->grad + begin, job->param + begin, job->m + begin,
                           job->v + begin, job->update + begin, job->squares + begin / GRAIN * 2);
}

static void lamb_apply_range(void *context, int64_t begin, int64_t end)
{
    const step_job *job = context;
    job->simd->lamb_apply(job->scale, end - begin, job->update + begin, job->param + begin);
}

/* |param| / |update|, the squares of both added in the order of the ranges. */
static double trust_ratio(const double *squares, int64_t ranges, double limit)
{
    double param = 0, update = 0;
    for (int64_t i = 0; i < ranges; i++) {
        param += squares[2 * i];
        update += squares[2 * i + 1];
    }
    double ratio = param > 0 && update > 0 ? sqrt(param / update) : 1;
    return limit > 0 && ratio > limit ? limit : ratio;
}

bool ursa_cpu_lamb_step(ursa_device *device, const struct ursa_lamb_step_args *args)
{
    (void)device;
    if (is_skipped(&args->skip))
        return true;
    int64_t count = ursa_array_count(&args->param), ranges = (count + GRAIN - 1) / GRAIN;
    step_job job = {.simd = ursa_cpu_simd()->optimize,
                    .args = args,
                    .grad = ursa_cpu_f32(&args->grad),
                    .param = ursa_cpu_f32(&args->param),
                    .m = ursa_cpu_f32(&args->m),
                    .v = ursa_cpu_f32(&args->v),
                    .update = ursa_cpu_f32(&args->update),
                    .squares = ursa_scratch(0, 2 * (size_t)ranges * sizeof(double))};
    if (!job.squares || !ursa_parallel_range(count, GRAIN, lamb_update_range, &job))
        return false;
    job.scale = (float)((double)args->lr * trust_ratio(job.squares, ranges, (double)args->max_ratio));
    return ursa_parallel_range(count, GRAIN, lamb_apply_range, &job);
}

/* ---- loss scaling ------------------------------------------------------------- */

typedef struct unscale_job {
    const struct ursa_simd_optimize *simd;
    float *grad;
    float factor;
    int overflow; /* atomic */
} unscale_job;

static void unscale_range(void *context, int64_t begin, int64_t end)
{
    unscale_job *job = context;
    if (!job->simd->unscale(job->factor, end - begin, job->grad + begin))
        __atomic_store_n(&job->overflow, 1, __ATOMIC_RELAXED);
}

bool ursa_cpu_unscale(ursa_device *device, const struct ursa_unscale_args *args)
{
    (void)device;
    float *scaling = ursa_cpu_f32(&args->scaling);
    unscale_job job = {
        .simd = ursa_cpu_simd()->optimize, .grad = ursa_cpu_f32(&args->grad), .factor = 1.0f / scaling[0]};
    bool done = ursa_parallel_range(ursa_array_count(&args->grad), GRAIN, unscale_range, &job);
    if (job.overflow)
        scaling[2] = 1.0f;
    return done;
}

bool ursa_cpu_update_scale(ursa_device *device, const struct ursa_update_scale_args *args)
{
    (void)device;
    float *scaling = ursa_cpu_f32(&args->scaling);
    if (scaling[2] != 0.0f) {
        scaling[0] *= args->backoff;
        scaling[1] = 0.0f;
        scaling[3] += 1.0f;
    } else if (++scaling[1] >= (float)args->interval) {
        float larger = scaling[0] * args->growth;
        scaling[0] = isfinite(larger) ? larger : scaling[0];
        scaling[1] = 0.0f;
    }
    scaling[2] = 0.0f;
    return true;
}

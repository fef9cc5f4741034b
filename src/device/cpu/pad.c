/* pad.c — borders on the CPU.
 *
 * Trailing axes without borders are one unit that moves as a whole; work goes
 * row by row along the last axis that has borders.
 */
#include "cpu.h"
#include "taps.h"
#include "simd/convert.h"
#include "base/parallel.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GRAIN 65536 /* bytes in a task */

/* Axes with and without borders: the padded array is [outer[0], …], the inner
 * one [inner[0], …], in units of `unit` elements. */
typedef struct frame {
    int ndim; /* at least 1 */
    int64_t outer[URSA_MAX_DIMS], inner[URSA_MAX_DIMS], before[URSA_MAX_DIMS];
    int64_t stride[URSA_MAX_DIMS]; /* of the inner array, elements */
    int64_t unit;
} frame;

static frame make_frame(const ursa_array *outer, const ursa_array *inner, const int64_t *before)
{
    frame f = {.ndim = outer->ndim, .unit = 1};
    while (f.ndim > 0) {
        int last = f.ndim - 1;
        bool joined = inner->shape[last] == 1 || inner->stride[last] == f.unit;
        if (outer->shape[last] != inner->shape[last] || !joined)
            break;
        f.unit *= inner->shape[last];
        f.ndim--;
    }
    for (int i = 0; i < f.ndim; i++) {
        f.outer[i] = outer->shape[i];
        f.inner[i] = inner->shape[i];
        f.before[i] = before[i];
        f.stride[i] = inner->stride[i];
    }
    if (f.ndim == 0) {
        f.outer[0] = f.inner[0] = f.ndim = 1;
        f.stride[0] = f.unit;
    }
    return f;
}

static int64_t row_count(const frame *f, const int64_t *shape)
{
    int64_t rows = 1;
    for (int i = 0; i < f->ndim - 1; i++)
        rows *= shape[i];
    return rows;
}

static int64_t row_grain(const frame *f, const int64_t *shape, int64_t size)
{
    int64_t grain = GRAIN / (shape[f->ndim - 1] * f->unit * size + 1);
    return grain > 1 ? grain : 1;
}

/* ---- borders ------------------------------------------------------------ */

typedef struct pad_job {
    frame frame;
    ursa_pad_kind kind;
    int64_t size; /* of an element, bytes */
    const char *x;
    char *out;
    char constant[8]; /* one element */
} pad_job;

#define COPY_STRIDED(type)                                                                                             \
    for (int64_t i = 0; i < count; i++)                                                                                \
        ((type *)(void *)to)[i] = ((const type *)(const void *)from)[i * stride];

/* `count` units that lie `stride` elements apart, side by side. */
static void copy_units(const pad_job *job, char *to, const char *from, int64_t stride, int64_t count)
{
    int64_t bytes = job->frame.unit * job->size;
    if (stride == job->frame.unit) {
        memcpy(to, from, (size_t)(count * bytes));
    } else if (job->frame.unit > 1) {
        for (int64_t i = 0; i < count; i++)
            memcpy(to + i * bytes, from + i * stride * job->size, (size_t)bytes);
    } else if (job->size == 1) {
        COPY_STRIDED(uint8_t)
    } else if (job->size == 2) {
        COPY_STRIDED(uint16_t)
    } else if (job->size == 4) {
        COPY_STRIDED(uint32_t)
    } else {
        COPY_STRIDED(uint64_t)
    }
}

static void fill_units(const pad_job *job, char *to, int64_t count)
{
    int64_t bytes = count * job->frame.unit * job->size, done = bytes < job->size ? bytes : job->size;
    memcpy(to, job->constant, (size_t)done);
    while (done < bytes) { /* the part that is filled doubles */
        int64_t more = bytes - done < done ? bytes - done : done;
        memcpy(to + done, to, (size_t)more);
        done += more;
    }
}

static void pad_ends(const pad_job *job, const char *from, char *to, int64_t begin, int64_t end)
{
    const frame *f = &job->frame;
    int last = f->ndim - 1;
    int64_t bytes = f->unit * job->size;
    if (job->kind == URSA_PAD_CONSTANT) {
        fill_units(job, to + begin * bytes, end - begin);
        return;
    }
    for (int64_t i = begin; i < end; i++) {
        int64_t source = ursa_pad_source(job->kind, i - f->before[last], f->inner[last]);
        memcpy(to + i * bytes, from + source * f->stride[last] * job->size, (size_t)bytes);
    }
}

/* Where the inner row that padded row `row` shows begins, in elements; false
 * for a row of constants. */
static bool find_row(const pad_job *job, int64_t row, int64_t *at)
{
    const frame *f = &job->frame;
    *at = 0;
    for (int i = f->ndim - 2; i >= 0; i--) {
        int64_t source = ursa_pad_source(job->kind, row % f->outer[i] - f->before[i], f->inner[i]);
        if (source < 0)
            return false;
        *at += source * f->stride[i];
        row /= f->outer[i];
    }
    return true;
}

static void pad_rows(void *context, int64_t begin, int64_t end)
{
    const pad_job *job = context;
    const frame *f = &job->frame;
    int last = f->ndim - 1;
    int64_t bytes = f->unit * job->size, first = f->before[last], after = first + f->inner[last], at;
    for (int64_t row = begin; row < end; row++) {
        char *to = job->out + row * f->outer[last] * bytes;
        if (!find_row(job, row, &at)) {
            fill_units(job, to, f->outer[last]);
            continue;
        }
        const char *from = job->x + at * job->size;
        pad_ends(job, from, to, 0, first);
        copy_units(job, to + first * bytes, from, f->stride[last], f->inner[last]);
        pad_ends(job, from, to, after, f->outer[last]);
    }
}

static int64_t saturated(double value, double low, double high)
{
    return isnan(value) ? 0 : (int64_t)fmin(fmax(value, low), high);
}

/* One element of the type, converted as copy does it. */
static void set_constant(char constant[8], ursa_dtype dtype, double value)
{
    union {
        float f32;
        uint16_t half;
        int32_t i32;
        int64_t i64;
        uint8_t u8;
        char bytes[8];
    } element = {.bytes = {0}};
    switch (dtype) {
    case URSA_F32:
        element.f32 = (float)value;
        break;
    case URSA_F16:
        element.half = ursa_f16_from_f32((float)value);
        break;
    case URSA_BF16:
        element.half = ursa_bf16_from_f32((float)value);
        break;
    case URSA_I32:
        element.i32 = (int32_t)saturated(value, INT32_MIN, INT32_MAX);
        break;
    case URSA_I64:
        element.i64 = value >= 0x1p63 ? INT64_MAX : saturated(value, -0x1p63, 0x1p63);
        break;
    case URSA_U8:
        element.u8 = (uint8_t)saturated(value, 0, UINT8_MAX);
        break;
    default:
        element.u8 = value != 0;
    }
    memcpy(constant, element.bytes, sizeof element.bytes);
}

bool ursa_cpu_pad(ursa_device *device, const struct ursa_pad_args *args)
{
    (void)device;
    pad_job job = {.frame = make_frame(&args->out, &args->x, args->before),
                   .kind = args->kind,
                   .size = (int64_t)ursa_dtype_size(args->x.dtype),
                   .x = ursa_cpu_data(&args->x),
                   .out = ursa_cpu_data(&args->out)};
    set_constant(job.constant, args->out.dtype, args->value);
    const frame *f = &job.frame;
    return ursa_parallel_range(row_count(f, f->outer), row_grain(f, f->outer, job.size), pad_rows, &job);
}

/* ---- gradient ----------------------------------------------------------- */

/* The gradient of an element is the sum over the places that show it: along
 * each axis a short list, the transposed table of the borders. */
typedef struct pad_grad_job {
    const struct ursa_simd *simd;
    frame frame;
    ursa_dtype dtype;
    const char *dy;
    char *dx;
    struct ursa_tap_table shown[URSA_MAX_DIMS];
} pad_grad_job;

/* sum += the elements of one row of dy. */
static void add_row(const pad_grad_job *job, const float *dy, float *sum)
{
    const frame *f = &job->frame;
    const struct ursa_taps *taps = &job->shown[f->ndim - 1].taps;
    for (int64_t i = 0; i < f->inner[f->ndim - 1]; i++, sum += f->unit)
        for (int32_t k = taps->begin[i]; k < taps->begin[i + 1]; k++) {
            const float *from = dy + taps->index[k] * f->unit;
            for (int64_t u = 0; u < f->unit; u++)
                sum[u] += from[u];
        }
}

/* sum += all rows of dy that show row `row`, whose index on axis `axis` and the
 * axes after it is still to be chosen; `at` numbers the row of dy so far. */
static void add_rows(const pad_grad_job *job, int axis, const int64_t *index, int64_t at, float *wide, float *sum)
{
    const frame *f = &job->frame;
    int64_t length = f->outer[f->ndim - 1] * f->unit;
    if (axis == f->ndim - 1) {
        const char *dy = job->dy + at * length * (int64_t)ursa_dtype_size(job->dtype);
        if (job->dtype != URSA_F32)
            job->simd->convert->kernel[job->dtype][URSA_F32](length, dy, wide);
        add_row(job, job->dtype == URSA_F32 ? (const float *)(const void *)dy : wide, sum);
        return;
    }
    const struct ursa_taps *taps = &job->shown[axis].taps;
    for (int32_t k = taps->begin[index[axis]]; k < taps->begin[index[axis] + 1]; k++)
        add_rows(job, axis + 1, index, at * f->outer[axis] + taps->index[k], wide, sum);
}

static void pad_grad_rows(void *context, int64_t begin, int64_t end)
{
    const pad_grad_job *job = context;
    const frame *f = &job->frame;
    int64_t length = f->inner[f->ndim - 1] * f->unit, size = (int64_t)ursa_dtype_size(job->dtype);
    float *sum = ursa_scratch(2, (size_t)length * sizeof *sum);
    float *wide = ursa_scratch(3, (size_t)(f->outer[f->ndim - 1] * f->unit) * sizeof *wide);
    for (int64_t row = begin; sum && wide && row < end; row++) {
        int64_t index[URSA_MAX_DIMS], rest = row;
        for (int i = f->ndim - 2; i >= 0; i--) {
            index[i] = rest % f->inner[i];
            rest /= f->inner[i];
        }
        memset(sum, 0, (size_t)length * sizeof *sum);
        add_rows(job, 0, index, 0, wide, sum);
        char *dx = job->dx + row * length * size;
        if (job->dtype == URSA_F32)
            memcpy(dx, sum, (size_t)length * sizeof *sum);
        else
            job->simd->convert->kernel[URSA_F32][job->dtype](length, sum, dx);
    }
}

static bool find_shown(pad_grad_job *job, ursa_pad_kind kind)
{
    const frame *f = &job->frame;
    bool found = true;
    for (int i = 0; i < f->ndim; i++) {
        struct ursa_tap_table table = ursa_taps_pad(kind, f->before[i], f->outer[i], f->inner[i]);
        job->shown[i] = ursa_taps_transpose(&table);
        free(table.memory);
        found = found && job->shown[i].memory;
    }
    return found;
}

bool ursa_cpu_pad_grad(ursa_device *device, const struct ursa_pad_grad_args *args)
{
    (void)device;
    pad_grad_job job = {.simd = ursa_cpu_simd(),
                        .frame = make_frame(&args->dy, &args->dx, args->before),
                        .dtype = args->dx.dtype,
                        .dy = ursa_cpu_data(&args->dy),
                        .dx = ursa_cpu_data(&args->dx)};
    const frame *f = &job.frame;
    bool done = find_shown(&job, args->kind) &&
                ursa_parallel_range(row_count(f, f->inner), row_grain(f, f->inner, 4), pad_grad_rows, &job);
    for (int i = 0; i < f->ndim; i++)
        free(job.shown[i].memory);
    return done;
}

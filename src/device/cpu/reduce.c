/* reduce.c — reductions and moments over any axes on the CPU.
 *
 * The axes of x are parted into kept and reduced ones, each group merged as
 * far as it goes. Where the elements that lie side by side in memory are
 * reduced, whole rows are; where they are kept, rows are added to one another
 * column by column. Long reductions are cut into chunks of fixed length, whose
 * results are joined in their order.
 */
#include "device/cpu/cpu.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "simd/reduce.h"

#include <math.h>
#include <stdlib.h>

enum {
    CHUNK = 64 * 1024, /* elements of x that one task takes, roughly */
    COLUMNS = 256,     /* columns that one task takes */
    STRETCH = 128,     /* rows at a time for deviations by columns */
};

struct axes {
    int n;
    int64_t count, shape[URSA_MAX_DIMS], stride[URSA_MAX_DIMS];
};

/* What is known of a part of a reduction. */
struct tally {
    double value;          /* the sum, product or extreme so far */
    double count, squares; /* of moments: elements, and Σ(x - mean)² */
};

struct reduction {
    const struct ursa_simd_reduce *kernels;
    const float *x;
    struct axes kept, reduced;
    ursa_reduce_kind kind;
    bool moments;
    bool by_columns;
    int64_t columns;              /* extent of the innermost kept axis, when by columns */
    int64_t column_blocks;        /* tasks along it */
    int64_t chunks, chunk;        /* how the reduced elements are cut */
    struct tally *partial;        /* [kept][chunks], when there is more than one chunk */
    const ursa_array *out;        /* of a reduction */
    const ursa_array *mean, *var; /* of moments */
    int correction;
};

/* ---- axes ---------------------------------------------------------------------- */

static void add_axis(struct axes *axes, int64_t extent, int64_t stride)
{
    axes->count *= extent;
    if (extent == 1)
        return;
    int last = axes->n - 1;
    if (last >= 0 && axes->stride[last] == stride * extent) {
        axes->shape[last] *= extent;
        axes->stride[last] = stride;
        return;
    }
    axes->shape[axes->n] = extent;
    axes->stride[axes->n++] = stride;
}

/* Splits x's axes by the shape of the result. */
static void part_axes(struct reduction *op, const ursa_array *x, const ursa_array *out)
{
    op->kept = op->reduced = (struct axes){.count = 1};
    for (int axis = 0; axis < x->ndim; axis++)
        add_axis(out->shape[axis] == x->shape[axis] ? &op->kept : &op->reduced, x->shape[axis], x->stride[axis]);
}

static int64_t offset_of(const struct axes *axes, int count, int64_t index)
{
    int64_t offset = 0;
    for (int axis = count - 1; axis >= 0; axis--) {
        offset += index % axes->shape[axis] * axes->stride[axis];
        index /= axes->shape[axis];
    }
    return offset;
}

static bool ends_in_unit(const struct axes *axes)
{
    return axes->n > 0 && axes->stride[axes->n - 1] == 1;
}

/* ---- tallies --------------------------------------------------------------------- */

static struct tally no_tally(const struct reduction *op)
{
    double neutral = 0;
    if (!op->moments && op->kind == URSA_REDUCE_PROD)
        neutral = 1;
    if (!op->moments && op->kind == URSA_REDUCE_MIN)
        neutral = (double)INFINITY;
    if (!op->moments && op->kind == URSA_REDUCE_MAX)
        neutral = -(double)INFINITY;
    return (struct tally){.value = neutral};
}

/* Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for
 * computing sample variances", 1979. */
static void join_moments(struct tally *tally, double count, double sum, double squares)
{
    if (count == 0)
        return;
    if (tally->count > 0) {
        double delta = sum / count - tally->value / tally->count;
        tally->squares += delta * delta * tally->count * count / (tally->count + count);
    }
    tally->squares += squares;
    tally->value += sum;
    tally->count += count;
}

static void join(const struct reduction *op, struct tally *tally, const struct tally *next)
{
    double a = tally->value, b = next->value;
    if (op->moments)
        join_moments(tally, next->count, b, next->squares);
    else if (op->kind == URSA_REDUCE_PROD)
        tally->value = a * b;
    else if (op->kind == URSA_REDUCE_MIN)
        tally->value = a <= b || isnan(a) ? a : b;
    else if (op->kind == URSA_REDUCE_MAX)
        tally->value = a >= b || isnan(a) ? a : b;
    else
        tally->value = a + b;
}

static void write_float(const ursa_array *array, int64_t i, double value)
{
    if (array->dtype == URSA_F16)
        ((uint16_t *)ursa_cpu_data(array))[i] = ursa_f16_from_f32((float)value);
    else if (array->dtype == URSA_BF16)
        ((uint16_t *)ursa_cpu_data(array))[i] = ursa_bf16_from_f32((float)value);
    else
        ursa_cpu_f32(array)[i] = (float)value;
}

/* Writes element i of the result. */
static void finish(const struct reduction *op, int64_t i, const struct tally *tally)
{
    double n = (double)op->reduced.count;
    if (op->moments) {
        double freedom = n - op->correction;
        if (op->mean->buffer)
            write_float(op->mean, i, tally->value / n);
        if (op->var->buffer)
            write_float(op->var, i, tally->squares / (freedom > 0 ? freedom : 0));
        return;
    }
    double value = tally->value;
    if (op->kind == URSA_REDUCE_MEAN)
        value /= n;
    if (op->kind == URSA_REDUCE_L2)
        value = sqrt(value);
    write_float(op->out, i, value);
}

static void settle(const struct reduction *op, int64_t i, int64_t chunk, const struct tally *tally)
{
    if (op->chunks == 1)
        finish(op, i, tally);
    else
        op->partial[i * op->chunks + chunk] = *tally;
}

/* ---- rows: the innermost reduced axis has stride 1 --------------------------------- */

static void tally_row(const struct reduction *op, struct tally *tally, int64_t n, const float *x)
{
    if (!op->moments) {
        join(op, tally, &(struct tally){.value = op->kernels->row[op->kind](n, x)});
        return;
    }
    enum { BLOCK = 4096 }; /* stays in the first-level cache between the two passes */
    for (int64_t i = 0; i < n; i += BLOCK) {
        int64_t m = n - i < BLOCK ? n - i : BLOCK;
        double sum = op->kernels->row[URSA_REDUCE_SUM](m, x + i), mean = sum / (double)m;
        float centre = (float)mean;
        double off = mean - (double)centre;
        double squares = op->kernels->row_deviation(m, x + i, centre) - (double)m * off * off;
        join_moments(tally, (double)m, sum, squares > 0 || isnan(squares) ? squares : 0);
    }
}

static void rows_task(const struct reduction *op, int64_t task)
{
    int64_t i = task / op->chunks, chunk = task % op->chunks, begin = chunk * op->chunk;
    int64_t end = begin + op->chunk < op->reduced.count ? begin + op->chunk : op->reduced.count;
    int last = op->reduced.n - 1;
    int64_t length = op->reduced.n ? op->reduced.shape[last] : 1;
    const float *base = op->x + offset_of(&op->kept, op->kept.n, i);
    struct tally tally = no_tally(op);
    while (begin < end) {
        int64_t run = length - begin % length < end - begin ? length - begin % length : end - begin;
        tally_row(op, &tally, run, base + offset_of(&op->reduced, op->reduced.n, begin));
        begin += run;
    }
    settle(op, i, chunk, &tally);
}

/* Whole rows at even distances, without looking for where each begins. */
static void plain_rows(const struct reduction *op, int64_t begin, int64_t end)
{
    double (*row)(int64_t, const float *) = op->kernels->row[op->kind];
    int64_t n = op->reduced.count, step = op->kept.n ? op->kept.stride[0] : 0;
    for (int64_t i = begin; i < end; i++) {
        struct tally tally = {.value = row(n, op->x + i * step)};
        finish(op, i, &tally);
    }
}

static void rows_range(void *context, int64_t begin, int64_t end)
{
    const struct reduction *op = context;
    if (op->chunks == 1 && op->kept.n <= 1 && op->reduced.n == 1 && !op->moments) {
        plain_rows(op, begin, end);
        return;
    }
    for (int64_t task = begin; task < end; task++)
        rows_task(context, task);
}

/* ---- columns: the innermost kept axis has stride 1 ----------------------------------- */

struct column_tally {
    double value[COLUMNS], squares[COLUMNS], count;
};

static void tally_deviations(const struct reduction *op, struct column_tally *tally, int64_t rows, int64_t stride,
                             int64_t n, const float *x)
{
    float sum[COLUMNS], squares[COLUMNS];
    for (int64_t r = 0; r < rows; r += STRETCH) {
        int64_t m = rows - r < STRETCH ? rows - r : STRETCH;
        op->kernels->columns_deviation(m, stride, n, x + r * stride, sum, squares);
        for (int64_t j = 0; j < n; j++) {
            double off = (double)sum[j] / (double)m - (double)(sum[j] / (float)m);
            double square = (double)squares[j] - (double)m * off * off;
            struct tally one = {.value = tally->value[j], .squares = tally->squares[j], .count = tally->count};
            join_moments(&one, (double)m, (double)sum[j], square > 0 || isnan(square) ? square : 0);
            tally->value[j] = one.value;
            tally->squares[j] = one.squares;
        }
        tally->count += (double)m;
    }
}

static void columns_task(const struct reduction *op, int64_t task)
{
    int64_t chunk = task % op->chunks, begin = chunk * op->chunk;
    int64_t end = begin + op->chunk < op->reduced.count ? begin + op->chunk : op->reduced.count;
    int64_t column = task / op->chunks % op->column_blocks * COLUMNS, outer = task / op->chunks / op->column_blocks;
    int64_t n = op->columns - column < COLUMNS ? op->columns - column : COLUMNS;
    const float *base = op->x + offset_of(&op->kept, op->kept.n - 1, outer) + column;
    int last = op->reduced.n - 1;
    int64_t length = op->reduced.n ? op->reduced.shape[last] : 1, stride = op->reduced.n ? op->reduced.stride[last] : 0;
    struct tally none = no_tally(op);
    struct column_tally tally = {.count = 0};
    for (int64_t j = 0; j < n; j++)
        tally.value[j] = none.value;
    while (begin < end) {
        int64_t run = length - begin % length < end - begin ? length - begin % length : end - begin;
        const float *x = base + offset_of(&op->reduced, op->reduced.n, begin);
        if (op->moments)
            tally_deviations(op, &tally, run, stride, n, x);
        else
            op->kernels->columns[op->kind](run, stride, n, x, tally.value);
        begin += run;
    }
    for (int64_t j = 0; j < n; j++) {
        struct tally one = {.value = tally.value[j], .squares = tally.squares[j], .count = tally.count};
        settle(op, outer * op->columns + column + j, chunk, &one);
    }
}

static void columns_range(void *context, int64_t begin, int64_t end)
{
    for (int64_t task = begin; task < end; task++)
        columns_task(context, task);
}

/* ---- running --------------------------------------------------------------------------- */

static void join_chunks(const struct reduction *op)
{
    for (int64_t i = 0; i < op->kept.count; i++) {
        struct tally tally = no_tally(op);
        for (int64_t chunk = 0; chunk < op->chunks; chunk++)
            join(op, &tally, &op->partial[i * op->chunks + chunk]);
        finish(op, i, &tally);
    }
}

static bool run(struct reduction *op)
{
    op->by_columns = !ends_in_unit(&op->reduced) && ends_in_unit(&op->kept);
    op->columns = op->by_columns ? op->kept.shape[op->kept.n - 1] : 1;
    op->column_blocks = (op->columns + COLUMNS - 1) / COLUMNS;
    int64_t width = op->columns < COLUMNS ? op->columns : COLUMNS;
    op->chunk = CHUNK / width > STRETCH ? CHUNK / width : STRETCH;
    op->chunks = op->reduced.count > op->chunk ? (op->reduced.count + op->chunk - 1) / op->chunk : 1;
    if (op->chunks > 1) {
        op->partial = ursa_alloc_array((size_t)(op->kept.count * op->chunks), sizeof *op->partial);
        if (!op->partial)
            return false;
    }
    int64_t tasks = op->kept.count / op->columns * op->column_blocks * op->chunks;
    int64_t work = width * (op->reduced.count < op->chunk ? op->reduced.count + 1 : op->chunk);
    int64_t grain = work < CHUNK ? CHUNK / work : 1;
    bool ok = ursa_parallel_range(tasks, grain, op->by_columns ? columns_range : rows_range, op);
    if (ok && op->chunks > 1)
        join_chunks(op);
    free(op->partial);
    return ok;
}

/* x as floats with an axis of stride 1 that a kernel can run along: itself, or
 * a copy whose buffer the caller releases. */
static bool as_rows(struct reduction *op, ursa_device *device, const ursa_array *x, const ursa_array *out,
                    ursa_buffer **copy)
{
    *copy = NULL;
    part_axes(op, x, out);
    op->x = ursa_cpu_data(x);
    if (x->dtype == URSA_F32 && (ends_in_unit(&op->reduced) || ends_in_unit(&op->kept)))
        return true;
    ursa_array floats;
    if (!ursa_cpu_contiguous(device, x, URSA_F32, &floats, copy))
        return false;
    part_axes(op, &floats, out);
    op->x = ursa_cpu_data(&floats);
    return true;
}

static bool reduce_floats(struct reduction *op, ursa_device *device, const ursa_array *x, const ursa_array *out)
{
    ursa_buffer *copy;
    op->kernels = ursa_cpu_simd()->reduce;
    bool ok = as_rows(op, device, x, out, &copy) && run(op);
    ursa_buffer_release(copy);
    return ok;
}

/* ---- integers ---------------------------------------------------------------------------- */

static int64_t reduce_integer(const struct reduction *op, ursa_dtype dtype, const void *x, int64_t base)
{
    uint64_t sum = op->kind == URSA_REDUCE_PROD; /* unsigned: arithmetic wraps */
    int64_t low = dtype == URSA_I32 ? INT32_MAX : INT64_MAX, high = dtype == URSA_I32 ? INT32_MIN : INT64_MIN;
    int last = op->reduced.n - 1;
    int64_t length = op->reduced.n ? op->reduced.shape[last] : 1, stride = op->reduced.n ? op->reduced.stride[last] : 0;
    for (int64_t begin = 0; begin < op->reduced.count; begin += length) {
        int64_t at = base + offset_of(&op->reduced, op->reduced.n, begin);
        for (int64_t i = 0; i < length; i++, at += stride) {
            int64_t v = dtype == URSA_I32 ? ((const int32_t *)x)[at] : ((const int64_t *)x)[at];
            low = v < low ? v : low;
            high = v > high ? v : high;
            sum = op->kind == URSA_REDUCE_PROD ? sum * (uint64_t)v : sum + (uint64_t)v;
        }
    }
    return op->kind == URSA_REDUCE_MIN ? low : op->kind == URSA_REDUCE_MAX ? high : (int64_t)sum;
}

struct integer_reduction {
    struct reduction op;
    const ursa_array *x;
};

static void integer_range(void *context, int64_t begin, int64_t end)
{
    const struct integer_reduction *job = context;
    for (int64_t i = begin; i < end; i++) {
        int64_t base = offset_of(&job->op.kept, job->op.kept.n, i);
        int64_t value = reduce_integer(&job->op, job->x->dtype, ursa_cpu_data(job->x), base);
        if (job->x->dtype == URSA_I32)
            ursa_cpu_i32(job->op.out)[i] = (int32_t)value;
        else
            ursa_cpu_i64(job->op.out)[i] = value;
    }
}

/* ---- the operators ------------------------------------------------------------------------- */

bool ursa_cpu_reduce(ursa_device *device, const struct ursa_reduce_args *args)
{
    struct reduction op = {.kind = args->kind, .out = &args->out};
    if (ursa_dtype_is_float(args->x.dtype))
        return reduce_floats(&op, device, &args->x, &args->out);
    struct integer_reduction job = {.op = op, .x = &args->x};
    part_axes(&job.op, &args->x, &args->out);
    int64_t work = job.op.reduced.count + 1;
    return ursa_parallel_range(job.op.kept.count, work < CHUNK ? CHUNK / work : 1, integer_range, &job);
}

bool ursa_cpu_moments(ursa_device *device, const struct ursa_moments_args *args)
{
    struct reduction op = {.moments = true, .mean = &args->mean, .var = &args->var, .correction = args->correction};
    return reduce_floats(&op, device, &args->x, args->mean.buffer ? &args->mean : &args->var);
}

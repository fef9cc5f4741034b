/* scan.c — running sums, and positions of extremes, along an axis on the CPU. */
#include "device/cpu/cpu.h"
#include "base/parallel.h"
#include "simd/reduce.h"

/* Columns that are worked through side by side, and elements that one task
 * takes, roughly. */
enum { COLUMNS = 256, CHUNK = 32 * 1024 };

struct scan {
    ursa_around around;
    ursa_dtype dtype;
    const void *x;
    void *out;
    bool flag; /* cumsum: from the end; arg_reduce: the maximum */
};

static int64_t column_blocks(const struct scan *op)
{
    return (op->around.inner + COLUMNS - 1) / COLUMNS;
}

/* Runs one task per part of the array that is whole along the axis and at most
 * COLUMNS wide. */
static bool run(struct scan *op, ursa_range_task *range)
{
    int64_t width = op->around.inner < COLUMNS ? op->around.inner : COLUMNS, work = width * op->around.extent + 1;
    return ursa_parallel_range(op->around.outer * column_blocks(op), work < CHUNK ? CHUNK / work : 1, range, op);
}

/* Where the part begins in x, and how many columns it has. */
static int64_t find_part(const struct scan *op, int64_t task, int64_t *outer, int64_t *column, int64_t *columns)
{
    *outer = task / column_blocks(op);
    *column = task % column_blocks(op) * COLUMNS;
    *columns = op->around.inner - *column < COLUMNS ? op->around.inner - *column : COLUMNS;
    return *outer * op->around.extent * op->around.inner + *column;
}

/* ---- running sums -------------------------------------------------------------- */

/* Unsigned sums wrap; floats are summed in double. */
#define CUMSUM(type, sum_type)                                                                                         \
    static void cumsum_##type(const struct scan *op, int64_t begin, int64_t columns)                                   \
    {                                                                                                                  \
        sum_type sum[COLUMNS] = {0};                                                                                   \
        int64_t inner = op->around.inner, last = op->around.extent - 1;                                                \
        for (int64_t a = 0; a <= last; a++) {                                                                          \
            int64_t at = begin + (op->flag ? last - a : a) * inner;                                                    \
            const type *x = (const type *)op->x + at;                                                                  \
            type *y = (type *)op->out + at;                                                                            \
            for (int64_t j = 0; j < columns; j++)                                                                      \
                y[j] = (type)(sum[j] += (sum_type)x[j]);                                                               \
        }                                                                                                              \
    }
CUMSUM(float, double)
CUMSUM(int32_t, uint32_t)
CUMSUM(int64_t, uint64_t)

static void cumsum_range(void *context, int64_t begin, int64_t end)
{
    const struct scan *op = context;
    for (int64_t task = begin, outer, column, columns; task < end; task++) {
        int64_t at = find_part(op, task, &outer, &column, &columns);
        if (op->dtype == URSA_I32)
            cumsum_int32_t(op, at, columns);
        else if (op->dtype == URSA_I64)
            cumsum_int64_t(op, at, columns);
        else
            cumsum_float(op, at, columns);
    }
}

bool ursa_cpu_cumsum(ursa_device *device, const struct ursa_cumsum_args *args)
{
    bool half = args->x.dtype == URSA_F16 || args->x.dtype == URSA_BF16;
    ursa_dtype dtype = half ? URSA_F32 : args->x.dtype;
    ursa_array x;
    ursa_buffer *buffer;
    bool ok = ursa_cpu_contiguous(device, &args->x, dtype, &x, &buffer);
    if (ok) {
        struct scan op = {.around = ursa_cpu_around(&args->x, args->axis), .dtype = dtype, .flag = args->reverse};
        op.x = ursa_cpu_data(&x);
        op.out = half ? ursa_cpu_data(&x) : ursa_cpu_data(&args->out); /* halves: in place, then rounded once */
        ok = run(&op, cumsum_range);
    }
    if (ok && half)
        ok = ursa_cpu_copy(device, &(struct ursa_copy_args){.x = x, .out = args->out});
    ursa_buffer_release(buffer);
    return ok;
}

/* ---- positions of extremes ----------------------------------------------------- */

/* The first NaN wins over everything, then the first of the extremes. */
#define ARG_REDUCE(type)                                                                                               \
    static void arg_reduce_##type(const struct scan *op, int64_t begin, int64_t columns, int64_t *out)                 \
    {                                                                                                                  \
        type best[COLUMNS];                                                                                            \
        const type *x = (const type *)op->x + begin;                                                                   \
        for (int64_t j = 0; j < columns; j++) {                                                                        \
            best[j] = x[j];                                                                                            \
            out[j] = 0;                                                                                                \
        }                                                                                                              \
        for (int64_t a = 1; a < op->around.extent; a++) {                                                              \
            x += op->around.inner;                                                                                     \
            for (int64_t j = 0; j < columns; j++) {                                                                    \
                bool beyond = op->flag ? x[j] > best[j] : x[j] < best[j];                                              \
                if (beyond ? best[j] == best[j] : x[j] != x[j] && best[j] == best[j]) {                                \
                    best[j] = x[j];                                                                                    \
                    out[j] = a;                                                                                        \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }
ARG_REDUCE(float)
ARG_REDUCE(int32_t)
ARG_REDUCE(int64_t)

/* A contiguous row of floats: the extreme by vectors, then its place. */
static int64_t arg_row(const struct scan *op, const float *x)
{
    ursa_reduce_kind kind = op->flag ? URSA_REDUCE_MAX : URSA_REDUCE_MIN;
    float best = (float)ursa_cpu_simd()->reduce->row[kind](op->around.extent, x);
    int64_t i = 0;
    while (best == best ? x[i] != best : x[i] == x[i])
        i++;
    return i;
}

static void arg_reduce_range(void *context, int64_t begin, int64_t end)
{
    const struct scan *op = context;
    for (int64_t task = begin, outer, column, columns; task < end; task++) {
        int64_t at = find_part(op, task, &outer, &column, &columns);
        int64_t *out = (int64_t *)op->out + outer * op->around.inner + column;
        if (op->dtype == URSA_I32)
            arg_reduce_int32_t(op, at, columns, out);
        else if (op->dtype == URSA_I64)
            arg_reduce_int64_t(op, at, columns, out);
        else if (op->around.inner == 1)
            *out = arg_row(op, (const float *)op->x + at);
        else
            arg_reduce_float(op, at, columns, out);
    }
}

bool ursa_cpu_arg_reduce(ursa_device *device, const struct ursa_arg_reduce_args *args)
{
    ursa_dtype dtype = ursa_dtype_is_float(args->x.dtype) ? URSA_F32 : args->x.dtype;
    ursa_array x;
    ursa_buffer *buffer;
    bool ok = ursa_cpu_contiguous(device, &args->x, dtype, &x, &buffer);
    if (ok) {
        struct scan op = {.around = ursa_cpu_around(&args->x, args->axis), .dtype = dtype, .flag = args->max};
        op.x = ursa_cpu_data(&x);
        op.out = ursa_cpu_data(&args->out);
        ok = op.around.extent > 0 ? run(&op, arg_reduce_range)
                                  : ursa_fail(URSA_ERROR_SHAPE, "arg_reduce: axis %d of x has no elements", args->axis);
    }
    ursa_buffer_release(buffer);
    return ok;
}

/* index.c — gather and scatter_add on the CPU. */
#include "device/cpu/cpu.h"
#include "base/parallel.h"
#include "simd/elementwise.h"
#include "simd/integer.h"

#include <string.h>

enum { CHUNK = 32 * 1024, COLUMNS = 128 };

static bool fail_index(const char *op, int64_t index, int axis, int64_t extent)
{
    return ursa_fail(URSA_ERROR_ARGUMENT, "%s: index %lld is outside axis %d, which has %lld elements", op,
                     (long long)index, axis, (long long)extent);
}

/* ---- gather ------------------------------------------------------------------------- */

struct gather {
    ursa_around around; /* of x */
    int axis;
    int64_t picks; /* extent of out along the axis */
    int size;      /* bytes of an element */
    const char *x;
    const int64_t *index;
    char *out;
};

static void copy_elements(char *to, const char *from, int64_t n, int size)
{
    if (n * size == 4) /* the usual sizes, without a call */
        memcpy(to, from, 4);
    else if (n * size == 8)
        memcpy(to, from, 8);
    else
        memcpy(to, from, (size_t)(n * size));
}

static void gather_rows(void *context, int64_t begin, int64_t end)
{
    const struct gather *op = context;
    int64_t inner = op->around.inner, extent = op->around.extent;
    for (int64_t row = begin; row < end; row++) {
        int64_t outer = row / op->picks, index = op->index[row % op->picks];
        if (index < 0 || index >= extent) {
            fail_index("gather", index, op->axis, extent);
            return;
        }
        copy_elements(op->out + row * inner * op->size, op->x + (outer * extent + index) * inner * op->size, inner,
                      op->size);
    }
}

static void gather_along(void *context, int64_t begin, int64_t end)
{
    const struct gather *op = context;
    int64_t inner = op->around.inner, extent = op->around.extent;
    for (int64_t row = begin; row < end; row++) {
        int64_t outer = row / op->picks;
        for (int64_t j = 0, at = row * inner; j < inner; j++, at++) {
            int64_t index = op->index[at];
            if (index < 0 || index >= extent) {
                fail_index("gather", index, op->axis, extent);
                return;
            }
            copy_elements(op->out + at * op->size, op->x + ((outer * extent + index) * inner + j) * op->size, 1,
                          op->size);
        }
    }
}

bool ursa_cpu_gather(ursa_device *device, const struct ursa_gather_args *args)
{
    (void)device;
    struct gather op = {.around = ursa_cpu_around(&args->x, args->axis),
                        .axis = args->axis,
                        .picks = args->along ? args->index.shape[args->axis] : ursa_array_count(&args->index),
                        .size = (int)ursa_dtype_size(args->x.dtype),
                        .x = ursa_cpu_data(&args->x),
                        .index = ursa_cpu_data(&args->index),
                        .out = ursa_cpu_data(&args->out)};
    int64_t inner = op.around.inner;
    if (inner == 0)
        return true;
    return ursa_parallel_range(op.around.outer * op.picks, inner < CHUNK ? CHUNK / inner : 1,
                               args->along ? gather_along : gather_rows, &op);
}

/* ---- scatter_add ----------------------------------------------------------------------
 *
 * A task owns a part of the destination — an outer index, a block of columns,
 * a range along the axis — and adds what belongs there in the order of i. */

struct scatter {
    ursa_around around; /* of out */
    int64_t picks;      /* extent of x along the axis */
    int64_t column_blocks, parts;
    bool along;
    ursa_dtype dtype;
    const char *x;
    const int64_t *index;
    char *out;
    ursa_binary_kernel *add_floats;
    ursa_integer_kernel *add_integers;
};

static void add_elements(const struct scatter *op, int64_t to, int64_t from, int64_t n)
{
    int64_t size = (int64_t)ursa_dtype_size(op->dtype);
    void *out = op->out + to * size;
    const void *x = op->x + from * size;
    if (op->dtype == URSA_F32)
        op->add_floats(n, out, 1, x, 1, out, 0, 0);
    else
        op->add_integers(n, out, 1, x, 1, out);
}

static void add_one(const struct scatter *op, int64_t to, int64_t from)
{
    if (op->dtype == URSA_F32)
        ((float *)op->out)[to] += ((const float *)op->x)[from];
    else if (op->dtype == URSA_I32)
        ((uint32_t *)op->out)[to] += ((const uint32_t *)op->x)[from];
    else
        ((uint64_t *)op->out)[to] += ((const uint64_t *)op->x)[from];
}

static void scatter_task(const struct scatter *op, int64_t task)
{
    int64_t part = task % op->parts, column = task / op->parts % op->column_blocks * COLUMNS;
    int64_t outer = task / op->parts / op->column_blocks, inner = op->around.inner, extent = op->around.extent;
    int64_t columns = inner - column < COLUMNS ? inner - column : COLUMNS;
    int64_t low = extent * part / op->parts, high = extent * (part + 1) / op->parts;
    for (int64_t i = 0; i < op->picks; i++) {
        int64_t from = (outer * op->picks + i) * inner + column;
        if (!op->along) {
            int64_t index = op->index[i];
            if (index >= low && index < high)
                add_elements(op, (outer * extent + index) * inner + column, from, columns);
            continue;
        }
        for (int64_t j = 0; j < columns; j++) {
            int64_t index = op->index[from + j];
            if (index >= low && index < high)
                add_one(op, (outer * extent + index) * inner + column + j, from + j);
        }
    }
}

static void scatter_range(void *context, int64_t begin, int64_t end)
{
    for (int64_t task = begin; task < end; task++)
        scatter_task(context, task);
}

/* So that nothing has been added when an index turns out to be bad. */
static bool check_indices(const struct scatter *op, int axis, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (op->index[i] < 0 || op->index[i] >= op->around.extent)
            return fail_index("scatter_add", op->index[i], axis, op->around.extent);
    return true;
}

static bool scatter_add(const struct ursa_scatter_add_args *args, const ursa_array *x, const ursa_array *out)
{
    const struct ursa_simd *simd = ursa_cpu_simd();
    struct scatter op = {.around = ursa_cpu_around(out, args->axis),
                         .picks = args->along ? args->index.shape[args->axis] : ursa_array_count(&args->index),
                         .along = args->along,
                         .dtype = x->dtype,
                         .x = ursa_cpu_data(x),
                         .index = ursa_cpu_data(&args->index),
                         .out = ursa_cpu_data(out),
                         .add_floats = simd->elementwise->binary[URSA_BINARY_add],
                         .add_integers = simd->integer->binary[x->dtype][URSA_BINARY_add]};
    if (!check_indices(&op, args->axis, ursa_array_count(&args->index)))
        return false;
    int64_t work = op.picks * op.around.inner; /* of one outer index */
    op.column_blocks = (op.around.inner + COLUMNS - 1) / COLUMNS;
    op.parts = op.column_blocks * op.around.outer < 8 && work >= 2 * CHUNK ? (work / CHUNK < 8 ? work / CHUNK : 8) : 1;
    int64_t tasks = op.around.outer * op.column_blocks * op.parts;
    int64_t width = op.around.inner < COLUMNS ? op.around.inner : COLUMNS, each = op.picks * width / op.parts + 1;
    return ursa_parallel_range(tasks, each < CHUNK ? CHUNK / each : 1, scatter_range, &op);
}

/* Halves are added up in float and rounded once. */
static bool scatter_add_halves(ursa_device *device, const struct ursa_scatter_add_args *args)
{
    ursa_array x, out;
    ursa_buffer *x_buffer, *out_buffer = NULL;
    bool ok = ursa_cpu_contiguous(device, &args->x, URSA_F32, &x, &x_buffer) &&
              ursa_cpu_contiguous(device, &args->out, URSA_F32, &out, &out_buffer) && scatter_add(args, &x, &out) &&
              ursa_cpu_copy(device, &(struct ursa_copy_args){.x = out, .out = args->out});
    ursa_buffer_release(x_buffer);
    ursa_buffer_release(out_buffer);
    return ok;
}

bool ursa_cpu_scatter_add(ursa_device *device, const struct ursa_scatter_add_args *args)
{
    if (args->x.dtype == URSA_F16 || args->x.dtype == URSA_BF16)
        return scatter_add_halves(device, args);
    return scatter_add(args, &args->x, &args->out);
}

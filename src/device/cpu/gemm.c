/* gemm.c — batched matrix products. */
#include "device/cpu/product.h"
#include "base/parallel.h"
#include "simd/gemm_half.h"

struct matrix {
    char *data;
    int64_t size;               /* bytes of an element */
    int64_t batch, row, column; /* strides */
};

static struct matrix matrix_of(const ursa_array *x)
{
    return (struct matrix){ursa_cpu_data(x), (int64_t)ursa_dtype_size(x->dtype), x->shape[0] == 1 ? 0 : x->stride[0],
                           x->stride[1], x->stride[2]};
}

/* Strides of axes of extent 1 say nothing; where they are in the way, the
 * other axis counts as the contiguous one. */
static void normalise(struct matrix *m, int64_t rows, int64_t columns)
{
    if (columns <= 1 && m->row != 1)
        m->column = 1;
    if (rows <= 1 && m->column != 1)
        m->row = 1;
}

struct operands {
    struct matrix x, out;
};

static void find_rows(const void *context, int64_t group, int64_t begin, int64_t end, const void **row, void **out)
{
    const struct operands *o = context;
    for (int64_t i = begin; i < end; i++) {
        *row++ = o->x.data + (group * o->x.batch + i * o->x.row) * o->x.size;
        *out++ = o->out.data + (group * o->out.batch + i * o->out.row) * o->out.size;
    }
}

/* ---- matrix times vector ---------------------------------------------------- */

/* out = x y for a single row x, with the rows of yᵀ side by side in memory:
 * every element is a dot product of two contiguous rows. */
struct vector_product {
    const struct ursa_gemm_args *args;
    struct matrix x, y, out; /* y [K, N] with stride 1 along K */
    int64_t columns, inner, grain, blocks;
    bool scalar_bias; /* the vector is the right operand: rows of the result share the one bias */
    ursa_dtype x_type, y_type, out_type;
};

/* Dot products of halves: x and out by way of floats, y where it lies. */
static void half_dots(const struct vector_product *p, const char *x, const char *y, int64_t count, float *out)
{
    const struct ursa_half_products *half =
        ursa_cpu_simd()->gemm_half->type[ursa_is_half(p->x_type) ? p->x_type : p->y_type];
    float *floats = ursa_scratch(URSA_SLOT_TASK, (size_t)(p->inner + ursa_cpu_simd()->lanes) * sizeof *floats);
    if (!floats)
        return;
    half->floats[ursa_is_half(p->x_type)](x, p->inner, floats);
    half->dots[ursa_is_half(p->y_type)](floats, y, p->y.column, count, p->inner, p->args->alpha, p->args->beta, out);
}

static void vector_task(void *context, int64_t index)
{
    const struct vector_product *p = context;
    int64_t batch = index / p->blocks, begin = index % p->blocks * p->grain;
    int64_t count = p->columns - begin < p->grain ? p->columns - begin : p->grain;
    const char *x = p->x.data + batch * p->x.batch * p->x.size;
    const char *y = p->y.data + (batch * p->y.batch + begin * p->y.column) * p->y.size;
    void *result = p->out.data + (batch * p->out.batch + begin) * p->out.size;
    int64_t room = count + ursa_cpu_simd()->lanes; /* whole vectors are loaded */
    bool rounded = ursa_is_half(p->out_type);
    float *out = rounded ? ursa_scratch(URSA_SLOT_IMAGE, (size_t)room * sizeof *out) : result;
    if (!out)
        return;
    if (rounded && p->args->beta != 0)
        ursa_cpu_simd()->gemm_half->type[p->out_type]->load(&result, 0, 1, count, out, count);
    if (ursa_is_half(p->x_type) || ursa_is_half(p->y_type))
        half_dots(p, x, y, count, out);
    else
        ursa_cpu_simd()->gemm->dots((const float *)(const void *)x, (const float *)(const void *)y, p->y.column, count,
                                    p->inner, p->args->alpha, p->args->beta, out);
    const float *bias = ursa_cpu_f32(&p->args->bias);
    for (int64_t i = 0; bias && i < count; i++)
        out[i] += p->scalar_bias ? bias[0] : bias[begin + i];
    if (p->args->activation.used)
        ursa_activate(&p->args->activation, out, count);
    if (rounded)
        ursa_cpu_simd()->gemm_half->type[p->out_type]->store(out, count, 1, count, &result, 0);
}

static bool run_vector(struct vector_product *p, int64_t batches)
{
    p->grain = 65536 / (p->inner + 1) + 16;
    p->blocks = ursa_ceil_div(p->columns, p->grain);
    return ursa_parallel(batches * p->blocks, vector_task, p);
}

/* ---- the operator ------------------------------------------------------------ */

bool ursa_cpu_gemm(ursa_device *device, const struct ursa_gemm_args *args)
{
    (void)device;
    int64_t batches = args->out.shape[0], rows = args->out.shape[1], columns = args->out.shape[2];
    int64_t inner = args->x.shape[2];
    if (batches == 0 || rows == 0 || columns == 0)
        return true;
    struct matrix x = matrix_of(&args->x), y = matrix_of(&args->y);
    struct matrix out = matrix_of(&args->out);
    out.row = columns;
    out.batch = rows * columns;
    normalise(&x, rows, inner);
    normalise(&y, inner, columns);
    if (inner == 0) /* no element of x and y exists: bias and beta are all there is */
        x = y = (struct matrix){.size = 1, .column = 1};

    /* Batches that only add rows are one product. */
    if (batches > 1 && y.batch == 0 && x.column == 1 && x.batch == rows * x.row) {
        rows *= batches;
        batches = 1;
    }
    ursa_dtype x_type = args->x.dtype, y_type = args->y.dtype, out_type = args->out.dtype;
    if (rows == 1 && x.column == 1 && y.row == 1 && columns > 1 && inner > 0) {
        struct vector_product p = {.args = args, .x = x, .y = y, .out = out, .columns = columns, .inner = inner};
        p.x_type = x_type, p.y_type = y_type, p.out_type = out_type;
        return run_vector(&p, batches);
    }
    if (columns == 1 && x.column == 1 && (y.row == 1 || inner == 1) && inner > 0) {
        struct vector_product p = {
            .args = args, .x = y, .out = out, .columns = rows, .inner = inner, .scalar_bias = true};
        p.y = (struct matrix){x.data, x.size, x.batch, 1, x.row};
        p.x_type = y_type, p.y_type = x_type, p.out_type = out_type;
        return run_vector(&p, batches);
    }

    struct operands operands = {x, out};
    struct ursa_product product = {
        .a = args->x.dtype,
        .b = args->y.dtype,
        .out = args->out.dtype,
        .groups = batches,
        .rows = rows,
        .columns = columns,
        .segments = 1,
        .length = inner,
        .step = x.column,
        .row_stride = x.row,
        .factor = {.data = y.data, .k_stride = y.row, .j_stride = y.column, .group_stride = y.batch},
        .find = find_rows,
        .context = &operands,
        .bias = ursa_cpu_f32(&args->bias),
        .alpha = args->alpha,
        .beta = args->beta,
        .activation = args->activation,
    };
    return ursa_product_run(&product);
}

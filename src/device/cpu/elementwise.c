/* elementwise.c — unary, unary_grad, binary, where and fill on the CPU. */
#include "device/cpu/blocks.h"
#include "simd/convert.h"
#include "simd/elementwise.h"
#include "simd/integer.h"

#include <math.h>
#include <string.h>

static int64_t block_length(int64_t begin, int64_t end)
{
    return end - begin < URSA_BLOCK ? end - begin : URSA_BLOCK;
}

/* ---- unary ------------------------------------------------------------------ */

struct unary {
    ursa_blocks blocks; /* out, x */
    ursa_unary_kernel *kernel;
    float a, b;
};

static void unary_range(void *context, int64_t begin, int64_t end)
{
    const struct unary *op = context;
    ursa_block in, out;
    for (int64_t i = begin, n; i < end; i += n) {
        n = block_length(i, end);
        const float *x = ursa_block_load_f32(&op->blocks, 1, i, n, &in);
        op->kernel(n, x, ursa_block_target_f32(&op->blocks, 0, i, &out), op->a, op->b);
        ursa_block_store_f32(&op->blocks, 0, i, n, &out);
    }
}

bool ursa_cpu_unary(ursa_device *device, const struct ursa_unary_args *args)
{
    (void)device;
    ursa_unary_kind kind = args->kind;
    if (kind == URSA_UNARY_pow && args->a == 2)
        kind = URSA_UNARY_square; /* the same function, many times as fast */
    struct unary op = {.kernel = ursa_cpu_simd()->elementwise->unary[kind], .a = args->a, .b = args->b};
    ursa_blocks_plan(&op.blocks, 2, (const ursa_array *[]){&args->out, &args->x});
    return ursa_blocks_run(&op.blocks, unary_range, &op);
}

struct unary_grad {
    ursa_blocks blocks; /* dx, dy, v: what the gradient is computed from */
    ursa_unary_grad_kernel *kernel;
    float a, b;
};

static void unary_grad_range(void *context, int64_t begin, int64_t end)
{
    const struct unary_grad *op = context;
    bool needs_v = op->blocks.operand[2].data;
    ursa_block in_dy, in_v, out;
    for (int64_t i = begin, n; i < end; i += n) {
        n = block_length(i, end);
        const float *dy = ursa_block_load_f32(&op->blocks, 1, i, n, &in_dy);
        const float *v = needs_v ? ursa_block_load_f32(&op->blocks, 2, i, n, &in_v) : NULL;
        op->kernel(n, v, dy, ursa_block_target_f32(&op->blocks, 0, i, &out), op->a, op->b);
        ursa_block_store_f32(&op->blocks, 0, i, n, &out);
    }
}

bool ursa_cpu_unary_grad(ursa_device *device, const struct ursa_unary_grad_args *args)
{
    (void)device;
    ursa_unary_kind kind = args->kind;
    if (kind == URSA_UNARY_pow && args->a == 2)
        kind = URSA_UNARY_square;
    ursa_grad_needs needs = ursa_unary_needs(kind);
    const ursa_array *v = needs == URSA_NEEDS_X ? &args->x : needs == URSA_NEEDS_Y ? &args->y : NULL;
    struct unary_grad op = {.kernel = ursa_cpu_simd()->elementwise->unary_grad[kind], .a = args->a, .b = args->b};
    ursa_blocks_plan(&op.blocks, 3, (const ursa_array *[]){&args->dx, &args->dy, v});
    return ursa_blocks_run(&op.blocks, unary_grad_range, &op);
}

/* ---- binary ----------------------------------------------------------------- */

struct binary {
    ursa_blocks blocks; /* out, x, y */
    ursa_binary_kernel *kernel;
    ursa_compare_kernel *compare;
    ursa_integer_kernel *integer;
    float a, b;
};

static void binary_float_range(void *context, int64_t begin, int64_t end)
{
    const struct binary *op = context;
    ursa_block in_x, in_y, out;
    int x_step, y_step;
    for (int64_t i = begin, n; i < end; i += n) {
        n = block_length(i, end);
        const float *x = ursa_block_load_step(&op->blocks, 1, i, n, &x_step, &in_x);
        const float *y = ursa_block_load_step(&op->blocks, 2, i, n, &y_step, &in_y);
        if (op->compare) {
            op->compare(n, x, x_step, y, y_step, ursa_block_target(&op->blocks, 0, i, &out));
            ursa_block_store(&op->blocks, 0, i, n, &out);
        } else {
            float *z = ursa_block_target_f32(&op->blocks, 0, i, &out);
            op->kernel(n, x, x_step, y, y_step, z, op->a, op->b);
            ursa_block_store_f32(&op->blocks, 0, i, n, &out);
        }
    }
}

static void binary_integer_range(void *context, int64_t begin, int64_t end)
{
    const struct binary *op = context;
    bool x_single = op->blocks.operand[1].single, y_single = op->blocks.operand[2].single;
    ursa_block in_x, in_y, out;
    for (int64_t i = begin, n; i < end; i += n) {
        n = block_length(i, end);
        const void *x = ursa_block_load(&op->blocks, 1, i, x_single ? 1 : n, &in_x);
        const void *y = ursa_block_load(&op->blocks, 2, i, y_single ? 1 : n, &in_y);
        op->integer(n, x, !x_single, y, !y_single, ursa_block_target(&op->blocks, 0, i, &out));
        ursa_block_store(&op->blocks, 0, i, n, &out);
    }
}

bool ursa_cpu_binary(ursa_device *device, const struct ursa_binary_args *args)
{
    (void)device;
    const struct ursa_simd *simd = ursa_cpu_simd();
    ursa_dtype dtype = args->x.dtype;
    bool is_float = ursa_dtype_is_float(dtype);
    struct binary op = {.a = args->a, .b = args->b};
    if (is_float) {
        op.kernel = simd->elementwise->binary[args->kind];
        op.compare = simd->elementwise->compare[args->kind];
    } else {
        op.integer = simd->integer->binary[dtype][args->kind];
    }
    if (!op.kernel && !op.compare && !op.integer)
        return ursa_fail(URSA_ERROR_TYPE, "binary: kind %d does not take elements of type %s", (int)args->kind,
                         ursa_dtype_name(dtype));
    ursa_blocks_plan(&op.blocks, 3, (const ursa_array *[]){&args->out, &args->x, &args->y});
    return ursa_blocks_run(&op.blocks, is_float ? binary_float_range : binary_integer_range, &op);
}

/* ---- where ------------------------------------------------------------------ */

struct where {
    ursa_blocks blocks; /* out, condition, x, y */
    ursa_where_kernel *kernel;
};

static void where_range(void *context, int64_t begin, int64_t end)
{
    const struct where *op = context;
    ursa_block in_condition, in_x, in_y, out;
    for (int64_t i = begin, n; i < end; i += n) {
        n = block_length(i, end);
        const uint8_t *condition = ursa_block_load(&op->blocks, 1, i, n, &in_condition);
        const void *x = ursa_block_load(&op->blocks, 2, i, n, &in_x);
        const void *y = ursa_block_load(&op->blocks, 3, i, n, &in_y);
        op->kernel(n, condition, x, y, ursa_block_target(&op->blocks, 0, i, &out));
        ursa_block_store(&op->blocks, 0, i, n, &out);
    }
}

bool ursa_cpu_where(ursa_device *device, const struct ursa_where_args *args)
{
    (void)device;
    struct where op = {.kernel = ursa_cpu_simd()->integer->where[ursa_dtype_size(args->out.dtype)]};
    ursa_blocks_plan(&op.blocks, 4, (const ursa_array *[]){&args->out, &args->condition, &args->x, &args->y});
    return ursa_blocks_run(&op.blocks, where_range, &op);
}

/* ---- fill ------------------------------------------------------------------- */

struct fill {
    ursa_blocks blocks; /* out */
    ursa_block pattern;
};

static void fill_range(void *context, int64_t begin, int64_t end)
{
    const struct fill *op = context;
    ursa_block out;
    for (int64_t i = begin, n; i < end; i += n) {
        n = block_length(i, end);
        memcpy(ursa_block_target(&op->blocks, 0, i, &out), op->pattern.bytes, (size_t)(n * op->blocks.operand->size));
        ursa_block_store(&op->blocks, 0, i, n, &out);
    }
}

static int64_t saturate(double value, double below, int64_t low, double above, int64_t high)
{
    return value >= above ? high : value <= below ? low : isnan(value) ? 0 : (int64_t)value;
}

/* One element of a type, from a double. */
static void encode(double value, ursa_dtype dtype, void *element)
{
    uint16_t half;
    int32_t i32;
    int64_t i64;
    uint8_t u8;
    float f32 = (float)value;
    switch (dtype) {
    case URSA_F16:
        half = ursa_f16_from_f32(f32);
        memcpy(element, &half, sizeof half);
        break;
    case URSA_BF16:
        half = ursa_bf16_from_f32(f32);
        memcpy(element, &half, sizeof half);
        break;
    case URSA_I32:
        i32 = (int32_t)saturate(value, INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX);
        memcpy(element, &i32, sizeof i32);
        break;
    case URSA_I64:
        i64 = saturate(value, -0x1p63, INT64_MIN, 0x1p63, INT64_MAX);
        memcpy(element, &i64, sizeof i64);
        break;
    case URSA_U8:
        u8 = (uint8_t)saturate(value, 0, 0, UINT8_MAX, UINT8_MAX);
        memcpy(element, &u8, sizeof u8);
        break;
    case URSA_BOOL:
        u8 = value != 0;
        memcpy(element, &u8, sizeof u8);
        break;
    default:
        memcpy(element, &f32, sizeof f32);
    }
}

bool ursa_cpu_fill(ursa_device *device, const struct ursa_fill_args *args)
{
    (void)device;
    struct fill op;
    ursa_blocks_plan(&op.blocks, 1, (const ursa_array *[]){&args->out});
    int size = (int)ursa_dtype_size(args->out.dtype);
    int64_t elements = op.blocks.loop.count < URSA_BLOCK ? op.blocks.loop.count : URSA_BLOCK;
    for (int64_t i = 0; i < elements; i++)
        encode(args->value, args->out.dtype, op.pattern.bytes + i * size);
    return ursa_blocks_run(&op.blocks, fill_range, &op);
}

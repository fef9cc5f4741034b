/* The checks that stand before every backend: layouts, memory, types, shapes. */
#include "../unit.h"
#include "device/backend.h"

static ursa_buffer *buffer, *other;

static ursa_device *cpu(void)
{
    return ursa_device_open("cpu");
}

static int make_buffers(void **state)
{
    (void)state;
    buffer = ursa_buffer_new(cpu(), URSA_F32, 64);
    other = ursa_buffer_new(cpu(), URSA_F32, 64);
    return buffer && other ? 0 : -1;
}

static int drop_buffers(void **state)
{
    (void)state;
    ursa_buffer_release(buffer);
    ursa_buffer_release(other);
    return 0;
}

static ursa_array matrix(ursa_buffer *in, int64_t rows, int64_t columns)
{
    return (ursa_array){.buffer = in, .ndim = 2, .shape = {rows, columns}, .stride = {columns, 1}};
}

#define EXPECT(op, args, kind, message)                                                                                \
    do {                                                                                                               \
        assert_false(ursa_op_##op(cpu(), &(args)));                                                                    \
        assert_non_null(ursa_error());                                                                                 \
        assert_string_equal(ursa_error(), message);                                                                    \
        assert_int_equal(ursa_error_kind_of(), URSA_ERROR_##kind);                                                     \
        ursa_clear_error();                                                                                            \
    } while (0)

static void arrays(void **state)
{
    (void)state;
    struct ursa_softmax_args args = {.axis = 1, .x = matrix(buffer, 2, 3), .out = matrix(other, 2, 3)};
    args.x.stride[0] = 1;
    args.x.stride[1] = 2;
    EXPECT(softmax, args, ARGUMENT, "softmax: x [2, 3] is not contiguous (strides [1, 2])");
    args.x = matrix(buffer, 2, 3);
    args.x.offset = 60;
    EXPECT(softmax, args, ARGUMENT, "softmax: x covers elements 60 … 65 of a buffer of 64");
    args.x.offset = 0;
    args.axis = 2;
    EXPECT(softmax, args, ARGUMENT, "softmax: axis 2 of x, which is [2, 3]");
    args.axis = 0;
    args.out.shape[0] = 3;
    EXPECT(softmax, args, SHAPE, "softmax: out is [3, 3], expected [2, 3]");
    args.out.buffer = NULL;
    EXPECT(softmax, args, ARGUMENT, "softmax: out is missing");
    args.out = matrix(other, 2, 3);
    args.x.dtype = args.out.dtype = URSA_I32;
    EXPECT(softmax, args, TYPE, "softmax: x is i32, expected f32, f16, bf16");
    args.x.dtype = URSA_F32;
    args.out.dtype = URSA_F16;
    EXPECT(softmax, args, TYPE, "softmax: out is f16, expected f32 as x");
}

static void outputs_and_inputs(void **state)
{
    (void)state;
    struct ursa_unary_args args = {.kind = URSA_UNARY_exp, .x = matrix(buffer, 2, 3), .out = matrix(buffer, 2, 3)};
    assert_true(ursa_op_fill(cpu(), &(struct ursa_fill_args){.out = args.x, .value = 0}));
    assert_true(ursa_op_unary(cpu(), &args)); /* in place */
    args.out.offset = 1;
    EXPECT(unary, args, ARGUMENT, "unary: out overlaps x in memory");
    args.out.offset = 6;
    assert_true(ursa_op_unary(cpu(), &args)); /* beside it */
    args.out.offset = 0;
    args.out.stride[0] = 0;
    EXPECT(unary, args, ARGUMENT, "unary: out is written, and repeats the same memory along axis 0");
    struct ursa_copy_args copy = {.x = matrix(buffer, 2, 3), .out = matrix(buffer, 2, 3)};
    EXPECT(copy, copy, ARGUMENT, "copy: out overlaps x in memory");
    struct ursa_binary_args binary = {
        .kind = URSA_BINARY_and, .x = matrix(buffer, 2, 3), .y = matrix(buffer, 2, 3), .out = matrix(other, 2, 3)};
    EXPECT(binary, binary, TYPE, "binary: x is f32, expected bool");
}

static void products(void **state)
{
    (void)state;
    ursa_array x = {.buffer = buffer, .ndim = 3, .shape = {1, 2, 3}, .stride = {6, 3, 1}}, y = x, out = x;
    out.buffer = other;
    struct ursa_gemm_args args = {.x = x, .y = y, .out = out, .alpha = 1};
    EXPECT(gemm, args, SHAPE, "gemm: y is [1, 2, 3], expected 3 rows as x has columns, which is [1, 2, 3]");
    args.y.shape[1] = 3;
    args.y.shape[2] = 2;
    args.y.stride[1] = 4;
    args.y.stride[2] = 2;
    EXPECT(gemm, args, ARGUMENT, "gemm: y has strides [6, 4, 2], expected 1 in one of the last two");
    args.y.stride[1] = 2;
    args.y.stride[2] = 1;
    EXPECT(gemm, args, SHAPE, "gemm: out is [1, 2, 3], expected [1, 2, 2]");
}

static void mixes(void **state)
{
    (void)state;
    ursa_array x = {.buffer = buffer, .dtype = URSA_BF16, .ndim = 3, .shape = {1, 2, 2}, .stride = {4, 2, 1}};
    ursa_array out = x;
    out.buffer = other;
    struct ursa_gemm_args args = {.x = x, .y = x, .out = out, .alpha = 1};
    args.y.dtype = URSA_F16;
    EXPECT(gemm, args, TYPE, "gemm: y is f16, expected f32 or bf16 as x");
    args.y.dtype = URSA_F32;
    args.out.dtype = URSA_F16;
    EXPECT(gemm, args, TYPE, "gemm: out is f16, expected f32 or bf16 as x");
    args.out.dtype = URSA_I32;
    EXPECT(gemm, args, TYPE, "gemm: out is i32, expected f32, f16, bf16");
    args.out.dtype = URSA_BF16;
    args.bias = (ursa_array){.buffer = buffer, .dtype = URSA_BF16, .ndim = 1, .shape = {2}, .stride = {1}};
    EXPECT(gemm, args, TYPE, "gemm: bias is bf16, expected f32");
}

/* Pooling's winners are as wide as the largest window needs. */
static void winners(void **state)
{
    (void)state;
    struct ursa_pool2d_args args = {
        .kind = URSA_POOL_MAX,
        .geometry = {.window = {2, 2}, .stride = {2, 2}},
        .x = {.buffer = buffer, .ndim = 4, .shape = {1, 4, 4, 1}, .stride = {16, 4, 1, 1}},
        .out = {.buffer = other, .ndim = 4, .shape = {1, 2, 2, 1}, .stride = {4, 2, 1, 1}},
    };
    args.winners = args.out;
    args.winners.offset = 8;
    args.winners.dtype = URSA_I32;
    EXPECT(pool2d, args, TYPE, "pool2d: winners is i32, expected u8");
    struct ursa_pool2d_grad_args grad = {
        .kind = URSA_POOL_MAX, .geometry = args.geometry, .dy = args.out, .dx = args.x};
    EXPECT(pool2d_grad, grad, ARGUMENT, "pool2d_grad: winners is missing");

    int64_t image[] = {1, 64, 64, 1}, result[] = {1, 1, 1, 1}, third[] = {1, 4, 3, 1};
    ursa_pool_geometry large = {.window = {16, 16}}, larger = {.window = {16, 17}}, adaptive = {.adaptive = true};
    assert_int_equal(ursa_pool_winner_type(&large, image, result), URSA_U8);
    assert_int_equal(ursa_pool_winner_type(&larger, image, result), URSA_I32);
    assert_int_equal(ursa_pool_winner_type(&adaptive, image, result), URSA_I32);
    assert_int_equal(ursa_pool_span(&adaptive, 0, 64, 4), 16);
    assert_int_equal(ursa_pool_span(&adaptive, 1, 64, 3), 23); /* 22 at most, by the formula's bound one more */
    assert_int_equal(ursa_pool_winner_type(&adaptive, image, third), URSA_I32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(arrays, make_buffers, drop_buffers),
        cmocka_unit_test_setup_teardown(outputs_and_inputs, make_buffers, drop_buffers),
        cmocka_unit_test_setup_teardown(products, make_buffers, drop_buffers),
        cmocka_unit_test_setup_teardown(mixes, make_buffers, drop_buffers),
        cmocka_unit_test_setup_teardown(winners, make_buffers, drop_buffers),
    };
    return run_unit_tests("check", tests);
}

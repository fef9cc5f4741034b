/* test_loop.c — merging the axes of elementwise operators. */
#include "device/backend.h"
#include "device/loop.h"
#include "tests/unit.h"

static ursa_buffer present;

/* An array of shape [shape...] with these strides. */
static ursa_array view(int ndim, const int64_t *shape, const int64_t *stride)
{
    ursa_array array = {.buffer = &present, .ndim = ndim};
    for (int i = 0; i < ndim; i++) {
        array.shape[i] = shape[i];
        array.stride[i] = stride[i];
    }
    return array;
}
#define LIST(...) ((const int64_t[]){__VA_ARGS__})

static void test_contiguous_is_one_axis(void **state)
{
    (void)state;
    ursa_array x = view(4, LIST(2, 3, 4, 5), LIST(60, 20, 5, 1));
    ursa_loop loop;
    ursa_loop_plan(&loop, 2, (const ursa_array *[]){&x, &x});
    assert_int_equal(loop.ndim, 1);
    assert_int_equal(loop.operands, 2);
    assert_int_equal(loop.count, 120);
    assert_int_equal(loop.shape[0], 120);
    assert_int_equal(loop.stride[0][0], 1);
    assert_int_equal(loop.stride[1][0], 1);
}

/* One operand that cannot be joined keeps the axes of all apart. */
static void test_broadcast_keeps_axes(void **state)
{
    (void)state;
    ursa_array x = view(3, LIST(2, 3, 4), LIST(12, 4, 1)), bias = view(3, LIST(2, 3, 4), LIST(0, 0, 1));
    ursa_loop loop;
    ursa_loop_plan(&loop, 2, (const ursa_array *[]){&x, &bias});
    assert_int_equal(loop.ndim, 2); /* the two broadcast axes are one */
    assert_int_equal(loop.shape[0], 6);
    assert_int_equal(loop.shape[1], 4);
    assert_int_equal(loop.stride[0][0], 4);
    assert_int_equal(loop.stride[0][1], 1);
    assert_int_equal(loop.stride[1][0], 0);
    assert_int_equal(loop.stride[1][1], 1);
}

static void test_extents_of_one_are_dropped(void **state)
{
    (void)state;
    ursa_array x = view(5, LIST(1, 3, 1, 4, 1), LIST(99, 4, 7, 1, -5));
    ursa_loop loop;
    ursa_loop_plan(&loop, 1, (const ursa_array *[]){&x});
    assert_int_equal(loop.ndim, 1);
    assert_int_equal(loop.shape[0], 12);
    assert_int_equal(loop.stride[0][0], 1);
}

static void test_transposed_and_flipped(void **state)
{
    (void)state;
    ursa_array x = view(2, LIST(3, 4), LIST(1, 3)), flipped = view(2, LIST(3, 4), LIST(-4, -1));
    ursa_loop loop;
    ursa_loop_plan(&loop, 1, (const ursa_array *[]){&x});
    assert_int_equal(loop.ndim, 2);
    assert_int_equal(loop.stride[0][0], 1);
    assert_int_equal(loop.stride[0][1], 3);
    ursa_loop_plan(&loop, 1, (const ursa_array *[]){&flipped});
    assert_int_equal(loop.ndim, 1);
    assert_int_equal(loop.shape[0], 12);
    assert_int_equal(loop.stride[0][0], -1);
}

static void test_absent_operand(void **state)
{
    (void)state;
    ursa_array x = view(2, LIST(3, 4), LIST(4, 1)), absent = {.ndim = 0};
    ursa_loop loop;
    ursa_loop_plan(&loop, 3, (const ursa_array *[]){&absent, &x, NULL});
    assert_int_equal(loop.count, 12);
    assert_int_equal(loop.ndim, 1);
    assert_int_equal(loop.stride[0][0], 0);
    assert_int_equal(loop.stride[1][0], 1);
    assert_int_equal(loop.stride[2][0], 0);
}

static void test_scalar_and_empty(void **state)
{
    (void)state;
    ursa_array scalar = view(0, LIST(0), LIST(0)), empty = view(3, LIST(2, 0, 4), LIST(0, 4, 1));
    ursa_loop loop;
    ursa_loop_plan(&loop, 1, (const ursa_array *[]){&scalar});
    assert_int_equal(loop.ndim, 1);
    assert_int_equal(loop.count, 1);
    assert_int_equal(loop.shape[0], 1);
    ursa_loop_plan(&loop, 1, (const ursa_array *[]){&empty});
    assert_int_equal(loop.ndim, 1);
    assert_int_equal(loop.count, 0);
    assert_int_equal(loop.shape[0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contiguous_is_one_axis),
        cmocka_unit_test(test_broadcast_keeps_axes),
        cmocka_unit_test(test_extents_of_one_are_dropped),
        cmocka_unit_test(test_transposed_and_flipped),
        cmocka_unit_test(test_absent_operand),
        cmocka_unit_test(test_scalar_and_empty),
    };
    return run_unit_tests("loop", tests);
}

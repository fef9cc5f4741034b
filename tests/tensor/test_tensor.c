/* Tensors: making, scopes, views, types, reading, changing in place. */
#include "helpers.h"
#include "tensor/read.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- lifetime ------------------------------------------------------------------------------------- */

static void scopes_free_what_was_made_in_them(void **state)
{
    (void)state;
    uint64_t used = memory_used();
    ursa_scope *outer = ursa_scope_begin();
    count_up(ursa_shape(100), 0);
    ursa_scope *inner = ursa_scope_begin();
    count_up(ursa_shape(1000), 0);
    assert_true(memory_used() > used + 4000);
    ursa_scope_end(inner);
    assert_true(memory_used() >= used + 400 && memory_used() < used + 1000);
    ursa_scope_begin(); /* ended with the one around it */
    count_up(ursa_shape(1000), 0);
    ursa_scope_end(outer);
    assert_int_equal(memory_used(), used);
    ursa_scope_end(NULL);
}

static void ending_a_scope_twice_is_an_error(void **state)
{
    (void)state;
    ursa_scope *outer = ursa_scope_begin(), *inner = ursa_scope_begin();
    ursa_scope_end(outer);
    ursa_scope_end(inner);
    assert_error("scope_end: the scope is not open on this thread");
}

static void keeping_outlives_a_scope(void **state)
{
    (void)state;
    uint64_t used = memory_used();
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *kept = ursa_keep(count_up(ursa_shape(3), 5));
    ursa_keep(kept);
    ursa_scope_end(scope);
    assert_elements(kept, 5, 6, 7);
    ursa_free(kept);
    assert_elements(kept, 5, 6, 7);
    ursa_free(kept);
    assert_int_equal(memory_used(), used);
    ursa_free(NULL);
    assert_null(ursa_keep(NULL));
}

static void freeing_early_takes_it_from_its_scope(void **state)
{
    (void)state;
    uint64_t used = memory_used();
    ursa_scope *scope = ursa_scope_begin();
    ursa_free(count_up(ursa_shape(1000), 0));
    assert_int_equal(memory_used(), used);
    ursa_scope_end(scope);
}

static void promoting_moves_one_scope_out(void **state)
{
    (void)state;
    uint64_t used = memory_used();
    ursa_scope *outer = ursa_scope_begin(), *inner = ursa_scope_begin();
    ursa_tensor *x = ursa_promote(count_up(ursa_shape(2), 1));
    ursa_scope_end(inner);
    assert_elements(x, 1, 2);
    ursa_scope_end(outer);
    assert_int_equal(memory_used(), used);
}

static void views_hold_the_memory(void **state)
{
    (void)state;
    uint64_t used = memory_used();
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *base = count_up(ursa_shape(2, 3), 0);
    ursa_tensor *row = ursa_keep(ursa_select(base, 0, 1));
    ursa_scope_end(scope);
    assert_elements(row, 3, 4, 5);
    ursa_free(row);
    assert_int_equal(memory_used(), used);
}

static void *make_and_leave(void *unused)
{
    ursa_scope_begin(); /* neither ended */
    count_up(ursa_shape(1000), 0);
    return ursa_exp(count_up(ursa_shape(10), 0)) ? unused : NULL;
}

static void a_thread_that_ends_frees_its_tensors(void **state)
{
    uint64_t used = memory_used();
    pthread_t thread;
    void *result = NULL;
    assert_int_equal(pthread_create(&thread, NULL, make_and_leave, state), 0);
    pthread_join(thread, &result);
    assert_ptr_equal(result, state);
    assert_int_equal(memory_used(), used);
}

/* ---- making ------------------------------------------------------------------------------------------ */

static void making(void **state)
{
    (void)state;
    ursa_device *cpu = ursa_device_open("cpu");
    assert_elements(ursa_full(ursa_shape(2), 1.5, .device = cpu), 1.5, 1.5);
    assert_elements(ursa_arange(3, .start = 1, .step = -2, .device = cpu), 1, -1, -3);
    assert_elements(ursa_arange(3, .dtype = URSA_U8, .device = cpu), 0, 1, 2);
    assert_elements(ursa_arange(3, .dtype = URSA_F16, .step = 0.5, .device = cpu), 0, 0.5, 1);
    ursa_tensor *x = ursa_from(INTEGERS(1, -2), ursa_shape(2, 1), .dtype = URSA_I64, .device = cpu);
    assert_shape(x, 2, 1);
    assert_int_equal(ursa_dtype_of(x), URSA_I64);
    assert_elements(x, 1, -2);
    assert_elements(ursa_zeros_like(x), 0, 0);
    assert_int_equal(ursa_dtype_of(ursa_scalar_like(x, 3)), URSA_I64);
    assert_int_equal(ursa_ndim(ursa_scalar_like(x, 3)), 0);
    assert_int_equal(ursa_count(ursa_zeros(ursa_shape(3, 0, 2), .device = cpu)), 0);
    assert_int_equal(ursa_ndim(NULL), -1);
    assert_int_equal(ursa_dim(x, -2), 2);
    assert_int_equal(ursa_dim(x, 2), -1);
    assert_null(ursa_from(NULL, ursa_shape(2), .device = cpu));
    assert_error("from: data is NULL");
    assert_null(ursa_zeros(ursa_shape(2, -3), .device = cpu));
    assert_error("a tensor of shape [2, -3] is not possible");
    assert_null(ursa_zeros(ursa_shape(2), .dtype = URSA_I32, .requires_grad = true, .device = cpu));
    assert_error("requires_grad: the tensor is i32, expected a float type");
}

static void random_numbers_follow_the_stream(void **state)
{
    (void)state;
    ursa_device *cpu = ursa_device_open("cpu");
    float a[10], b[10];
    ursa_set_seed(7);
    assert_true(ursa_read(ursa_normal(ursa_shape(10), .device = cpu), URSA_F32, a, 10));
    assert_true(ursa_read(ursa_normal(ursa_shape(10), .device = cpu), URSA_F32, b, 10));
    assert_memory_not_equal(a, b, sizeof a);
    ursa_set_seed(7);
    assert_true(ursa_read(ursa_normal(ursa_shape(10), .device = cpu), URSA_F32, b, 10));
    assert_memory_equal(a, b, sizeof a);
    ursa_rng rng = ursa_rng_new(1, URSA_PURPOSE_USER, 0), same = rng;
    assert_true(
        ursa_read(ursa_uniform(ursa_shape(10), .rng = &rng, .low = 2, .high = 3, .device = cpu), URSA_F32, a, 10));
    assert_int_equal(rng.counter, same.counter + 3); /* ten numbers, four to a block */
    assert_true(
        ursa_read(ursa_uniform(ursa_shape(10), .rng = &same, .low = 2, .high = 3, .device = cpu), URSA_F32, b, 10));
    assert_memory_equal(a, b, sizeof a);
    for (int i = 0; i < 10; i++)
        assert_true(a[i] >= 2 && a[i] < 3);
}

/* ---- views --------------------------------------------------------------------------------------------- */

static void views(void **state)
{
    (void)state;
    ursa_tensor *x = count_up(ursa_shape(2, 3), 0);
    ursa_tensor *turned = ursa_transpose(x, 0, 1);
    assert_shape(turned, 3, 2);
    assert_false(ursa_is_contiguous(turned));
    assert_elements(turned, 0, 3, 1, 4, 2, 5);
    assert_elements(ursa_contiguous(turned), 0, 3, 1, 4, 2, 5);
    assert_ptr_equal(ursa_contiguous(x), x);
    assert_elements(ursa_flip(x, -1), 2, 1, 0, 5, 4, 3);
    assert_elements(ursa_slice(x, 1, -2, INT64_MAX, 1), 1, 2, 4, 5);
    assert_elements(ursa_slice(x, 1, 0, 3, 2), 0, 2, 3, 5);
    assert_int_equal(ursa_count(ursa_slice(x, 1, 2, 1, 1)), 0);
    assert_elements(ursa_expand(ursa_slice(x, 0, 0, 1, 1), ursa_shape(2, 3)), 0, 1, 2, 0, 1, 2);
    assert_shape(ursa_unsqueeze(x, -1), 2, 3, 1);
    assert_shape(ursa_squeeze(ursa_unsqueeze(x, 0), 0), 2, 3);
    assert_shape(ursa_flatten(count_up(ursa_shape(2, 3, 4), 0), 1, -1), 2, 12);
    assert_shape(ursa_flatten(count_up(ursa_shape(), 0), 0, -1), 1);
    assert_elements(ursa_reshape(turned, ursa_shape(-1)), 0, 3, 1, 4, 2, 5);
    ursa_tensor *part[2];
    assert_int_equal(ursa_split(x, 1, 2, part, 2), 2);
    assert_elements(part[1], 2, 5);
    ursa_fill_(part[1], 9); /* the same memory */
    assert_elements(x, 0, 1, 9, 3, 4, 9);
}

/* Reshaping a view copies only where strides cannot tell it. */
static void reshape_of_views(void **state)
{
    (void)state;
    ursa_tensor *x = count_up(ursa_shape(4, 6), 0);
    ursa_tensor *left = ursa_slice(x, 1, 0, 3, 1); /* [4, 3], rows apart */
    ursa_tensor *split = ursa_reshape(left, ursa_shape(2, 2, 1, 3));
    ursa_fill_(split, 0);
    assert_elements(ursa_select(x, 0, 3), 0, 0, 0, 21, 22, 23);
    ursa_tensor *copied = ursa_reshape(left, ursa_shape(12));
    ursa_fill_(copied, 1);
    assert_elements(ursa_select(x, 0, 3), 0, 0, 0, 21, 22, 23);
    ursa_tensor *flipped = ursa_reshape(ursa_flip(ursa_arange(6, .device = ursa_device_of(x)), 0), ursa_shape(2, 3));
    assert_elements(flipped, 5, 4, 3, 2, 1, 0);
    assert_shape(ursa_reshape(ursa_zeros(ursa_shape(0, 3), .device = ursa_device_of(x)), ursa_shape(3, 0, 7)), 3, 0, 7);
}

static void joining(void **state)
{
    (void)state;
    ursa_tensor *x = count_up(ursa_shape(1, 2), 0), *y = count_up(ursa_shape(2, 2), 10);
    assert_elements(ursa_concat((ursa_tensor *[]){x, y}, 2, 0), 0, 1, 10, 11, 12, 13);
    ursa_tensor *halves = ursa_concat((ursa_tensor *[]){ursa_cast(x, URSA_I32), x}, 2, -1);
    assert_int_equal(ursa_dtype_of(halves), URSA_F32);
    assert_elements(halves, 0, 1, 0, 1);
    assert_shape(ursa_stack((ursa_tensor *[]){x, x, x}, 3, 1), 1, 3, 2);
    assert_elements(ursa_pad(x, ursa_shape(0, 1), ursa_shape(1, 0), URSA_PAD_MODE_CONSTANT, 7), 7, 0, 1, 7, 7, 7);
    assert_elements(ursa_pixel_shuffle(count_up(ursa_shape(1, 1, 1, 4), 0), 2), 0, 1, 2, 3);
    assert_null(ursa_concat((ursa_tensor *[]){x, NULL}, 2, 0));
    assert_null(ursa_error());
    assert_null(ursa_concat((ursa_tensor *[]){x, count_up(ursa_shape(1, 3), 0)}, 2, 0));
    assert_error("concat: tensor 1 is [1, 3], expected [1, 2] but for axis 0");
}

/* ---- types --------------------------------------------------------------------------------------------- */

static void promotion(void **state)
{
    (void)state;
    static const ursa_dtype order[] = {URSA_BOOL, URSA_U8, URSA_I32, URSA_I64, URSA_F16, URSA_BF16, URSA_F32};
    ursa_device *cpu = ursa_device_open("cpu");
    for (int i = 0; i < 7; i++)
        for (int j = 0; j < 7; j++) {
            ursa_tensor *x = ursa_ones(ursa_shape(2), .dtype = order[i], .device = cpu);
            ursa_tensor *y = ursa_ones(ursa_shape(2), .dtype = order[j], .device = cpu);
            ursa_dtype expected = order[i > j ? i : j];
            if (i >= 4 && j >= 4 && i != j)
                expected = URSA_F32;
            if (i == 0 && j == 0)
                expected = URSA_I32;
            ursa_tensor *sum = ursa_add(x, y);
            assert_int_equal(ursa_dtype_of(sum), expected);
            assert_elements(sum, 2, 2);
        }
    ursa_tensor *whole = ursa_arange(3, .dtype = URSA_I32, .device = cpu);
    assert_int_equal(ursa_dtype_of(ursa_exp(whole)), URSA_F32);
    assert_int_equal(ursa_dtype_of(ursa_add_scalar(whole, 2)), URSA_I32);
    assert_int_equal(ursa_dtype_of(ursa_add_scalar(whole, 0.5)), URSA_F32);
    assert_elements(ursa_add_scalar(whole, 0.5), 0.5, 1.5, 2.5);
    assert_elements(ursa_neg(whole), 0, -1, -2);
    assert_elements(ursa_abs(ursa_neg(whole)), 0, 1, 2);
    assert_elements(ursa_square(whole), 0, 1, 4);
    assert_elements(ursa_clamp(whole, 1, INFINITY), 1, 1, 2);
    assert_int_equal(ursa_dtype_of(ursa_sum(ursa_gt(whole, ursa_scalar_like(whole, 0)), ursa_axes(), false)), URSA_I64);
    assert_elements(ursa_sum(ursa_gt(whole, ursa_scalar_like(whole, 0)), ursa_axes(), false), 2);
    assert_elements(ursa_mean(whole, ursa_axes(), false), 1);
    assert_elements(ursa_max(ursa_cast(whole, URSA_U8), ursa_axes(), false), 2);
    assert_int_equal(ursa_dtype_of(ursa_max(ursa_cast(whole, URSA_U8), ursa_axes(), false)), URSA_U8);
    assert_elements(ursa_matmul(ursa_cast(whole, URSA_F16), ursa_cast(whole, URSA_F16)), 5);
    assert_int_equal(ursa_dtype_of(ursa_matmul(ursa_cast(whole, URSA_F16), ursa_cast(whole, URSA_F16))), URSA_F16);
}

static void comparisons(void **state)
{
    (void)state;
    ursa_tensor *x = count_up(ursa_shape(3), 0), *one = ursa_scalar_like(x, 1);
    assert_int_equal(ursa_dtype_of(ursa_lt(x, one)), URSA_BOOL);
    assert_elements(ursa_lt(x, one), 1, 0, 0);
    assert_elements(ursa_ge(x, one), 0, 1, 1);
    assert_elements(ursa_logical_not(x), 1, 0, 0);
    assert_elements(ursa_logical_xor(ursa_lt(x, one), ursa_ge(x, one)), 1, 1, 1);
    assert_elements(ursa_is_finite(ursa_log(x)), 0, 1, 1);
    assert_elements(ursa_is_nan(ursa_log(ursa_neg(x))), 0, 1, 1);
    assert_elements(ursa_where(ursa_eq(x, one), one, ursa_neg(x)), 0, 1, -2);
}

/* ---- in place -------------------------------------------------------------------------------------------- */

static void in_place(void **state)
{
    (void)state;
    ursa_tensor *x = count_up(ursa_shape(2, 2), 0), *row = count_up(ursa_shape(2), 10);
    assert_true(ursa_copy_(x, row));
    assert_elements(x, 10, 11, 10, 11);
    assert_true(ursa_add_(x, row, -0.5));
    assert_elements(x, 5, 5.5, 5, 5.5);
    assert_true(ursa_mul_(x, ursa_scalar_like(x, 2)));
    assert_elements(x, 10, 11, 10, 11);
    assert_true(ursa_lerp_(x, ursa_scalar_like(x, 0), 0.5));
    assert_elements(x, 5, 5.5, 5, 5.5);
    assert_true(ursa_write_(x, URSA_I64, INTEGERS(1, 2, 3, 4), 4));
    assert_elements(x, 1, 2, 3, 4);
    /* overlapping memory is read before it is written */
    ursa_tensor *y = count_up(ursa_shape(4), 0);
    assert_true(ursa_copy_(ursa_slice(y, 0, 1, 4, 1), ursa_slice(y, 0, 0, 3, 1)));
    assert_elements(y, 0, 0, 1, 2);
    assert_true(ursa_add_(y, ursa_flip(y, 0), 1));
    assert_elements(y, 2, 1, 1, 2);
    assert_false(ursa_add_(row, x, 1));
    assert_error("add_: [2, 2] does not broadcast to [2]");
    assert_false(ursa_write_(x, URSA_F32, FLOATS(1), 1));
    assert_error("write_: 1 elements for a tensor of [2, 2]");
    assert_false(ursa_fill_(ursa_expand(ursa_select(row, 0, 0), ursa_shape(3)), 1));
    assert_error("fill: out is written, and repeats the same memory along axis 0");
}

/* ---- reading ---------------------------------------------------------------------------------------------- */

static void reading(void **state)
{
    (void)state;
    ursa_tensor *x = count_up(ursa_shape(2, 2), 0);
    int64_t integers[4];
    assert_true(ursa_read(ursa_transpose(x, 0, 1), URSA_I64, integers, 4));
    assert_memory_equal(integers, INTEGERS(0, 2, 1, 3), sizeof integers);
    assert_true(ursa_item(ursa_select(ursa_select(x, 0, 1), 0, 0)) == 2);
    assert_true(isnan(ursa_item(x)));
    assert_error("item: the tensor is [2, 2], expected one element");
    assert_true(isnan(ursa_item(NULL)));
    assert_null(ursa_error());
    assert_false(ursa_read(x, URSA_F32, integers, 3));
    assert_error("read: 3 elements of a tensor of [2, 2]");
}

static void printing(void **state)
{
    (void)state;
    char *text = ursa_tensor_text(count_up(ursa_shape(2, 2), 0));
    assert_string_equal(text, "[2, 2] f32 on cpu\n[[0, 1],\n [2, 3]]");
    free(text);
    text = ursa_tensor_text(ursa_gt(count_up(ursa_shape(9), 0), count_up(ursa_shape(), 1)));
    assert_string_equal(text, "[9] bool on cpu\n[false, false, true, …, true, true, true]");
    free(text);
    text = ursa_tensor_text(count_up(ursa_shape(), 2.5));
    assert_string_equal(text, "[] f32 on cpu\n2.5");
    free(text);
}

static void waiting(void **state)
{
    (void)state;
    ursa_device *cpu = ursa_device_open("cpu");
    uint64_t waits = ursa_device_waits(cpu);
    ursa_tensor *x = ursa_exp(ursa_matmul(count_up(ursa_shape(2, 2), 0), count_up(ursa_shape(2), 0)));
    assert_int_equal(ursa_device_waits(cpu), waits);
    ursa_item(ursa_sum(x, ursa_axes(), false));
    assert_int_equal(ursa_device_waits(cpu), waits + 1);
}

/* A NULL goes through everything and adds no error. */
static void null_in_null_out(void **state)
{
    (void)state;
    ursa_tensor *x = count_up(ursa_shape(2, 2), 0);
    assert_null(ursa_add(x, ursa_exp(NULL)));
    assert_null(ursa_matmul(NULL, x));
    assert_null(ursa_sum(ursa_reshape(ursa_transpose(NULL, 0, 1), ursa_shape(2)), ursa_axes(), false));
    assert_null(ursa_conv2d(NULL, x));
    assert_null(ursa_cross_entropy(NULL, x));
    assert_null(ursa_softmax(ursa_dropout(NULL, 0.5, NULL), 0));
    assert_null(ursa_stack((ursa_tensor *[]){x, NULL}, 2, 0));
    assert_false(ursa_backward(NULL));
    assert_false(ursa_add_(x, NULL, 1));
    assert_null(ursa_error());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes_free_what_was_made_in_them),
        cmocka_unit_test(ending_a_scope_twice_is_an_error),
        cmocka_unit_test(keeping_outlives_a_scope),
        cmocka_unit_test(freeing_early_takes_it_from_its_scope),
        cmocka_unit_test(promoting_moves_one_scope_out),
        cmocka_unit_test(views_hold_the_memory),
        cmocka_unit_test(a_thread_that_ends_frees_its_tensors),
        cmocka_unit_test(making),
        cmocka_unit_test(random_numbers_follow_the_stream),
        cmocka_unit_test(views),
        cmocka_unit_test(reshape_of_views),
        cmocka_unit_test(joining),
        cmocka_unit_test(promotion),
        cmocka_unit_test(comparisons),
        cmocka_unit_test(in_place),
        cmocka_unit_test(reading),
        cmocka_unit_test(printing),
        cmocka_unit_test(waiting),
        cmocka_unit_test(null_in_null_out),
    };
    return run_unit_tests("tensor", tests);
}

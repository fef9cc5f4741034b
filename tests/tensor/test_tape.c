/* The tape: what is recorded, how gradients add up, what is an error, and
 * what memory it holds. */
#include "helpers.h"

static ursa_tensor *leaf(ursa_dims shape, double first)
{
    return ursa_requires_grad(count_up(shape, first), true);
}

static ursa_tensor *total(ursa_tensor *x)
{
    return ursa_sum(x, ursa_axes(), false);
}

static void gradients_add_up(void **state)
{
    (void)state;
    ursa_tensor *x = leaf(ursa_shape(3), 1);
    assert_null(ursa_grad(x));
    assert_true(ursa_backward(total(ursa_square(x))));
    assert_elements(ursa_grad(x), 2, 4, 6);
    assert_true(ursa_backward(total(ursa_mul_scalar(x, 10))));
    assert_elements(ursa_grad(x), 12, 14, 16);
    ursa_zero_grad(x);
    assert_null(ursa_grad(x));
    assert_true(ursa_backward(total(ursa_square(x))));
    assert_elements(ursa_grad(x), 2, 4, 6);
}

static void shared_parts_are_played_once(void **state)
{
    (void)state;
    ursa_tensor *x = leaf(ursa_shape(2), 1), *shared = ursa_square(x);
    assert_true(ursa_backward(total(ursa_add(ursa_mul(shared, shared), shared)))); /* x⁴ + x² */
    assert_elements(ursa_grad(x), 6, 36);
}

static void a_leaf_itself(void **state)
{
    (void)state;
    ursa_tensor *x = leaf(ursa_shape(1), 3);
    assert_true(ursa_backward(x));
    assert_true(ursa_backward(x));
    assert_elements(ursa_grad(x), 2);
}

/* The gradient is the leaf's own: neither broadcast, nor shared with another's. */
static void gradients_can_be_changed(void **state)
{
    (void)state;
    ursa_tensor *x = leaf(ursa_shape(2), 1), *y = leaf(ursa_shape(2), 1);
    ursa_backward(total(ursa_add(x, y)));
    assert_true(ursa_mul_(ursa_grad(x), ursa_scalar_like(x, 5)));
    assert_true(ursa_write_(ursa_grad(x), URSA_F32, FLOATS(4, 5), 2));
    assert_elements(ursa_grad(x), 4, 5);
    assert_elements(ursa_grad(y), 1, 1);
    ursa_tensor *given = count_up(ursa_shape(2), 7);
    ursa_zero_grad(x);
    ursa_backward_from(ursa_reshape(x, ursa_shape(2, 1)), ursa_reshape(given, ursa_shape(2, 1)));
    ursa_fill_(ursa_grad(x), 0);
    assert_elements(given, 7, 8);
}

static void only_what_is_asked_is_recorded(void **state)
{
    (void)state;
    ursa_tensor *x = leaf(ursa_shape(2), 1), *plain = count_up(ursa_shape(2), 1);
    assert_true(ursa_has_grad(x));
    assert_false(ursa_has_grad(ursa_exp(plain)));
    assert_true(ursa_has_grad(ursa_add(plain, x)));
    assert_false(ursa_has_grad(ursa_gt(x, plain)));
    assert_false(ursa_has_grad(ursa_argmax(x, 0, false)));
    assert_false(ursa_has_grad(ursa_cast(x, URSA_I32)));
    ursa_no_grad_begin();
    ursa_no_grad_begin();
    ursa_no_grad_end();
    assert_false(ursa_has_grad(ursa_exp(x)));
    ursa_no_grad_end();
    assert_true(ursa_has_grad(ursa_exp(x)));
    ursa_no_grad_end();
    assert_error("no_grad_end: there was no ursa_no_grad_begin()");
}

static void detaching(void **state)
{
    (void)state;
    ursa_tensor *x = leaf(ursa_shape(2), 1), *y = ursa_square(x), *z = ursa_detach(y);
    assert_false(ursa_has_grad(z));
    assert_true(ursa_backward(total(ursa_mul(y, z)))); /* z is a constant x² */
    assert_elements(ursa_grad(x), 2, 16);
    ursa_fill_(z, 3); /* the same memory */
    assert_elements(y, 3, 3);
}

static void half_leaves_have_half_gradients(void **state)
{
    (void)state;
    ursa_tensor *x = ursa_requires_grad(ursa_cast(count_up(ursa_shape(2), 1), URSA_F16), true);
    assert_true(ursa_backward(total(ursa_mul(x, count_up(ursa_shape(2), 3)))));
    assert_int_equal(ursa_dtype_of(ursa_grad(x)), URSA_F16);
    assert_elements(ursa_grad(x), 3, 4);
}

static void shares_of_equals(void **state)
{
    (void)state;
    ursa_tensor *x = ursa_requires_grad(ursa_full(ursa_shape(4), 2, .device = ursa_device_open("cpu")), true);
    ursa_backward(ursa_max(x, ursa_axes(), false));
    assert_elements(ursa_grad(x), 0.25, 0.25, 0.25, 0.25);
    ursa_zero_grad(x);
    ursa_backward(total(ursa_maximum(x, ursa_detach(x))));
    assert_elements(ursa_grad(x), 0.5, 0.5, 0.5, 0.5);
    ursa_zero_grad(x);
    ursa_backward(total(ursa_binary_step(x)));
    assert_elements(ursa_grad(x), 0, 0, 0, 0);
    ursa_tensor *zero = ursa_requires_grad(ursa_zeros(ursa_shape(2), .device = ursa_device_open("cpu")), true);
    ursa_backward(ursa_norm(zero, 2, ursa_axes(), false));
    assert_elements(ursa_grad(zero), 0, 0);
}

static void empty_tensors(void **state)
{
    (void)state;
    ursa_tensor *x = ursa_zeros(ursa_shape(0, 3), .requires_grad = true, .device = ursa_device_open("cpu"));
    ursa_tensor *w = leaf(ursa_shape(2, 3), 0);
    ursa_tensor *y = ursa_linear(ursa_relu(x), w, NULL);
    assert_shape(y, 0, 2);
    assert_true(ursa_backward(total(y)));
    assert_elements(ursa_grad(w), 0, 0, 0, 0, 0, 0);
    assert_shape(ursa_grad(x), 0, 3);
}

/* ---- errors -------------------------------------------------------------------------------------------- */

static void a_second_backward_is_an_error(void **state)
{
    (void)state;
    ursa_tensor *x = leaf(ursa_shape(2), 1), *shared = ursa_exp(x), *loss = total(shared);
    assert_true(ursa_backward(loss));
    assert_false(ursa_backward(loss));
    assert_error("backward: the gradient of sum was computed before, and what it needs has been released; compute the "
                 "tensor again");
    assert_false(ursa_backward(total(ursa_square(shared))));
    assert_error("backward: the gradient of exp was computed before, and what it needs has been released; compute the "
                 "tensor again");
}

static void backward_wants_one_element_with_history(void **state)
{
    (void)state;
    ursa_tensor *x = leaf(ursa_shape(2), 1);
    assert_false(ursa_backward(ursa_exp(x)));
    assert_error("backward: the tensor is [2], expected one element; see ursa_backward_from()");
    assert_false(ursa_backward_from(ursa_exp(x), count_up(ursa_shape(3), 0)));
    assert_error("backward: the gradient is [3], expected [2] as the tensor");
    assert_false(ursa_backward(count_up(ursa_shape(), 1)));
    assert_error("backward: the tensor does not depend on one that requires a gradient");
    assert_null(ursa_requires_grad(ursa_exp(x), false));
    assert_error(
        "requires_grad: the tensor was computed from one that requires a gradient; ursa_detach() gives one that "
        "does not");
}

static void changing_what_is_recorded_is_an_error(void **state)
{
    (void)state;
    ursa_tensor *x = leaf(ursa_shape(2), 1), *y = ursa_exp(x);
    const char *message = "fill_: the tensor requires a gradient; change it between ursa_no_grad_begin() and "
                          "ursa_no_grad_end()";
    assert_false(ursa_fill_(x, 1));
    assert_error(message);
    assert_false(ursa_fill_(y, 1));
    assert_error(message);
    ursa_no_grad_begin();
    assert_true(ursa_fill_(x, 1));
    ursa_no_grad_end();
    assert_elements(x, 1, 1);
}

static void changing_what_was_saved_is_an_error(void **state)
{
    (void)state;
    ursa_tensor *x = leaf(ursa_shape(2), 1), *factor = count_up(ursa_shape(2), 1);
    ursa_tensor *loss = total(ursa_mul(x, factor));
    ursa_fill_(ursa_slice(factor, 0, 0, 1, 1), 5); /* through a view */
    assert_false(ursa_backward(loss));
    assert_error("backward: a tensor [2] that mul needs was changed in place since");
    loss = total(ursa_add(x, factor)); /* saves nothing */
    ursa_fill_(factor, 5);
    assert_true(ursa_backward(loss));
}

/* ---- memory ---------------------------------------------------------------------------------------------- */

static void long_chains(void **state)
{
    (void)state;
    uint64_t used = memory_used();
    for (int play = 0; play < 2; play++) { /* once played back, once let go */
        ursa_scope *scope = ursa_scope_begin();
        ursa_tensor *x = leaf(ursa_shape(1), 2), *y = x;
        for (int i = 0; i < 100000; i++) {
            ursa_tensor *next = ursa_add_scalar(y, 1);
            if (y != x)
                ursa_free(y); /* the tape alone holds it */
            y = next;
        }
        assert_elements(y, 100002);
        if (play) {
            assert_true(ursa_backward(y));
            assert_elements(ursa_grad(x), 1);
        }
        ursa_scope_end(scope);
        assert_int_equal(memory_used(), used);
    }
}

static void an_unplayed_tape_is_freed(void **state)
{
    (void)state;
    uint64_t used = memory_used();
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *x = leaf(ursa_shape(100), 2);
    total(ursa_mul(ursa_exp(x), ursa_sin(x)));
    ursa_scope_end(scope);
    assert_int_equal(memory_used(), used);
}

static void saved_tensors_go_as_backward_passes(void **state)
{
    (void)state;
    enum { LENGTH = 20, SIZE = 4096 };
    ursa_device *cpu = ursa_device_open("cpu");
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *x = ursa_uniform(ursa_shape(SIZE), .requires_grad = true, .device = cpu), *y = x;
    for (int i = 0; i < LENGTH; i++) {
        ursa_tensor *next = ursa_sin(y);
        if (y != x)
            ursa_free(y);
        y = next;
    }
    ursa_tensor *loss = total(y);
    ursa_free(y);
    uint64_t before = memory_used();
    ursa_device_reset_peak(cpu);
    assert_true(ursa_backward(loss));
    assert_true(memory_used() < before - (LENGTH - 3) * SIZE * sizeof(float));
    assert_true(ursa_device_memory(cpu).peak < before + 3 * SIZE * sizeof(float));
    ursa_scope_end(scope);
}

static void gradients_live_and_die_with_the_leaf(void **state)
{
    (void)state;
    uint64_t used = memory_used();
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *x = ursa_keep(leaf(ursa_shape(100), 0));
    ursa_backward(total(ursa_square(x)));
    ursa_scope_end(scope);
    assert_int_equal(ursa_count(ursa_grad(x)), 100);
    ursa_free(x);
    assert_int_equal(memory_used(), used);
}

/* After a failed step everything that waited is let go. */
static void failures_leave_nothing_behind(void **state)
{
    (void)state;
    uint64_t used = memory_used();
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *x = leaf(ursa_shape(100), 1), *y = ursa_exp(x), *z = ursa_sin(x);
    ursa_tensor *loss = total(ursa_add(y, z));
    ursa_fill_(ursa_detach(y), 0);
    assert_false(ursa_backward(loss));
    assert_error("backward: a tensor [100] that exp needs was changed in place since");
    ursa_scope_end(scope);
    assert_int_equal(memory_used(), used);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_add_up),
        cmocka_unit_test(shared_parts_are_played_once),
        cmocka_unit_test(a_leaf_itself),
        cmocka_unit_test(gradients_can_be_changed),
        cmocka_unit_test(only_what_is_asked_is_recorded),
        cmocka_unit_test(detaching),
        cmocka_unit_test(half_leaves_have_half_gradients),
        cmocka_unit_test(shares_of_equals),
        cmocka_unit_test(empty_tensors),
        cmocka_unit_test(a_second_backward_is_an_error),
        cmocka_unit_test(backward_wants_one_element_with_history),
        cmocka_unit_test(changing_what_is_recorded_is_an_error),
        cmocka_unit_test(changing_what_was_saved_is_an_error),
        cmocka_unit_test(long_chains),
        cmocka_unit_test(an_unplayed_tape_is_freed),
        cmocka_unit_test(saved_tensors_go_as_backward_passes),
        cmocka_unit_test(gradients_live_and_die_with_the_leaf),
        cmocka_unit_test(failures_leave_nothing_behind),
    };
    return run_unit_tests("tape", tests);
}

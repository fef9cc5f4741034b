/* test_optimizers.c — twenty steps of every optimizer, and every schedule,
 * against PyTorch's values. */
#include "golden.h"

#include <math.h>
#include <stdio.h>

enum { STEPS = 20, TENSORS = 2 };

/* What happens between the gradients and the step. */
enum before { NOTHING, CLIP_NORM, CLIP_VALUE, LOOKAHEAD };

static void prepare(ursa_optimizer *optimizer, enum before before)
{
    if (before == CLIP_NORM)
        assert_non_null(ursa_clip_grad_norm(optimizer, 1.5));
    if (before == CLIP_VALUE)
        assert_true(ursa_clip_grad_value(optimizer, 0.4));
}

/* The gradient of Σ g p is g. */
static void set_gradients(ursa_tensor *const *parameters, ursa_tensor *const *gradients, int step)
{
    for (int i = 0; i < TENSORS; i++)
        assert_true(
            ursa_backward(ursa_sum(ursa_mul(parameters[i], ursa_select(gradients[i], 0, step)), ursa_axes(), false)));
}

static void check(const char *name, ursa_optimizer_kind kind, enum before before, ursa_optimizer_options options)
{
    char key[64];
    ursa_scope *outer = ursa_scope_begin();
    ursa_tensor *parameters[TENSORS], *gradients[TENSORS];
    for (int i = 0; i < TENSORS; i++) {
        snprintf(key, sizeof key, "optimizer.start.%d", i);
        parameters[i] = ursa_requires_grad(fixture(key), true);
        snprintf(key, sizeof key, "optimizer.gradients.%d", i);
        gradients[i] = fixture(key);
    }
    ursa_optimizer *optimizer = ursa_optimizer_of(kind, parameters, TENSORS, &options);
    assert_non_null(optimizer);
    if (before == LOOKAHEAD)
        assert_true(ursa_lookahead(optimizer, 6, 0.5));
    for (int step = 0; step < STEPS; step++) {
        ursa_scope *scope = ursa_scope_begin();
        set_gradients(parameters, gradients, step);
        prepare(optimizer, before);
        assert_true(ursa_optimizer_step(optimizer));
        ursa_optimizer_zero_grad(optimizer);
        ursa_scope_end(scope);
    }
    for (int i = 0; i < TENSORS; i++) {
        snprintf(key, sizeof key, "optimizer.%s.%d", name, i);
        assert_close(key, parameters[i]);
    }
    assert_int_equal(ursa_optimizer_steps(optimizer), STEPS);
    ursa_optimizer_free(optimizer);
    ursa_scope_end(outer);
}

/* CASE(name, kind, before, options…) */
#define CASES                                                                                                          \
    CASE(sgd, URSA_SGD, NOTHING, .lr = 0.1)                                                                            \
    CASE(sgd_momentum, URSA_SGD, NOTHING, .lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .dampening = 0.1)          \
    CASE(sgd_nesterov, URSA_SGD, NOTHING, .lr = 0.1, .momentum = 0.9, .nesterov = true)                                \
    CASE(adam, URSA_ADAM, NOTHING, .lr = 0.05)                                                                         \
    CASE(adam_l2, URSA_ADAM, NOTHING, .lr = 0.05, .beta1 = 0.8, .beta2 = 0.95, .weight_decay = 0.1)                    \
    CASE(adamw, URSA_ADAMW, NOTHING, .lr = 0.05, .weight_decay = 0.1)                                                  \
    CASE(rmsprop, URSA_RMSPROP, NOTHING, .lr = 0.01)                                                                   \
    CASE(rmsprop_centered, URSA_RMSPROP, NOTHING, .lr = 0.01, .alpha = 0.9, .centered = true, .momentum = 0.8,         \
         .weight_decay = 0.02)                                                                                         \
    CASE(radam, URSA_RADAM, NOTHING, .lr = 0.05)                                                                       \
    CASE(lamb, URSA_LAMB, NOTHING, .lr = 0.02, .weight_decay = 0.05)                                                   \
    CASE(lookahead, URSA_SGD, LOOKAHEAD, .lr = 0.1, .momentum = 0.9)                                                   \
    CASE(clip_norm, URSA_SGD, CLIP_NORM, .lr = 0.1)                                                                    \
    CASE(clip_value, URSA_SGD, CLIP_VALUE, .lr = 0.1)

#define CASE(name, kind, before, ...)                                                                                  \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        check(#name, kind, before, (ursa_optimizer_options){__VA_ARGS__});                                             \
    }
CASES
#undef CASE

/* ---- schedules --------------------------------------------------------------------- */

enum { TOTAL = 50 };

/* PyTorch's step t is position t / span. */
static void check_schedule(const char *name, ursa_schedule *schedule, double span)
{
    float rates[TOTAL];
    assert_non_null(schedule);
    for (int t = 0; t < TOTAL; t++)
        rates[t] = (float)ursa_schedule_at(schedule, t / span);
    assert_close(name, ursa_from(rates, ursa_shape(TOTAL)));
    ursa_schedule_free(schedule);
}

static void test_schedules(void **state)
{
    (void)state;
    /* PyTorch's phases end at step pct total - 1 and total - 1, and its last
     * rate is the first divided by final_div_factor. */
    double last = TOTAL - 1;
    check_schedule("schedule.one_cycle", ursa_schedule_one_cycle(0.4, (0.3 * TOTAL - 1) / last, 25, 25 * 1e4), last);
    check_schedule("schedule.cosine", ursa_schedule_cosine(0.5, 0.01), TOTAL);
    check_schedule("schedule.linear", ursa_schedule_linear(0.1, 0.5), TOTAL);
    check_schedule("schedule.exponential", ursa_schedule_exponential(0.5, 0.5 * pow(0.9, TOTAL)), TOTAL);
}

/* PyTorch's is lr (1 - t / total)^power: the curve from the other end. */
static void test_polynomial(void **state)
{
    (void)state;
    ursa_schedule *schedule = ursa_schedule_polynomial(0, 0.5, 3);
    float rates[TOTAL];
    for (int t = 0; t < TOTAL; t++)
        rates[t] = (float)ursa_schedule_at(schedule, 1 - (double)t / TOTAL);
    assert_close("schedule.polynomial", ursa_from(rates, ursa_shape(TOTAL)));
    ursa_schedule_free(schedule);
}

static void test_constant(void **state)
{
    (void)state;
    ursa_schedule *schedule = ursa_schedule_constant(0.3);
    for (int t = 0; t <= 4; t++)
        assert_true(ursa_schedule_at(schedule, t / 4.0) == 0.3);
    ursa_schedule_free(schedule);
}

static void test_bad_shares(void **state)
{
    (void)state;
    assert_null(ursa_schedule_combine((double[]){0.5, 0.2},
                                      (ursa_schedule *[]){ursa_schedule_constant(1), ursa_schedule_constant(2)}, 2));
    assert_string_equal(ursa_error(), "schedule: the 2 shares add up to 0.7, expected 1");
    ursa_clear_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(name, ...) cmocka_unit_test(test_##name),
        CASES
#undef CASE
            cmocka_unit_test(test_schedules),
        cmocka_unit_test(test_polynomial),
        cmocka_unit_test(test_constant),
        cmocka_unit_test(test_bad_shares),
    };
    return run_unit_tests("golden optimizers and schedules", tests);
}

/* test_nnops.c — what normalisation, pooling, softmax, losses, padding and
 * resampling of the CPU backend promise beyond their formulas, on every
 * instruction set of this machine: digits kept far from zero and in long sums,
 * values that are not numbers, ties, positions outside, PyTorch's rules of
 * padding, and the same bytes from any number of threads. Every array is an
 * allocation of exactly its size, so that the sanitizers see a step outside.
 */
#include "device/cpu/cpu.h"
#include "tests/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LIST(...) ((const int64_t[]){__VA_ARGS__})

static ursa_device device;

/* ---- arrays -------------------------------------------------------------- */

static size_t bytes_of(const ursa_array *array)
{
    return (size_t)ursa_array_count(array) * ursa_dtype_size(array->dtype);
}

static ursa_array poisoned(ursa_dtype dtype, int ndim, const int64_t *shape)
{
    ursa_array array = {.dtype = dtype, .ndim = ndim};
    int64_t count = 1;
    for (int i = ndim - 1; i >= 0; i--) {
        array.shape[i] = shape[i];
        array.stride[i] = count;
        count *= shape[i];
    }
    array.buffer = calloc(1, sizeof *array.buffer);
    array.buffer->handle = malloc(bytes_of(&array) + (count == 0));
    memset(array.buffer->handle, 0xcd, bytes_of(&array));
    return array;
}

static float *floats(const ursa_array *array)
{
    return array->buffer->handle;
}

/* Normally distributed. */
static ursa_array drawn(int ndim, const int64_t *shape, double mean, double deviation, uint64_t seed)
{
    ursa_array array = poisoned(URSA_F32, ndim, shape);
    ursa_rng rng = ursa_rng_new(seed, URSA_PURPOSE_USER, 0);
    for (int64_t i = 0; i < ursa_array_count(&array); i++)
        floats(&array)[i] = (float)(mean + deviation * ursa_rng_normal(&rng));
    return array;
}

static ursa_array given(int ndim, const int64_t *shape, const float *values)
{
    ursa_array array = poisoned(URSA_F32, ndim, shape);
    memcpy(floats(&array), values, bytes_of(&array));
    return array;
}

static void discard(ursa_array *array)
{
    if (array->buffer)
        free(array->buffer->handle);
    free(array->buffer);
    *array = (ursa_array){0};
}

static void assert_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s: got %.9g, expected %.9g", ursa_cpu_simd()->name, got, want);
}

static void assert_floats(const ursa_array *array, const float *want, double tolerance)
{
    for (int64_t i = 0; i < ursa_array_count(array); i++)
        assert_near((double)floats(array)[i], (double)want[i], tolerance);
}

/* Runs a check on every instruction set. */
static void on_every_set(void (*check)(void))
{
    const char *before = ursa_cpu_simd()->name;
    for (int i = 0; ursa_cpu_set(i); i++) {
        assert_true(ursa_cpu_use(ursa_cpu_set(i)->name));
        check();
    }
    assert_true(ursa_cpu_use(before));
}

/* Runs it with one thread and with three: `output` must come out the same. */
static void on_any_threads(void (*run)(void), ursa_array *output)
{
    ursa_set_threads(1);
    run();
    void *once = malloc(bytes_of(output));
    memcpy(once, output->buffer->handle, bytes_of(output));
    memset(output->buffer->handle, 0xab, bytes_of(output));
    ursa_set_threads(3);
    run();
    assert_memory_equal(once, output->buffer->handle, bytes_of(output));
    free(once);
    ursa_set_threads(0);
}

/* ---- normalisation -------------------------------------------------------- */

/* Mean and inv_std of one channel as they should be. */
static void expected_moments(const ursa_array *x, int64_t channels, int64_t c, double *mean, double *inv_std)
{
    int64_t rows = ursa_array_count(x) / channels;
    double sum = 0, square = 0;
    for (int64_t i = 0; i < rows; i++)
        sum += (double)floats(x)[i * channels + c];
    *mean = sum / (double)rows;
    for (int64_t i = 0; i < rows; i++) {
        double away = (double)floats(x)[i * channels + c] - *mean;
        square += away * away;
    }
    *inv_std = 1 / sqrt(square / (double)rows + 1e-5);
}

/* Far from zero, with a step between the first rows and the rest. */
static void check_variance(void)
{
    static const int64_t shapes[][2] = {{1, 7},     {5, 3},     {4099, 1},  {20011, 3}, {70001, 1},
                                        {3001, 17}, {1031, 64}, {700, 130}, {33, 2100}};
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        int64_t rows = shapes[k][0], channels = shapes[k][1];
        ursa_array x = drawn(2, LIST(rows, channels), 1000, 1, k);
        for (int64_t i = 0; i < 10 * channels && k % 2; i++)
            floats(&x)[i % (rows * channels)] += 5;
        ursa_array out = poisoned(URSA_F32, 2, LIST(rows, channels)), mean = poisoned(URSA_F32, 1, &channels),
                   inv_std = poisoned(URSA_F32, 1, &channels);
        struct ursa_batch_norm_args args = {
            .x = x, .out = out, .mean = mean, .inv_std = inv_std, .training = true, .eps = 1e-5f};
        assert_true(ursa_cpu_batch_norm(&device, &args));
        for (int64_t c = 0; c < channels; c++) {
            double m, inv;
            expected_moments(&x, channels, c, &m, &inv);
            assert_near((double)floats(&mean)[c], m, 0x1p-14); /* a unit in the last place of 1000 */
            assert_near((double)floats(&inv_std)[c] / inv, 1, rows < 2 ? 1e-6 : 2e-5);
            double y = ((double)floats(&x)[c] - m) * inv;
            assert_near((double)floats(&out)[c], y, 1e-4 * (1 + fabs(y)) * inv + 1e-6);
        }
        discard(&x), discard(&out), discard(&mean), discard(&inv_std);
    }
}

static void test_variance_far_from_zero(void **state)
{
    (void)state;
    on_every_set(check_variance);
}

/* Layer norm (a single row) and groups over rows must agree where they meet:
 * [N, 1, C] in one group is [N, C, 1]. */
static void check_layer_norm(void)
{
    for (int64_t c = 1; c < 70; c += 11) {
        ursa_array x = drawn(3, LIST(9, 1, c), 2, 3, 5), dy = drawn(3, LIST(9, 1, c), 0, 1, 6);
        ursa_array results[2][4];
        for (int way = 0; way < 2; way++) {
            struct ursa_group_norm_args args = {.x = x, .groups = 1, .eps = 1e-3f};
            ursa_array gradient = dy;
            if (way) {
                memcpy(args.x.shape, LIST(9, c, 1), 3 * sizeof(int64_t));
                args.x.stride[1] = 1;
                gradient = args.x;
                gradient.buffer = dy.buffer;
            }
            args.out = results[way][0] = poisoned(URSA_F32, 3, args.x.shape);
            args.mean = results[way][1] = poisoned(URSA_F32, 2, LIST(9, 1));
            args.inv_std = results[way][2] = poisoned(URSA_F32, 2, LIST(9, 1));
            assert_true(ursa_cpu_group_norm(&device, &args));
            struct ursa_group_norm_grad_args grad = {
                .x = args.x, .dy = gradient, .mean = args.mean, .inv_std = args.inv_std, .groups = 1};
            grad.dx = results[way][3] = poisoned(URSA_F32, 3, args.x.shape);
            assert_true(ursa_cpu_group_norm_grad(&device, &grad));
        }
        for (int k = 0; k < 4; k++) {
            assert_floats(&results[0][k], floats(&results[1][k]), 2e-5);
            discard(&results[0][k]), discard(&results[1][k]);
        }
        discard(&x), discard(&dy);
    }
}

static void test_layer_norm_is_group_norm(void **state)
{
    (void)state;
    on_every_set(check_layer_norm);
}

static struct ursa_batch_norm_grad_args threaded;
static void run_threaded(void)
{
    assert_true(ursa_cpu_batch_norm_grad(&device, &threaded));
}

static void check_norm_threads(void)
{
    int64_t channels = 5;
    ursa_array x = drawn(2, LIST(60013, channels), 1, 1, 1), dy = drawn(2, LIST(60013, channels), 0, 1, 2);
    ursa_array mean = drawn(1, &channels, 1, 0.1, 3), inv_std = drawn(1, &channels, 1, 0.1, 4);
    threaded = (struct ursa_batch_norm_grad_args){.x = x, .dy = dy, .mean = mean, .inv_std = inv_std, .training = true};
    threaded.dx = poisoned(URSA_F32, 2, x.shape);
    threaded.dscale = poisoned(URSA_F32, 1, &channels);
    on_any_threads(run_threaded, &threaded.dx);
    on_any_threads(run_threaded, &threaded.dscale);
    discard(&x), discard(&dy), discard(&mean), discard(&inv_std), discard(&threaded.dx), discard(&threaded.dscale);
}

static void test_norm_threads(void **state)
{
    (void)state;
    on_every_set(check_norm_threads);
}

/* ---- pooling -------------------------------------------------------------- */

/* 3 × 3 over a row of 5 pixels, all channels alike. */
static void check_max_of(const float *row, int64_t c, const float *want, const int32_t *winners)
{
    ursa_array x = poisoned(URSA_F32, 4, LIST(1, 1, 5, c)), out = poisoned(URSA_F32, 4, LIST(1, 1, 3, c));
    ursa_array places = poisoned(URSA_U8, 4, LIST(1, 1, 3, c)), dx = poisoned(URSA_F32, 4, LIST(1, 1, 5, c));
    for (int64_t i = 0; i < 5 * c; i++)
        floats(&x)[i] = row[i / c];
    ursa_pool_geometry geometry = {.window = {3, 3}, .stride = {2, 2}, .pad = {1, 1}};
    struct ursa_pool2d_args args = {URSA_POOL_MAX, geometry, x, out, places};
    assert_true(ursa_cpu_pool2d(&device, &args));
    for (int64_t i = 0; i < 3 * c; i++) {
        float got = floats(&out)[i], expected = want[i / c];
        assert_true(got == expected || (isnan(got) && isnan(expected)));
        /* Windows begin at -1, 1 and 3, and one row above. */
        assert_int_equal(((uint8_t *)places.buffer->handle)[i], 3 + winners[i / c] + 1 - 2 * (i / c));
    }
    struct ursa_pool2d_grad_args grad = {URSA_POOL_MAX, geometry, out, places, dx};
    for (int64_t i = 0; i < 3 * c; i++)
        floats(&out)[i] = (float)(1 << i / c); /* 1, 2, 4: sums tell who gave */
    assert_true(ursa_cpu_pool2d_grad(&device, &grad));
    for (int64_t i = 0; i < 5 * c; i++) {
        float sum = 0;
        for (int o = 0; o < 3; o++)
            sum += winners[o] == i / c ? (float)(1 << o) : 0;
        assert_true(floats(&dx)[i] == sum);
    }
    discard(&x), discard(&out), discard(&places), discard(&dx);
}

static void check_max(void)
{
    float inf = INFINITY, nan = NAN;
    for (int64_t c = 1; c < 80; c += c < 34 ? 1 : 17) {
        check_max_of((const float[]){1, 3, 3, 2, 0}, c, (const float[]){3, 3, 2}, (const int32_t[]){1, 1, 3});
        check_max_of((const float[]){-inf, -inf, -inf, -2, -inf}, c, (const float[]){-inf, -2, -2},
                     (const int32_t[]){0, 3, 3});
        check_max_of((const float[]){1, nan, 9, nan, 2}, c, (const float[]){nan, nan, nan}, (const int32_t[]){1, 1, 3});
        check_max_of((const float[]){inf, -inf, 1, inf, inf}, c, (const float[]){inf, inf, inf},
                     (const int32_t[]){0, 3, 3});
        check_max_of((const float[]){1e38f, 3e38f, 3e38f, -3e38f, nan}, c, (const float[]){3e38f, 3e38f, nan},
                     (const int32_t[]){1, 1, 4});
    }
}

static void test_max_pool(void **state)
{
    (void)state;
    on_every_set(check_max);
}

/* PyTorch: avg_pool2d(arange(1, 6).view(1, 1, 1, 5), (1, 4), (1, 3), (0, 1),
 * ceil_mode=True): the second window ends in the padding, and counts it. */
static void check_average(void)
{
    ursa_array x = given(4, LIST(1, 1, 5, 1), (const float[]){1, 2, 3, 4, 5});
    ursa_array out = poisoned(URSA_F32, 4, LIST(1, 1, 2, 1));
    struct ursa_pool2d_args args = {.kind = URSA_POOL_AVG, .x = x, .out = out};
    args.geometry = (ursa_pool_geometry){.window = {1, 4}, .stride = {1, 3}, .pad = {0, 1}, .count_pad = true};
    assert_true(ursa_cpu_pool2d(&device, &args));
    assert_floats(&out, (const float[]){1.5f, 3.0f}, 1e-6);
    args.geometry.count_pad = false;
    assert_true(ursa_cpu_pool2d(&device, &args));
    assert_floats(&out, (const float[]){2.0f, 4.0f}, 1e-6);
    args.geometry = (ursa_pool_geometry){.adaptive = true}; /* 1 2 3 and 3 4 5 */
    assert_true(ursa_cpu_pool2d(&device, &args));
    assert_floats(&out, (const float[]){2.0f, 4.0f}, 1e-6);
    struct ursa_pool2d_grad_args grad = {URSA_POOL_AVG, args.geometry, out, {0}, x};
    assert_true(ursa_cpu_pool2d_grad(&device, &grad));
    assert_floats(&x, (const float[]){2 / 3.0f, 2 / 3.0f, 2.0f, 4 / 3.0f, 4 / 3.0f}, 1e-6);
    discard(&x), discard(&out);
}

static void test_average_pool(void **state)
{
    (void)state;
    on_every_set(check_average);
}

/* ---- softmax and losses ---------------------------------------------------- */

static void check_softmax(void)
{
    /* One logit among many: 1 / n, whatever n, along rows and along columns. */
    for (int axis = 0; axis < 2; axis++) {
        ursa_array x = poisoned(URSA_F32, 2, axis ? LIST(3, 50021) : LIST(50021, 3));
        for (int64_t i = 0; i < ursa_array_count(&x); i++)
            floats(&x)[i] = 1e4f;
        struct ursa_softmax_args args = {.axis = axis, .log = false, .x = x, .out = x};
        assert_true(ursa_cpu_softmax(&device, &args));
        for (int64_t i = 0; i < ursa_array_count(&x); i += 997)
            assert_near((double)floats(&x)[i] * 50021, 1, 1e-6);
        discard(&x);
    }
    ursa_array x = given(2, LIST(2, 3), (const float[]){-INFINITY, 0, 0, 88, -1000, NAN});
    struct ursa_softmax_args args = {.axis = 1, .log = false, .x = x, .out = x};
    assert_true(ursa_cpu_softmax(&device, &args));
    assert_near((double)floats(&x)[0], 0, 0);
    assert_near((double)floats(&x)[1], 0.5, 1e-7);
    assert_true(isnan(floats(&x)[3]) && isnan(floats(&x)[5]));
    discard(&x);
}

static void test_softmax(void **state)
{
    (void)state;
    on_every_set(check_softmax);
}

static void check_cross_entropy(void)
{
    int64_t rows = 3;
    ursa_array x = given(2, LIST(3, 2), (const float[]){1000, 990, -5, 5, 7, 7}),
               classes = poisoned(URSA_I64, 1, &rows);
    ursa_array loss = poisoned(URSA_F32, 1, &rows), weight = poisoned(URSA_F32, 1, &rows);
    ursa_array log_sum = poisoned(URSA_F32, 1, &rows);
    memcpy(classes.buffer->handle, LIST(0, 0, -1), 3 * sizeof(int64_t));
    struct ursa_cross_entropy_args args = {
        .x = x, .classes = classes, .loss = loss, .row_weight = weight, .log_sum = log_sum, .ignore = -1};
    assert_true(ursa_cpu_cross_entropy(&device, &args));
    assert_near((double)floats(&loss)[0], log1p(exp(-10)), 1e-7);
    assert_near((double)floats(&loss)[1], 10 + log1p(exp(-10)), 1e-6);
    assert_near((double)floats(&loss)[2], 0, 0);
    assert_floats(&weight, (const float[]){1, 1, 0}, 0);
    ((int64_t *)classes.buffer->handle)[1] = 2;
    assert_false(ursa_cpu_cross_entropy(&device, &args));
    assert_string_equal(ursa_error(), "cross_entropy: class 2 of row 1, expected 0 … 1");
    ursa_clear_error();
    discard(&x), discard(&classes), discard(&loss), discard(&weight), discard(&log_sum);
}

static void test_cross_entropy(void **state)
{
    (void)state;
    on_every_set(check_cross_entropy);
}

/* Values and slopes stay finite, and the far tails keep their digits. */
static void check_losses(void)
{
    int64_t n = 4;
    ursa_array x = given(1, &n, (const float[]){-90, 90, -30, 30}), target = given(1, &n, (const float[]){1, 0, 0, 1});
    ursa_array out = poisoned(URSA_F32, 1, &n), one = given(1, LIST(1), (const float[]){1});
    one.shape[0] = n;
    one.stride[0] = 0;
    struct ursa_loss_args args = {URSA_LOSS_bce_logits, x, target, out, 1, 0};
    assert_true(ursa_cpu_loss(&device, &args));
    assert_near((double)floats(&out)[0], 90, 1e-5);
    assert_near((double)floats(&out)[2] / exp(-30), 1, 1e-6);
    struct ursa_loss_grad_args grad = {URSA_LOSS_focal, x, target, one, out, 0.25f, 2};
    assert_true(ursa_cpu_loss_grad(&device, &grad));
    assert_floats(&out, (const float[]){-0.25f, 0.75f, 0, 0}, 1e-6);
    discard(&x), discard(&target), discard(&out), discard(&one);
}

static void test_losses(void **state)
{
    (void)state;
    on_every_set(check_losses);
}

/* ---- borders and positions -------------------------------------------------- */

/* A transposed view of bytes: rows 1 2 3 and 4 5 6 seen as columns. */
static void test_pad_view(void **state)
{
    (void)state;
    ursa_array x = poisoned(URSA_U8, 2, LIST(3, 2)), out = poisoned(URSA_U8, 2, LIST(5, 4));
    memcpy(x.buffer->handle, (const uint8_t[]){1, 2, 3, 4, 5, 6}, 6);
    x.stride[0] = 1;
    x.stride[1] = 3;
    struct ursa_pad_args args = {.kind = URSA_PAD_REFLECT, .x = x, .out = out, .before = {1, 1}};
    assert_true(ursa_cpu_pad(&device, &args));
    assert_memory_equal(out.buffer->handle,
                        ((const uint8_t[]){5, 2, 5, 2, 4, 1, 4, 1, 5, 2, 5, 2, 6, 3, 6, 3, 5, 2, 5, 2}), 20);
    args.kind = URSA_PAD_CONSTANT;
    args.value = 300;
    assert_true(ursa_cpu_pad(&device, &args));
    assert_memory_equal(out.buffer->handle, ((const uint8_t[]){255, 255, 255, 255, 255, 1,   4,   255, 255, 2,
                                                               5,   255, 255, 3,   6,   255, 255, 255, 255, 255}),
                        20);
    discard(&x), discard(&out);
}

/* Far away, infinite, and not a number: nothing outside is touched. */
static void check_positions(void)
{
    ursa_array x = drawn(4, LIST(1, 3, 4, 5), 3, 1, 1), dy = drawn(4, LIST(1, 1, 5, 5), 0, 1, 2);
    ursa_array grid = given(4, LIST(1, 1, 5, 2), (const float[]){1e30f, 0, -INFINITY, 0, NAN, NAN, 3e9f, -3e9f, 0, 7});
    ursa_array out = poisoned(URSA_F32, 4, LIST(1, 1, 5, 5)), dx = poisoned(URSA_F32, 4, LIST(1, 3, 4, 5));
    for (int kind = 0; kind < 2; kind++) {
        for (int border = 0; border < 3; border++) {
            struct ursa_grid_sample_args args = {(ursa_resize_kind)kind, (ursa_border_kind)border, false, x, grid, out};
            assert_true(ursa_cpu_grid_sample(&device, &args));
            struct ursa_grid_sample_grad_args grad = {
                (ursa_resize_kind)kind, (ursa_border_kind)border, false, x, grid, dy, dx, {0}};
            assert_true(ursa_cpu_grid_sample_grad(&device, &grad));
            for (int i = 0; i < 25 && border == URSA_BORDER_ZEROS; i++)
                assert_near((double)floats(&out)[i], 0, 0);
        }
    }
    discard(&x), discard(&dy), discard(&grid), discard(&out), discard(&dx);
}

static void test_positions_outside(void **state)
{
    (void)state;
    on_every_set(check_positions);
}

/* ---- optimizers -------------------------------------------------------------- */

static struct ursa_lamb_step_args lamb;
static float *lamb_start;
static void run_lamb(void)
{
    memcpy(floats(&lamb.param), lamb_start, bytes_of(&lamb.param));
    memcpy(floats(&lamb.m), lamb_start, bytes_of(&lamb.m));
    memset(floats(&lamb.v), 0, bytes_of(&lamb.v));
    assert_true(ursa_cpu_lamb_step(&device, &lamb));
}

static void check_lamb_threads(void)
{
    int64_t n = 100003;
    ursa_array start = drawn(1, &n, 0, 1, 1);
    lamb_start = floats(&start);
    lamb = (struct ursa_lamb_step_args){.param = poisoned(URSA_F32, 1, &n),
                                        .grad = drawn(1, &n, 0, 1, 2),
                                        .m = poisoned(URSA_F32, 1, &n),
                                        .v = poisoned(URSA_F32, 1, &n),
                                        .update = poisoned(URSA_F32, 1, &n),
                                        .lr = 0.01f,
                                        .beta1 = 0.9f,
                                        .beta2 = 0.999f,
                                        .eps = 1e-6f,
                                        .decay = 0.01f,
                                        .c1 = 0.1f,
                                        .c2 = 0.001f};
    on_any_threads(run_lamb, &lamb.param);
    discard(&start), discard(&lamb.param), discard(&lamb.grad), discard(&lamb.m), discard(&lamb.v),
        discard(&lamb.update);
}

static void test_lamb_threads(void **state)
{
    (void)state;
    on_every_set(check_lamb_threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variance_far_from_zero),
        cmocka_unit_test(test_layer_norm_is_group_norm),
        cmocka_unit_test(test_norm_threads),
        cmocka_unit_test(test_max_pool),
        cmocka_unit_test(test_average_pool),
        cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_cross_entropy),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_pad_view),
        cmocka_unit_test(test_positions_outside),
        cmocka_unit_test(test_lamb_threads),
    };
    return run_unit_tests("network operators", tests);
}

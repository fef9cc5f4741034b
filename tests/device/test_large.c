/* test_large.c — operators on arrays that are cut into many tasks: against
 * sums in double, and the same bits for any number of threads. */
#include "device/backend.h"
#include "tests/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static ursa_device *cpu;

static ursa_array array_of(ursa_dtype dtype, int ndim, const int64_t *shape)
{
    ursa_array array = {.dtype = dtype, .ndim = ndim};
    int64_t count = 1;
    for (int i = ndim - 1; i >= 0; i--) {
        array.shape[i] = shape[i];
        array.stride[i] = count;
        count *= shape[i];
    }
    array.buffer = ursa_buffer_new(cpu, dtype, count);
    assert_non_null(array.buffer);
    return array;
}
#define ARRAY(dtype, ...)                                                                                              \
    array_of(dtype, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]){__VA_ARGS__})

/* Uniform numbers from 0 to 1. */
static ursa_array random_array(ursa_array array)
{
    struct ursa_random_args args = {.kind = URSA_RANDOM_UNIFORM, .out = array, .b = 1, .key = 7};
    assert_true(ursa_op_random(cpu, &args));
    return array;
}

static void *contents(const ursa_array *array)
{
    int64_t count = ursa_array_count(array);
    void *data = malloc((size_t)count * ursa_dtype_size(array->dtype));
    assert_true(ursa_buffer_read(array->buffer, 0, array->dtype, data, count));
    return data;
}

static void release(int count, const ursa_array *arrays)
{
    for (int i = 0; i < count; i++)
        ursa_buffer_release(arrays[i].buffer);
}

/* ---- sums ---------------------------------------------------------------------- */

/* Sums x over the axes where out has 1, in double, and compares. */
static void check_sum(const ursa_array *x, const ursa_array *out, double bound)
{
    float *xs = contents(x), *got = contents(out);
    int64_t count = ursa_array_count(x), outs = ursa_array_count(out);
    double *sums = calloc((size_t)outs, sizeof *sums);
    for (int64_t i = 0; i < count; i++) {
        int64_t rest = i, at = 0;
        for (int axis = x->ndim - 1; axis >= 0; axis--) {
            at += out->shape[axis] == 1 ? 0 : rest % x->shape[axis] * out->stride[axis];
            rest /= x->shape[axis];
        }
        sums[at] += (double)xs[i];
    }
    for (int64_t i = 0; i < outs; i++)
        assert_true(fabs((double)got[i] - sums[i]) <= bound * sums[i]);
    free(xs);
    free(got);
    free(sums);
}

static void check_sum_of(ursa_array x, ursa_array out)
{
    random_array(x);
    assert_true(ursa_op_reduce(cpu, &(struct ursa_reduce_args){.kind = URSA_REDUCE_SUM, .x = x, .out = out}));
    check_sum(&x, &out, 1e-6);
    release(2, (ursa_array[]){x, out});
}

static void test_sums(void **state)
{
    (void)state;
    check_sum_of(ARRAY(URSA_F32, 1000003), ARRAY(URSA_F32, 1));
    check_sum_of(ARRAY(URSA_F32, 100003, 7), ARRAY(URSA_F32, 1, 7));
    check_sum_of(ARRAY(URSA_F32, 7, 100003), ARRAY(URSA_F32, 7, 1));
    check_sum_of(ARRAY(URSA_F32, 1003, 700), ARRAY(URSA_F32, 1, 700));
    check_sum_of(ARRAY(URSA_F32, 50, 90, 170), ARRAY(URSA_F32, 1, 90, 1));
    check_sum_of(ARRAY(URSA_F32, 50, 90, 170), ARRAY(URSA_F32, 50, 1, 170));
    check_sum_of(ARRAY(URSA_F32, 3, 300, 11, 70), ARRAY(URSA_F32, 3, 1, 11, 1));
}

static void test_moments(void **state)
{
    (void)state;
    for (int by_columns = 0; by_columns < 2; by_columns++) {
        ursa_array x = by_columns ? ARRAY(URSA_F32, 200003, 3) : ARRAY(URSA_F32, 3, 200003);
        ursa_array mean = by_columns ? ARRAY(URSA_F32, 1, 3) : ARRAY(URSA_F32, 3, 1), var = mean;
        var.buffer = ursa_buffer_new(cpu, URSA_F32, 3);
        random_array(x);
        /* A large mean and a small deviation: the sum of squares would have lost it. */
        struct ursa_unary_args shift = {.kind = URSA_UNARY_affine, .x = x, .out = x, .a = 0.5f, .b = 100};
        assert_true(ursa_op_unary(cpu, &shift));
        assert_true(ursa_op_moments(cpu, &(struct ursa_moments_args){.x = x, .mean = mean, .var = var}));
        float *xs = contents(&x), *means = contents(&mean), *vars = contents(&var);
        for (int64_t j = 0; j < 3; j++) {
            double m = 0, v = 0;
            int64_t step = by_columns ? 3 : 1, first = by_columns ? j : j * 200003;
            for (int64_t i = 0; i < 200003; i++)
                m += (double)xs[first + i * step] / 200003;
            for (int64_t i = 0; i < 200003; i++)
                v += pow((double)xs[first + i * step] - m, 2) / 200003;
            assert_true(fabs((double)means[j] - m) <= 1e-7 * m);
            assert_true(fabs((double)vars[j] - v) <= 1e-5 * v);
        }
        free(xs);
        free(means);
        free(vars);
        release(3, (ursa_array[]){x, mean, var});
    }
}

/* ---- sorting ------------------------------------------------------------------- */

static const float *sorted_by;

static int by_value_then_place(const void *a, const void *b)
{
    int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
    if (sorted_by[i] != sorted_by[j])
        return sorted_by[i] < sorted_by[j] ? -1 : 1;
    return i < j ? -1 : i > j;
}

static void check_sort(int64_t n, int64_t k)
{
    ursa_array x = ARRAY(URSA_F32, n), rough = ARRAY(URSA_I32, n);
    ursa_array values = ARRAY(URSA_F32, k), indices = ARRAY(URSA_I64, k);
    random_array(x);
    /* Whole numbers, so that there are many ties. */
    struct ursa_unary_args scale = {.kind = URSA_UNARY_affine, .x = x, .out = x, .a = (float)n, .b = -(float)n / 3};
    assert_true(ursa_op_unary(cpu, &scale));
    assert_true(ursa_op_copy(cpu, &(struct ursa_copy_args){.x = x, .out = rough}));
    assert_true(ursa_op_copy(cpu, &(struct ursa_copy_args){.x = rough, .out = x}));
    assert_true(ursa_op_sort(cpu, &(struct ursa_sort_args){.x = x, .values = values, .indices = indices}));
    float *xs = contents(&x), *got = contents(&values);
    int64_t *places = contents(&indices), *order = calloc((size_t)n, sizeof *order);
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    sorted_by = xs;
    qsort(order, (size_t)n, sizeof *order, by_value_then_place);
    for (int64_t i = 0; i < k; i++) {
        assert_int_equal(places[i], order[i]);
        assert_true(got[i] == xs[order[i]]);
    }
    free(xs);
    free(got);
    free(places);
    free(order);
    release(4, (ursa_array[]){x, rough, values, indices});
}

static void test_sort(void **state)
{
    (void)state;
    check_sort(50, 50); /* merging */
    check_sort(1023, 1023);
    check_sort(50000, 50000); /* radix */
    check_sort(50000, 40000);
    check_sort(50000, 5); /* a heap */
    check_sort(50000, 6250);
}

/* ---- threads --------------------------------------------------------------------- */

/* Runs a handful of operators that are cut into tasks, and sums their bits up. */
static uint64_t fingerprint(void)
{
    ursa_array x = random_array(ARRAY(URSA_F32, 600, 500)), y = ARRAY(URSA_F32, 600, 500);
    ursa_array turned = x, all = ARRAY(URSA_F32, 1, 1), columns = ARRAY(URSA_F32, 1, 500);
    ursa_array index = ARRAY(URSA_I64, 600), few = ARRAY(URSA_F32, 40, 500);
    turned.shape[0] = 500;
    turned.shape[1] = 600;
    turned.stride[0] = 1;
    turned.stride[1] = 500;
    ursa_array flat = ARRAY(URSA_F32, 500, 600);
    int64_t picks[600];
    for (int i = 0; i < 600; i++)
        picks[i] = i * 7919 % 40;
    assert_true(ursa_buffer_write(index.buffer, 0, URSA_I64, picks, 600));
    bool ok = ursa_op_unary(cpu, &(struct ursa_unary_args){.kind = URSA_UNARY_gelu, .x = x, .out = y}) &&
              ursa_op_reduce(cpu, &(struct ursa_reduce_args){.kind = URSA_REDUCE_SUM, .x = y, .out = all}) &&
              ursa_op_reduce(cpu, &(struct ursa_reduce_args){.kind = URSA_REDUCE_L2, .x = y, .out = columns}) &&
              ursa_op_copy(cpu, &(struct ursa_copy_args){.x = turned, .out = flat}) &&
              ursa_op_fill(cpu, &(struct ursa_fill_args){.out = few, .value = 1}) &&
              ursa_op_scatter_add(cpu, &(struct ursa_scatter_add_args){.x = y, .index = index, .out = few}) &&
              ursa_op_cumsum(cpu, &(struct ursa_cumsum_args){.axis = 1, .x = y, .out = x});
    assert_true(ok);
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    const ursa_array results[] = {x, y, all, columns, flat, few};
    for (int r = 0; r < 6; r++) {
        unsigned char *bytes = contents(&results[r]);
        for (int64_t i = 0; i < 4 * ursa_array_count(&results[r]); i++)
            hash = (hash ^ bytes[i]) * 1099511628211u;
        free(bytes);
    }
    release(6, results);
    ursa_buffer_release(index.buffer);
    return hash;
}

static void test_threads(void **state)
{
    (void)state;
    ursa_set_threads(1);
    uint64_t one = fingerprint();
    ursa_set_threads(2);
    assert_true(fingerprint() == one);
    ursa_set_threads(5);
    assert_true(fingerprint() == one);
    ursa_set_threads(0);
}

/* ---- indices ----------------------------------------------------------------------- */

static void test_bad_index(void **state)
{
    (void)state;
    ursa_array x = random_array(ARRAY(URSA_F32, 40, 30)), index = ARRAY(URSA_I64, 3), out = ARRAY(URSA_F32, 3, 30);
    assert_true(ursa_buffer_write(index.buffer, 0, URSA_I64, (const int64_t[]){0, 40, 1}, 3));
    assert_false(ursa_op_gather(cpu, &(struct ursa_gather_args){.x = x, .index = index, .out = out}));
    assert_non_null(strstr(ursa_error(), "index 40 is outside axis 0, which has 40 elements"));
    ursa_clear_error();
    assert_false(ursa_op_scatter_add(cpu, &(struct ursa_scatter_add_args){.x = out, .index = index, .out = x}));
    assert_non_null(strstr(ursa_error(), "index 40 is outside axis 0, which has 40 elements"));
    ursa_clear_error();
    release(3, (ursa_array[]){x, index, out});
}

int main(void)
{
    cpu = ursa_device_open("cpu");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),    cmocka_unit_test(test_moments),   cmocka_unit_test(test_sort),
        cmocka_unit_test(test_threads), cmocka_unit_test(test_bad_index),
    };
    return run_unit_tests("large", tests);
}

/* helpers.h — what the tests of tensors share. */
#ifndef URSA_TESTS_TENSOR_HELPERS_H
#define URSA_TESTS_TENSOR_HELPERS_H

#include "../unit.h"
#include <ursa/tensor.h>
#include <math.h>

#define FLOATS(...)   ((const float[]){__VA_ARGS__})
#define INTEGERS(...) ((const int64_t[]){__VA_ARGS__})
#define COUNT_OF(...) ((int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)))

/* That the tensor has exactly these elements. */
static inline void expect_elements(const ursa_tensor *tensor, const double *expected, int64_t count, const char *file,
                                   int line)
{
    float values[256];
    if (!tensor || ursa_count(tensor) != count || !ursa_read(tensor, URSA_F32, values, count))
        _fail(file, line);
    for (int64_t i = 0; i < count; i++)
        if (!((double)values[i] == expected[i] || (isnan(values[i]) && isnan(expected[i])))) {
            print_error("element %lld is %g, expected %g\n", (long long)i, (double)values[i], expected[i]);
            _fail(file, line);
        }
}
#define assert_elements(tensor, ...)                                                                                   \
    expect_elements(tensor, (const double[]){__VA_ARGS__}, COUNT_OF(__VA_ARGS__), __FILE__, __LINE__)

static inline void expect_shape(const ursa_tensor *tensor, ursa_dims expected, const char *file, int line)
{
    ursa_dims dims = ursa_dims_of(tensor);
    bool same = dims.ndim == expected.ndim;
    for (int i = 0; i < expected.ndim && same; i++)
        same = dims.dim[i] == expected.dim[i];
    if (!same)
        _fail(file, line);
}
#define assert_shape(tensor, ...) expect_shape(tensor, ursa_shape(__VA_ARGS__), __FILE__, __LINE__)

/* That the latched error is this text, which is then cleared. */
static inline void expect_error(const char *expected, const char *file, int line)
{
    const char *error = ursa_error();
    if (!error) {
        print_error("no error, expected \"%s\"\n", expected);
        _fail(file, line);
    }
    _assert_string_equal(error, expected, file, line);
    ursa_clear_error();
}
#define assert_error(expected) expect_error(expected, __FILE__, __LINE__)

/* [first, first + 1, …] as f32 on the CPU, whatever the default device. */
static inline ursa_tensor *count_up(ursa_dims shape, double first)
{
    int64_t count = 1;
    for (int i = 0; i < shape.ndim; i++)
        count *= shape.dim[i];
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *out = ursa_reshape(ursa_arange(count, .start = first, .device = ursa_device_open("cpu")), shape);
    ursa_promote(out);
    ursa_scope_end(scope);
    return out;
}

static inline uint64_t memory_used(void)
{
    return ursa_device_memory(ursa_device_open("cpu")).used;
}

#endif

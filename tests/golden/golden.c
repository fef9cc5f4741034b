/* golden.c — the fixtures, and the comparison with them. */
#include "golden.h"

#include <math.h>
#include <stdlib.h>

static ursa_safetensors *file;

const ursa_safetensors *fixtures(void)
{
    if (!file)
        file = ursa_safetensors_open(FIXTURES);
    if (!file)
        fail_msg("%s", ursa_error());
    return file;
}

ursa_tensor *fixture(const char *name)
{
    const ursa_stored_tensor *stored = ursa_safetensors_find(fixtures(), name);
    if (!stored)
        fail_msg("the fixtures have no %s", name);
    return ursa_from(stored->data, stored->shape, .dtype = stored->dtype);
}

void assert_close(const char *name, ursa_tensor *found)
{
    const ursa_stored_tensor *stored = ursa_safetensors_find(fixtures(), name);
    if (!stored || !found)
        fail_msg("%s: %s", name, stored ? ursa_error() ? ursa_error() : "no result" : "not in the fixtures");
    const float *expected = stored->data;
    int64_t count = (int64_t)(stored->bytes / sizeof *expected);
    assert_int_equal(ursa_count(found), count);
    assert_int_equal(ursa_ndim(found), stored->shape.ndim);
    for (int axis = 0; axis < stored->shape.ndim; axis++)
        assert_int_equal(ursa_dim(found, axis), stored->shape.dim[axis]);
    float *values = malloc((size_t)count * sizeof *values);
    assert_true(ursa_read(found, URSA_F32, values, count));
    float largest = 0;
    for (int64_t i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(expected[i]));
    for (int64_t i = 0; i < count; i++)
        if (!(fabsf(values[i] - expected[i]) <= 1e-5f * (largest + fabsf(expected[i]))))
            fail_msg("%s[%lld]: expected %.9g, found %.9g (largest %g)", name, (long long)i, (double)expected[i],
                     (double)values[i], (double)largest);
    free(values);
}

__attribute__((destructor)) static void close_fixtures(void)
{
    ursa_safetensors_close(file);
}

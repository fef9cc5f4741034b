/* reference64.h — the device that the tests trust: every operator as plain
 * loops in double precision, sharing no code with the library's kernels.
 *
 * Elements of all float types are stored as doubles and never rounded to the
 * type they claim to be; integers are stored as on the host. Both kernel tests
 * and gradient checks run on it.
 */
#ifndef URSA_TESTS_REFERENCE64_H
#define URSA_TESTS_REFERENCE64_H

#include "device/backend.h"

/* The device, opened and registered on the first call; the process owns it. */
ursa_device *reference64_open(void);

/* The stored elements themselves. `array` lives on this device and has a float
 * type; elements are in row-major order, whatever the strides. */
void reference64_read(const ursa_array *array, double *values);
void reference64_write(const ursa_array *array, const double *values);

/* Scalar functions that more than one family uses. */
double reference64_function(ursa_unary_kind kind, double x, double a, double b);
double reference64_slope(ursa_unary_kind kind, double x, double y, double a, double b);
double reference64_activate(const ursa_activation *activation, double x);
/* Of channel c of x [rows, channels]; the variance is the biased one. */
double reference64_mean(const double *x, int64_t rows, int64_t channels, int64_t c);
double reference64_variance(const double *x, int64_t rows, int64_t channels, int64_t c, double mean);
double reference64_uniform(uint64_t key, uint64_t counter, int64_t i);

/* The operators, one file per family. */
#define URSA_OP(name, types, text) bool reference64_##name(ursa_device *device, const struct ursa_##name##_args *args);
#include "device/ops.def"
#undef URSA_OP

#endif

/* taps.h — the tables from which the resampling kernels work: for every output
 * position of an axis the input positions it is a weighted sum of. Average
 * pooling, resizing and the gradients of both differ in these tables only.
 */
#ifndef URSA_DEVICE_CPU_TAPS_H
#define URSA_DEVICE_CPU_TAPS_H

#include "device/ops.h"
#include "simd/pool.h"
#include "simd/resample.h"

/* Rows of an average's window that lie in the image, and how many it counts
 * for. */
struct ursa_window {
    struct ursa_span span;
    int32_t counted;
};

/* Window `o` of `outputs` over axis 0 (rows) or 1 (columns) of `extent`. */
struct ursa_window ursa_pool_window(const ursa_pool_geometry *geometry, int axis, int64_t o, int64_t outputs,
                                    int64_t extent);

/* A table in memory of its own; free() `memory`. NULL in it: out of memory. */
struct ursa_tap_table {
    struct ursa_taps taps;
    int64_t outputs, inputs;
    void *memory;
};

struct ursa_tap_table ursa_taps_average(const ursa_pool_geometry *geometry, int axis, int64_t outputs, int64_t inputs);
struct ursa_tap_table ursa_taps_resize(ursa_resize_kind kind, bool align_corners, int64_t outputs, int64_t inputs);
/* One tap each: the element that a padded position shows. Not for constants. */
struct ursa_tap_table ursa_taps_pad(ursa_pad_kind kind, int64_t before, int64_t outputs, int64_t inputs);
/* That element, or -1 for the constant. */
int64_t ursa_pad_source(ursa_pad_kind kind, int64_t position, int64_t extent);

/* The table of the gradient: the roles of inputs and outputs swapped. */
struct ursa_tap_table ursa_taps_transpose(const struct ursa_tap_table *table);

/* out[n] = rows x[n] columns for every image and channel, in parallel. Frees
 * the tables; false with an error where one lacks memory. */
bool ursa_taps_apply(struct ursa_tap_table rows, struct ursa_tap_table columns, const ursa_array *x,
                     const ursa_array *out);

#endif

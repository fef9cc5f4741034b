/* moments.h — mean and variance of the columns of a matrix, from those of its
 * parts: batch norm's statistics, whoever takes them.
 */
#ifndef URSA_DEVICE_CPU_MOMENTS_H
#define URSA_DEVICE_CPU_MOMENTS_H

#include "device/cpu/cpu.h"

/* For each part how many rows it has, and mean and Σ(x - mean)² of its columns. */
struct ursa_moments {
    ursa_dtype dtype; /* of the matrix, in which rows lie `columns` apart */
    int64_t columns, parts;
    double *rows;          /* [parts] */
    float *mean, *squares; /* [parts, columns] */
};

/* Makes room for the parts of a matrix of so many rows, in scratch memory. */
bool ursa_moments_new(struct ursa_moments *moments, int64_t rows, int64_t part_rows);

/* Some columns of a part, from its rows at x: by the task that has just written them, so that they are in its cache. */
void ursa_moments_gather(const struct ursa_moments *moments, int64_t part, const void *x, int64_t rows, int64_t column,
                         int64_t columns);

/* Mean and Σ(x - mean)² of all rows, merged in the order of the parts. */
void ursa_moments_merge(const struct ursa_moments *moments, double *mean, double *squares);

/* The same as mean and biased variance. */
bool ursa_moments_finish(const struct ursa_moments *moments, float *mean, float *var);

/* Mean and biased variance of the last axis of x, which is not empty: in a pass of its own (norm.c). */
bool ursa_cpu_channel_moments(const ursa_array *x, float *mean, float *var);

#endif

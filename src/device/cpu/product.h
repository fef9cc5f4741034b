/* product.h — the frame that matrix products and convolutions share: blocks
 * for the caches, panels of packed weights, tasks for the threads.
 *
 *     out[i][j] = activation(alpha Σ_s Σ_k A[i, s, k] B[s, k, j] + beta out[i][j] + bias[j])
 *
 * Where row i of A lies, and where its results go, only `find` knows; that is
 * all that tells a convolution from a plain product.
 */
#ifndef URSA_DEVICE_CPU_PRODUCT_H
#define URSA_DEVICE_CPU_PRODUCT_H

#include "device/cpu/moments.h"
#include "simd/gemm.h"

/* B[s, k, j] = data[segment[s] + k k_stride + j j_stride] for one group; without `segment` the segments follow
 * one another (s length k_stride). One of the strides is 1. */
struct ursa_factor {
    const void *data;
    const int64_t *segment;
    int64_t k_stride, j_stride;
    int64_t group_stride;
};

struct ursa_product {
    ursa_dtype a, b, out; /* the types of A, B and out, floats or one half type; bias is f32 */
    int64_t groups;       /* independent products of the same shape */
    int64_t rows, columns;
    int64_t segments, length;
    int64_t step;       /* between neighbours in a row of A */
    int64_t row_stride; /* between rows, where all are equally far apart and there is one segment; else 0 */
    struct ursa_factor factor;

    /* Writes the pointers of rows begin … end-1: row[(i - begin) segments + s] and out[i - begin]. */
    void (*find)(const void *context, int64_t group, int64_t begin, int64_t end, const void **row, void **out);
    /* NULL, or writes what else lies among the rows of out, and is zero: once for each row, when it is about to be
     * written. */
    void (*clear)(const void *context, int64_t group, int64_t begin, int64_t end);
    const void *context;

    const float *bias; /* [groups, columns] for bias_stride = columns, or NULL */
    int64_t bias_stride;
    float alpha, beta;
    ursa_activation activation;

    /* NULL, or what to gather of out [rows, groups columns], whose rows then follow one another in memory: a part of
     * each block of rows. Left without parts where a task has no such block. */
    struct ursa_moments *moments;
};

/* Scratch memory (see ursa_scratch) during a product: what the caller shares
 * with all tasks, and what each task has to itself. */
enum {
    URSA_SLOT_PANELS,
    URSA_SLOT_ROWS,
    URSA_SLOT_TASK,
    URSA_SLOT_ZEROS,
    URSA_SLOT_IMAGE,
    URSA_SLOT_WEIGHTS,
    URSA_SLOT_MOMENTS
};

bool ursa_product_run(const struct ursa_product *product);

/* Few rows of floats, and all of B read for them: the product of the transposes (product_turned.c). */
bool ursa_product_is_turned(const struct ursa_product *product);
bool ursa_product_run_turned(const struct ursa_product *product);

/* The kernels for factors of these types: what packs them, and multiplies what was packed. */
const struct ursa_simd_gemm *ursa_product_kernels(ursa_dtype a, ursa_dtype b);

/* Around calls of a task to their tile and pairs. */
static inline void ursa_kernels_begin(const struct ursa_simd_gemm *kernels)
{
    if (kernels->begin)
        kernels->begin();
}

static inline void ursa_kernels_end(const struct ursa_simd_gemm *kernels)
{
    if (kernels->end)
        kernels->end();
}

static inline bool ursa_is_half(ursa_dtype dtype)
{
    return dtype == URSA_F16 || dtype == URSA_BF16;
}

/* Applies an activation to `count` numbers in place. */
void ursa_activate(const ursa_activation *activation, float *x, int64_t count);

/* A pitch for rows of `count` floats, an odd number of cache lines: the rows of
 * a tile then do not fall on the same few sets of the cache, as they do when
 * the pitch is a power of two. */
static inline int64_t ursa_odd_pitch(int64_t count)
{
    return (((count + 15) / 16) | 1) * 16;
}

static inline int64_t ursa_ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

#endif

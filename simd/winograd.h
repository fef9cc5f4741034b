/* winograd.h — the transforms of Winograd's convolution, F(4 × 4, 3 × 3), and of
 * its gradient to the weights, F(3 × 3, 4 × 4).
 *
 * A tile of 4 × 4 outputs of a 3 × 3 window reads 6 × 6 inputs. Transformed,
 *
 *     out = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ in B)] A,
 *
 * it takes 36 multiplications and not 144 (Winograd, "Arithmetic complexity of
 * computations", 1980; Lavin and Gray, "Fast algorithms for convolutional
 * neural networks", 2016). Summed over channels, the 36 products of all tiles
 * are 36 products of matrices, [tiles, in] × [in, out].
 *
 * The gradient to the weights is a convolution of x with dy: from a tile of x
 * and the 4 × 4 of dy that it led to come 3 × 3 gradients, by way of 36 products
 * again, [in, tiles] × [tiles, out].
 *
 * The polynomials are evaluated at 0, ±√½, ±√2 and infinity and not, as in
 * Lavin's paper, at 0, ±1, ±2: the numbers in the matrices are closer to one
 * another, and the rounding errors half as large.
 */
#ifndef URSA_SIMD_WINOGRAD_H
#define URSA_SIMD_WINOGRAD_H

#include "device/ops.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    URSA_WINOGRAD_OUT = 4,    /* outputs of a tile, either way */
    URSA_WINOGRAD_IN = 6,     /* inputs */
    URSA_WINOGRAD_PLANES = 36 /* products */
};

/* Images are of any float type, for each of which there is a function; everything else is floats. */
enum { URSA_IMAGE_TYPES = URSA_BF16 + 1 };

struct ursa_simd_winograd {
    /* One slice (see gemm.h) of every plane from as many tiles as a slice has rows: pixel[36 tile + 6 row + column]
     * leads to the channels of an input pixel, of which there are a multiple of 8. Plane e goes to
     * slice + e plane_stride. */
    void (*input[URSA_IMAGE_TYPES])(const void *const *pixel, int64_t channels, float *slice, int64_t plane_stride);

    /* One panel of every plane of the weights: tap (r, s) is w[tap[3 r + s] + k k_stride + j j_stride], for
     * k < length, a multiple of 8, and j < width ≤ the columns of a panel. One of the strides is 1. */
    void (*weights)(const float *w, const int64_t tap[9], int64_t k_stride, int64_t j_stride, int64_t length,
                    int64_t width, float *panel, int64_t plane_stride);

    /* The 16 pixels of a tile from its rows of the planes, sum + e plane_stride; those that are NULL are left out. */
    void (*output[URSA_IMAGE_TYPES])(const float *sum, int64_t plane_stride, int64_t channels, const float *bias,
                                     bool relu, void *const pixel[16]);

    /* For the gradient to the weights, the row of a tile in every plane of the two factors. x: pixel[6 row + column]
     * leads to `channels` channels, those of panel p go to panel + p panel_stride + e plane_stride. dy:
     * pixel[4 row + column] leads to `channels` channels, of which the first `readable` may be read; those of slice s
     * go to slice + s slice_stride + e plane_stride, and what is written beyond is overwritten by the next tile. */
    void (*gradient_x[URSA_IMAGE_TYPES])(const void *const pixel[36], int64_t channels, float *panel,
                                         int64_t panel_stride, int64_t plane_stride);
    void (*gradient_dy[URSA_IMAGE_TYPES])(const void *const pixel[16], int64_t channels, int64_t readable, float *slice,
                                          int64_t slice_stride, int64_t plane_stride);

    /* The gradients of one output channel, tap (r, s) to dw[(3 r + s) tap_stride], from its row of the planes. */
    void (*gradient_output)(const float *sum, int64_t plane_stride, int64_t channels, float *dw, int64_t tap_stride);
};

#endif

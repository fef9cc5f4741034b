/* gemm.h — the micro-kernels of matrix products and convolutions.
 *
 * A micro-kernel keeps a tile of the result, `rows` × `columns`, in registers
 * while it walks along the inner dimension. Per step it loads one row of B
 * (columns / lanes vectors) and broadcasts one element of each row of A:
 * rows × columns multiply-adds for rows + columns / lanes loads. The tile is
 * as large as the register file allows, so that the multiply-adds, and not the
 * loads, are what the processor waits for.
 */
#ifndef URSA_SIMD_GEMM_H
#define URSA_SIMD_GEMM_H

#include <stdbool.h>
#include <stdint.h>

#define URSA_FETCH_STEP 4 /* a line of the cache with every four steps */

/* out[i][j] = alpha Σ_s Σ_k A[s, i, k] B[s, k, j] + beta out[i][j] + bias[j]
 *
 * The inner dimension is a list of segments of equal length; each has, for
 * every row, a pointer of its own:
 *
 *   A[s, i, k] = row[i row_stride + s][skip + k step]
 *   B[s, k, j] = b[(s length + k) b_stride + j]
 *
 * A plain product has one segment. A convolution has one per tap of its
 * window: row i is an output pixel, and the pointer leads to the channels of
 * the input pixel under that tap. So no matrix of windows is ever written
 * (Dukhan, "The Indirect Convolution Algorithm", 2019).
 *
 * Where many tiles read the same rows, they are first copied into a slice (see
 * `gather`), after which the inner dimension is a single stream of `length`
 * steps, and b is a packed panel. */
struct ursa_tile {
    const float *slice; /* or NULL, and then: */
    const float *fetch; /* or NULL; with a slice: what is brought near, URSA_FETCH_STEP floats with every step */
    const void *const *row;
    int64_t row_stride;
    int64_t segments, skip, step;
    int64_t length; /* of a segment, or of the slice */
    const float *b;
    int64_t b_stride;
    float *const *out; /* one pointer per row */
    int64_t column;    /* added to the pointers of out */
    int height, width; /* 1 … rows, 1 … columns: what of the tile is written */
    bool padded;       /* rows of b may be read up to full vectors past width */
    const float *bias; /* of the first column, or NULL */
    float alpha, beta; /* beta 0: out is not read */
    bool relu;
};

/* out[i][j] (+)= Σ_k a[pair[2k] + i] b[pair[2k + 1] + j]
 *
 * The gradient of weights: both factors lie with their channels side by side,
 * and `pair` lists which output pixel meets which input pixel under one tap.
 * Pixels whose partner lies outside the image are simply not in the list. */
struct ursa_pairs {
    const float *a, *b; /* readable for full tiles from every offset */
    const int32_t *pair;
    int64_t count;
    const float *fetch; /* or NULL: what is brought near, URSA_FETCH_STEP floats with every pair */
    float *out;
    int64_t out_stride;
    int height, width; /* 1 … rows, 1 … pair_columns */
    bool add;          /* to out, else out is not read */
};

/* Rows of elements that lie side by side, `stride` apart, one for each step of the inner dimension. They become words:
 * word w takes row w hop, and where words are pairs (`depth` 2) row w hop + partner beside it, zeros from `length` on.
 */
struct ursa_rows {
    const void *data;
    int64_t stride, length;
    int64_t hop, partner;
};

/* Slices and panels hold words of 32 bits: a float, or, where the processor multiplies pairs of bf16 and adds them up,
 * two neighbours of the inner dimension. `depth` is the number of elements in a word; segments of an odd length end in
 * half a word, beside which is zero. What is packed may be of a narrower type than float, see gemm_half.h; strides and
 * lengths count elements. */
struct ursa_simd_gemm {
    int rows, columns; /* of the tile */
    int inner;         /* words along the inner dimension between visits to out */
    int depth;
    int run;          /* words of a row that lie side by side in a slice */
    int rate;         /* elements multiplied while floats multiply one, roughly */
    int pair_columns; /* the most that `pairs` takes, some times `columns` */

    /* NULL, or a thread calls the first before it calls tile and pairs, and then the second. */
    void (*begin)(void), (*end)(void);

    void (*tile)(const struct ursa_tile *tile);
    void (*pairs)(const struct ursa_pairs *pairs);

    /* out[i] = alpha Σ_k x[k] y[i y_stride + k] + beta out[i] */
    void (*dots)(const float *x, const float *y, int64_t y_stride, int64_t count, int64_t length, float alpha,
                 float beta, float *out);

    /* Panels of B for `tile`: panel[k columns + j] = y[k k_stride + j j_stride] for k < length, j < width, and 0
     * for width ≤ j < columns. One of the strides is 1. */
    void (*pack)(const void *y, int64_t k_stride, int64_t j_stride, int64_t length, int64_t width, float *panel);

    /* Several panels from rows, panel_stride apart: panel[j / columns panel_stride + k columns + j % columns] = element
     * j of row k for j < width, and 0 up to the full panel. */
    void (*panels)(const struct ursa_rows *rows, int64_t width, float *panel, int64_t panel_stride);

    /* Rows side by side: panel[k panel_stride + j] = element j of row k for j < width, 0 for width ≤ j < full, a
     * multiple of the lanes. */
    void (*copy)(const struct ursa_rows *rows, int64_t width, int64_t full, float *panel, int64_t panel_stride);

    /* Cut into slices as high as a tile, for `tile`: slice i / rows of `slices` holds word k of row i < height at
     * (k / run rows + i % rows) run + k % run, and is of ursa_slice_floats(). `slice` takes element i of row k for word
     * `at` + k, and `size` is that of a slice; `gather` takes for k = s length + l what row[i row_stride + s] has at
     * skip + l, one slice right behind another. `strips` is `slice` for `pairs`: there word k is at k rows + i % rows,
     * whatever `run` is. */
    void (*gather)(const void *const *row, int64_t row_stride, int64_t segments, int64_t length, int64_t skip,
                   int64_t height, float *slices);
    void (*slice)(const struct ursa_rows *rows, int64_t height, int64_t at, float *slices, int64_t size);
    void (*strips)(const struct ursa_rows *rows, int64_t height, int64_t at, float *slices, int64_t size);
    int slack;

    /* A panel of rows of floats that lie anywhere: panel[k panel_stride + i] is for i < width and k = s length + l what
     * row[i row_stride + s] has at l, and for width ≤ i < panel_stride, a multiple of the lanes, any of it. */
    void (*gather_panel)(const void *const *row, int64_t row_stride, int64_t segments, int64_t length, int64_t width,
                         float *panel, int64_t panel_stride);

    /* y[i y_pitch + j] += x[i x_pitch + j] for i < count, j < width. Up to the full vector past width y is stored as it
     * was. */
    void (*add_runs)(const float *x, int64_t x_pitch, float *y, int64_t y_pitch, int64_t width, int64_t count);

    /* y[i] += x[i] */
    void (*add)(const float *x, float *y, int64_t count);
};

/* Floats of a slice, or a strip, of so many words. */
static inline int64_t ursa_slice_floats(const struct ursa_simd_gemm *gemm, int64_t words)
{
    return (words + gemm->run - 1) / gemm->run * gemm->run * gemm->rows + gemm->slack;
}

#endif

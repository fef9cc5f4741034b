/* winograd.c — the transforms of Winograd's convolution. See winograd.h.
 *
 * A transform on both sides is two passes of the same one-dimensional
 * transform, over the columns and then over the rows, the vectors running
 * along the channels.
 */
#include "winograd.h"
#include "image.h"
#include "slice.h"

#define IN     URSA_WINOGRAD_IN
#define OUT    URSA_WINOGRAD_OUT
#define PLANES URSA_WINOGRAD_PLANES

/* The points ±P and ±Q, their squares and cubes: P² = ½, Q² = 2, P Q = 1. */
#define P  0.70710678118654752f
#define Q  1.41421356237309505f
#define P2 0.5f
#define Q2 2.0f
#define P3 0.35355339059327376f
#define Q3 2.82842712474619010f

/* y = Bᵀ x: the coefficients of the polynomials that vanish at all points but one. */
V_INLINE void transform_input(const vf x[IN], vf y[IN])
{
    vf even = vf_fnma(vf_set(Q2), x[2], x[4]), odd = vf_fnma(vf_set(Q2), x[1], x[3]);
    y[1] = vf_fma(vf_set(P), odd, even);
    y[2] = vf_fnma(vf_set(P), odd, even);
    even = vf_fnma(vf_set(P2), x[2], x[4]);
    odd = vf_fnma(vf_set(P2), x[1], x[3]);
    y[3] = vf_fma(vf_set(Q), odd, even);
    y[4] = vf_fnma(vf_set(Q), odd, even);
    y[0] = vf_fnma(vf_set(P2 + Q2), x[2], vf_add(x[0], x[4]));
    y[5] = vf_fnma(vf_set(P2 + Q2), x[3], vf_add(x[1], x[5]));
}

/* y = G x: the filter at each point, over the product of that point's distances from the others. */
V_INLINE void transform_weights(const vf x[3], vf y[IN])
{
    vf p = vf_set(1 / (2 * P2 * (P2 - Q2))), q = vf_set(1 / (2 * Q2 * (Q2 - P2)));
    vf even = vf_mul(p, vf_fma(vf_set(P2), x[2], x[0])), odd = vf_mul(p, x[1]);
    y[1] = vf_fma(vf_set(P), odd, even);
    y[2] = vf_fnma(vf_set(P), odd, even);
    even = vf_mul(q, vf_fma(vf_set(Q2), x[2], x[0]));
    odd = vf_mul(q, x[1]);
    y[3] = vf_fma(vf_set(Q), odd, even);
    y[4] = vf_fnma(vf_set(Q), odd, even);
    y[0] = x[0];
    y[5] = x[2];
}

/* y = Aᵀ x: the powers of the points. */
V_INLINE void transform_output(const vf x[IN], vf y[OUT])
{
    vf even_p = vf_add(x[1], x[2]), odd_p = vf_sub(x[1], x[2]);
    vf even_q = vf_add(x[3], x[4]), odd_q = vf_sub(x[3], x[4]);
    y[0] = vf_add(x[0], vf_add(even_p, even_q));
    y[1] = vf_fma(vf_set(P), odd_p, vf_mul(vf_set(Q), odd_q));
    y[2] = vf_fma(vf_set(P2), even_p, vf_mul(vf_set(Q2), even_q));
    y[3] = vf_add(vf_fma(vf_set(P3), odd_p, vf_mul(vf_set(Q3), odd_q)), x[5]);
}

/* y = Gᵀ x for a filter of four, and y = Aᵀ x for three outputs. */
V_INLINE void transform_gradient(const vf x[OUT], vf y[IN])
{
    vf p = vf_set(1 / (2 * P2 * (P2 - Q2))), q = vf_set(1 / (2 * Q2 * (Q2 - P2)));
    vf even = vf_mul(p, vf_fma(vf_set(P2), x[2], x[0])), odd = vf_mul(p, vf_fma(vf_set(P2), x[3], x[1]));
    y[1] = vf_fma(vf_set(P), odd, even);
    y[2] = vf_fnma(vf_set(P), odd, even);
    even = vf_mul(q, vf_fma(vf_set(Q2), x[2], x[0]));
    odd = vf_mul(q, vf_fma(vf_set(Q2), x[3], x[1]));
    y[3] = vf_fma(vf_set(Q), odd, even);
    y[4] = vf_fnma(vf_set(Q), odd, even);
    y[0] = x[0];
    y[5] = x[3];
}

V_INLINE void transform_window(const vf x[IN], vf y[3])
{
    vf even_p = vf_add(x[1], x[2]), odd_p = vf_sub(x[1], x[2]);
    vf even_q = vf_add(x[3], x[4]), odd_q = vf_sub(x[3], x[4]);
    y[0] = vf_add(x[0], vf_add(even_p, even_q));
    y[1] = vf_fma(vf_set(P), odd_p, vf_mul(vf_set(Q), odd_q));
    y[2] = vf_add(vf_fma(vf_set(P2), even_p, vf_mul(vf_set(Q2), even_q)), x[5]);
}

/* ---- input ------------------------------------------------------------------ */

/* Plane e of the tile goes to to[e stride], a vector of channels each. */
V_INLINE void input_tile(const void *const *pixel, int64_t c, int64_t lanes, float *to, int64_t stride,
                         const ursa_dtype type)
{
    vf half[IN][IN];
    for (int column = 0; column < IN; column++) {
        vf x[IN], y[IN];
        UNROLL
        for (int row = 0; row < IN; row++)
            x[row] = load_image(pixel[row * IN + column], c, lanes, type);
        transform_input(x, y);
        UNROLL
        for (int row = 0; row < IN; row++)
            half[row][column] = y[row];
    }
    for (int row = 0; row < IN; row++) {
        vf y[IN];
        transform_input(half[row], y);
        UNROLL
        for (int column = 0; column < IN; column++)
            vf_store(to + (row * IN + column) * stride, y[column]);
    }
}

V_INLINE void input(const void *const *pixel, int64_t channels, float *slice, int64_t plane_stride,
                    const ursa_dtype type)
{
    float tile[PLANES][ROWS][V_LANES] __attribute__((aligned(64)));
    for (int64_t c = 0; c < channels; c += V_LANES) {
        int64_t lanes = channels - c < V_LANES ? channels - c : V_LANES;
        for (int r = 0; r < ROWS; r++)
            input_tile(pixel + r * PLANES, c, lanes, tile[0][r], ROWS * V_LANES, type);
        for (int e = 0; e < PLANES; e++) {
            const float *from[ROWS];
            UNROLL
            for (int r = 0; r < ROWS; r++)
                from[r] = tile[e][r];
            gather_blocks(from, NULL, lanes, slice + e * plane_stride + c * ROWS);
        }
    }
}

/* ---- weights ---------------------------------------------------------------- */

V_INLINE void weights_tile(const float *w, const int64_t tap[9], int64_t lanes, float *to, const int64_t stride)
{
    vf half[IN][3];
    for (int column = 0; column < 3; column++) {
        vf x[3], y[IN];
        UNROLL
        for (int row = 0; row < 3; row++) {
            const float *from = w + tap[row * 3 + column];
            x[row] = lanes == V_LANES ? vf_load(from) : vf_load_n(from, lanes);
        }
        transform_weights(x, y);
        UNROLL
        for (int row = 0; row < IN; row++)
            half[row][column] = y[row];
    }
    for (int row = 0; row < IN; row++) {
        vf y[IN];
        transform_weights(half[row], y);
        UNROLL
        for (int column = 0; column < IN; column++)
            vf_store(to + (row * IN + column) * stride, y[column]);
    }
}

/* The vectors run along the rows of the panel. */
static void weights_along(const float *w, const int64_t tap[9], int64_t k_stride, int64_t length, int64_t width,
                          float *panel, int64_t plane_stride)
{
    for (int64_t k = 0; k < length; k++, w += k_stride, panel += COLUMNS)
        for (int64_t j = 0; j < COLUMNS; j += V_LANES) {
            int64_t lanes = width - j < V_LANES ? width - j : V_LANES;
            if (lanes > 0)
                weights_tile(w + j, tap, lanes, panel + j, plane_stride);
            else
                for (int e = 0; e < PLANES; e++)
                    vf_store(panel + e * plane_stride + j, vf_zero());
        }
}

#define LINE 16 /* floats in a line of the cache */

/* V_BLOCK floats of as many columns from j on, turned over; none of the columns from `width` on. */
V_INLINE void turn_weights(const float *w, int64_t j_stride, int64_t j, int64_t width, float *to)
{
    static const float zero[V_BLOCK];
    v_row row[V_BLOCK];
    for (int64_t i = 0; i < V_BLOCK; i++)
        row[i] = v_row_load(j + i < width ? w + (j + i) * j_stride : zero);
    v_turn(row);
    for (int64_t i = 0; i < V_BLOCK; i++)
        v_row_store(to + i * V_LANES, row[i]);
}

/* They run across them: the taps of V_LANES columns are turned over, a line of the cache at a time, and then
 * transformed. */
static void weights_across(const float *w, const int64_t tap[9], int64_t j_stride, int64_t length, int64_t width,
                           float *panel, int64_t plane_stride)
{
    float turned[9][LINE][V_LANES] __attribute__((aligned(64)));
    int64_t turned_tap[9];
    for (int t = 0; t < 9; t++)
        turned_tap[t] = turned[t][0] - turned[0][0];
    for (int64_t j = 0; j < COLUMNS; j += V_LANES)
        for (int64_t k = 0; k < length; k += LINE) {
            int64_t count = length - k < LINE ? length - k : LINE;
            for (int t = 0; t < 9; t++)
                for (int64_t block = 0; block < V_LANES; block += V_BLOCK)
                    for (int64_t i = 0; i < count; i += V_BLOCK)
                        turn_weights(w + tap[t] + k + i, j_stride, j + block, width, turned[t][i] + block);
            for (int64_t i = 0; i < count; i++)
                weights_tile(turned[0][i], turned_tap, V_LANES, panel + (k + i) * COLUMNS + j, plane_stride);
        }
}

static void weights(const float *w, const int64_t tap[9], int64_t k_stride, int64_t j_stride, int64_t length,
                    int64_t width, float *panel, int64_t plane_stride)
{
    if (j_stride == 1)
        weights_along(w, tap, k_stride, length, width, panel, plane_stride);
    else
        weights_across(w, tap, j_stride, length, width, panel, plane_stride);
}

/* ---- output ----------------------------------------------------------------- */

V_INLINE void output_vectors(const float *sum, int64_t plane_stride, int64_t c, int64_t lanes, const float *bias,
                             bool relu, void *const pixel[16], const ursa_dtype type)
{
    vf half[OUT][IN];
    for (int column = 0; column < IN; column++) {
        vf x[IN], y[OUT];
        UNROLL
        for (int row = 0; row < IN; row++)
            x[row] = vf_load(sum + (row * IN + column) * plane_stride + c);
        transform_output(x, y);
        UNROLL
        for (int row = 0; row < OUT; row++)
            half[row][column] = y[row];
    }
    vf shift = !bias ? vf_zero() : lanes == V_LANES ? vf_load(bias + c) : vf_load_n(bias + c, lanes);
    for (int row = 0; row < OUT; row++) {
        vf y[OUT];
        transform_output(half[row], y);
        for (int column = 0; column < OUT; column++) {
            vf value = vf_add(y[column], shift);
            value = relu ? vf_max(vf_zero(), value) : value;
            if (pixel[row * OUT + column])
                store_image(pixel[row * OUT + column], c, value, lanes, type);
        }
    }
}

V_INLINE void output(const float *sum, int64_t plane_stride, int64_t channels, const float *bias, bool relu,
                     void *const pixel[16], const ursa_dtype type)
{
    int64_t c = 0;
    for (; c + V_LANES <= channels; c += V_LANES)
        output_vectors(sum, plane_stride, c, V_LANES, bias, relu, pixel, type);
    if (c < channels)
        output_vectors(sum, plane_stride, c, channels - c, bias, relu, pixel, type);
}

/* ---- gradient to the weights -------------------------------------------------- */

V_INLINE void gradient_x(const void *const pixel[PLANES], int64_t channels, float *panel, int64_t panel_stride,
                         int64_t plane_stride, const ursa_dtype type)
{
    for (int64_t c = 0; c < channels; c += V_LANES) {
        float *to = panel + c / COLUMNS * panel_stride + c % COLUMNS;
        if (c + V_LANES <= channels)
            input_tile(pixel, c, V_LANES, to, plane_stride, type);
        else
            input_tile(pixel, c, channels - c, to, plane_stride, type);
    }
}

V_INLINE void gradient_tile(const void *const *pixel, int64_t c, int64_t lanes, float *to, int64_t stride,
                            const ursa_dtype type)
{
    vf half[IN][OUT];
    for (int column = 0; column < OUT; column++) {
        vf x[OUT], y[IN];
        UNROLL
        for (int row = 0; row < OUT; row++)
            x[row] = load_image(pixel[row * OUT + column], c, lanes, type);
        transform_gradient(x, y);
        UNROLL
        for (int row = 0; row < IN; row++)
            half[row][column] = y[row];
    }
    for (int row = 0; row < IN; row++) {
        vf y[IN];
        transform_gradient(half[row], y);
        UNROLL
        for (int column = 0; column < IN; column++)
            vf_store(to + (row * IN + column) * stride, y[column]);
    }
}

/* Vectors begin where slices do, so that they overlap where a slice is no whole number of them. */
V_INLINE void gradient_dy(const void *const pixel[OUT * OUT], int64_t channels, int64_t readable, float *slice,
                          int64_t slice_stride, int64_t plane_stride, const ursa_dtype type)
{
    for (int64_t c = 0; c < channels; c += ROWS, slice += slice_stride)
        for (int64_t v = 0; v < ROWS && c + v < readable; v += V_LANES) {
            int64_t left = readable - c - v;
            if (left >= V_LANES)
                gradient_tile(pixel, c + v, V_LANES, slice + v, plane_stride, type);
            else
                gradient_tile(pixel, c + v, left, slice + v, plane_stride, type);
        }
}

static void gradient_output(const float *sum, int64_t plane_stride, int64_t channels, float *dw, int64_t tap_stride)
{
    for (int64_t c = 0; c < channels; c += V_LANES) {
        vf half[3][IN];
        for (int column = 0; column < IN; column++) {
            vf x[IN], y[3];
            UNROLL
            for (int row = 0; row < IN; row++)
                x[row] = vf_load(sum + (row * IN + column) * plane_stride + c);
            transform_window(x, y);
            UNROLL
            for (int row = 0; row < 3; row++)
                half[row][column] = y[row];
        }
        for (int row = 0; row < 3; row++) {
            vf y[3];
            transform_window(half[row], y);
            for (int column = 0; column < 3; column++) {
                float *to = dw + (row * 3 + column) * tap_stride + c;
                if (c + V_LANES <= channels)
                    vf_store(to, y[column]);
                else
                    vf_store_n(to, y[column], channels - c);
            }
        }
    }
}

/* ---- the types of images ------------------------------------------------------ */

#define OF_TYPE(type)                                                                                                  \
    static void input_##type(const void *const *pixel, int64_t channels, float *slice, int64_t plane_stride)           \
    {                                                                                                                  \
        input(pixel, channels, slice, plane_stride, URSA_##type);                                                      \
    }                                                                                                                  \
    static void output_##type(const float *sum, int64_t plane_stride, int64_t channels, const float *bias, bool relu,  \
                              void *const pixel[16])                                                                   \
    {                                                                                                                  \
        output(sum, plane_stride, channels, bias, relu, pixel, URSA_##type);                                           \
    }                                                                                                                  \
    static void gradient_x_##type(const void *const pixel[PLANES], int64_t channels, float *panel,                     \
                                  int64_t panel_stride, int64_t plane_stride)                                          \
    {                                                                                                                  \
        gradient_x(pixel, channels, panel, panel_stride, plane_stride, URSA_##type);                                   \
    }                                                                                                                  \
    static void gradient_dy_##type(const void *const pixel[OUT * OUT], int64_t channels, int64_t readable,             \
                                   float *slice, int64_t slice_stride, int64_t plane_stride)                           \
    {                                                                                                                  \
        gradient_dy(pixel, channels, readable, slice, slice_stride, plane_stride, URSA_##type);                        \
    }
OF_TYPE(F32)
OF_TYPE(F16)
OF_TYPE(BF16)

#define TYPES(name)                                                                                                    \
    {                                                                                                                  \
        [URSA_F32] = name##_F32, [URSA_F16] = name##_F16, [URSA_BF16] = name##_BF16                                    \
    }

const struct ursa_simd_winograd SIMD(ursa_simd_winograd) = {
    .input = TYPES(input),
    .weights = weights,
    .output = TYPES(output),
    .gradient_x = TYPES(gradient_x),
    .gradient_dy = TYPES(gradient_dy),
    .gradient_output = gradient_output,
};

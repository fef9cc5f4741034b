/* window.h — which input pixel lies under which tap of a convolution.
 *
 * A window produces a grid of pixels. Pixel (j, i) of the grid reads the
 * pixels (j stride[0] + tap_row[t], i stride[1] + tap_column[t]) of `image`,
 * those outside it as zero, and is written to (out_first + (j, i) out_step) of
 * `out`. Forward convolution, gradient to the input and its phases for every
 * stride are all windows.
 */
#ifndef URSA_DEVICE_CPU_WINDOW_H
#define URSA_DEVICE_CPU_WINDOW_H

#include "device/conv_method.h"
#include "device/cpu/product.h"

struct ursa_window {
    const char *image; /* [images, height, width], `pitch` bytes to a pixel */
    int64_t images, height, width, pitch;
    int64_t top;         /* the row with which `image` begins, counted through all images */
    int64_t group_pitch; /* bytes from the channels of one group to those of the next */

    int64_t grid[2], stride[2];
    int64_t taps;
    const int64_t *tap_row, *tap_column;
    int64_t *tap_offset; /* bytes from tap (0, 0) */
    int64_t tap_low[2], tap_high[2];

    char *out;
    int64_t out_height, out_width, out_pitch, out_group_pitch; /* pitches in bytes */
    int64_t out_first[2], out_step[2];

    const void *zero; /* as many zeros as a tap reads */
};

/* The pointers of pixels begin … end-1 of the grid, counted through all
 * images; as `find` of struct ursa_product, with the window as its context. */
void ursa_window_find(const void *window, int64_t group, int64_t begin, int64_t end, const void **tap, void **out);

/* Writes zero to pixels of `out` that lie between those of the grid, each once for all the grid: what belongs to pixels
 * begin … end-1. As `clear` of struct ursa_product. */
void ursa_window_clear(const void *window, int64_t group, int64_t begin, int64_t end);

/* The extent and geometry of a convolution, by name. */
struct ursa_conv_shape {
    int64_t images, height, width, channels; /* of x */
    int64_t out_height, out_width, out_channels;
    int64_t kernel[2], stride[2], pad[2], dilation[2];
    int64_t groups, group_in, group_out; /* channels of a group: as a tap reads them from x, and of out */
    ursa_dtype x_type, w_type, out_type; /* f32 or one half type; of their gradients, where these are meant */
};

struct ursa_conv_shape ursa_conv_shape_of(const ursa_conv_geometry *geometry, const ursa_array *x, const ursa_array *w,
                                          const ursa_array *out);

/* Room for the taps of a window; `weight` says where in an [KH, KW, I] filter the weights of a tap begin. */
struct ursa_taps {
    int64_t *row, *column, *offset, *weight;
};
bool ursa_taps_new(struct ursa_taps *taps, const struct ursa_conv_shape *shape);
void ursa_taps_free(struct ursa_taps *taps);

/* The weights as floats, rounded to the half type of the images if they have one; NULL: out of memory. They stay until
 * the thread next asks for some. */
const float *ursa_conv_weights(const struct ursa_conv_shape *shape, const void *w, ursa_dtype images);

/* The window that the forward convolution is: x read, out written. */
struct ursa_window ursa_window_forward(const struct ursa_conv_shape *shape, struct ursa_taps *taps, const void *x,
                                       void *out);

/* The gradient to the input: dy read, dx written.
 *
 * x[i] met dy[o] under tap k where o stride - pad + k dilation = i. For one
 * residue of i by the stride the taps that divide evenly are always the same
 * ones: i = first + j stride reads dy[j + (first + pad - k dilation) / stride].
 * So the gradient falls into stride × stride phases, each a window of stride 1
 * over dy with its own few taps, and no product with an inserted zero is ever
 * taken. A phase may have no taps at all: its pixels are zero. */
int64_t ursa_window_phases(const struct ursa_conv_shape *shape);
struct ursa_window ursa_window_phase(const struct ursa_conv_shape *shape, struct ursa_taps *taps, int64_t phase,
                                     const void *dy, void *dx);

/* The method for a convolution or its gradient (conv_choice.c); no extent is 0. */
enum ursa_conv_method {
    URSA_CONV_DIRECT,
    URSA_CONV_WINOGRAD,
    URSA_CONV_STEM,
    URSA_CONV_DEPTHWISE,
    URSA_CONV_GROUPED,
};
enum ursa_conv_method ursa_conv_choose(const struct ursa_conv_shape *shape, ursa_conv_pass pass);

/* Few channels and a window of several (conv_stem.c): the same convolution as
 * one with KH taps over a copy of x with its border of zeros. In the shape of
 * the copy, group_in is longer than a pixel. */
bool ursa_stem_applies(const struct ursa_conv_shape *shape);
struct ursa_conv_shape ursa_stem_shape(const struct ursa_conv_shape *shape);
const void *ursa_stem_image(const struct ursa_conv_shape *shape, const struct ursa_conv_shape *stem, const void *x);
bool ursa_stem_grad_input(const struct ursa_conv_shape *shape, const void *dy, const void *w, void *dx);

/* Winograd's method for 3 × 3 windows of stride 1 (conv_winograd.c), where it takes less time than the direct one. */
static inline bool ursa_winograd_is_suitable(const struct ursa_conv_shape *s)
{
    return s->groups == 1 && s->kernel[0] == 3 && s->kernel[1] == 3 && s->stride[0] == 1 && s->stride[1] == 1 &&
           s->dilation[0] == 1 && s->dilation[1] == 1;
}
bool ursa_winograd_applies(const struct ursa_conv_shape *shape);
bool ursa_winograd_grad_input_applies(const struct ursa_conv_shape *shape);
bool ursa_winograd_forward(const struct ursa_conv_shape *shape, const void *x, const void *w, const float *bias,
                           const ursa_activation *activation, struct ursa_moments *moments, void *out);
bool ursa_winograd_grad_input(const struct ursa_conv_shape *shape, const void *dy, const void *w, void *dx);
bool ursa_winograd_grad_weight_applies(const struct ursa_conv_shape *shape); /* conv_winograd_weight.c */
bool ursa_winograd_grad_weight(const struct ursa_conv_shape *shape, const void *x, const void *dy, float *dw);

/* Methods gather the moments of out where they are wanted and they can (see moments.h). */

/* One filter to a channel (depthwise.c), and images of the same type, or what is written of floats. dw is of floats. */
bool ursa_depthwise_applies(const struct ursa_conv_shape *shape, ursa_conv_pass pass);
bool ursa_depthwise_forward(const struct ursa_conv_shape *shape, const void *x, const void *w, const float *bias,
                            const ursa_activation *activation, struct ursa_moments *moments, void *out);
bool ursa_depthwise_grad_input(const struct ursa_conv_shape *shape, const void *dy, const void *w, void *dx);
bool ursa_depthwise_grad_weight(const struct ursa_conv_shape *shape, const void *x, const void *dy, float *dw);
/* Sums of the kernels of simd/conv.h, activated, rounded where out_type is a half type. */
struct ursa_depthwise;
void ursa_depthwise_sum(const struct ursa_depthwise *sums, ursa_dtype type, ursa_dtype out_type,
                        const ursa_activation *activation);

/* Groups that read few channels (conv_grouped.c), of any types. */
bool ursa_grouped_applies(const struct ursa_conv_shape *shape, ursa_conv_pass pass);
bool ursa_grouped_forward(const struct ursa_conv_shape *shape, const void *x, const void *w, const float *bias,
                          const ursa_activation *activation, void *out);
bool ursa_grouped_grad_input(const struct ursa_conv_shape *shape, const void *dy, const void *w, void *dx);
bool ursa_grouped_grad_weight(const struct ursa_conv_shape *shape, const void *x, const void *dy, float *dw);

#endif

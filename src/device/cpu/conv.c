/* conv.c — convolution and its gradient to the input, as products whose rows
 * are found through windows.
 */
#include "device/cpu/moments.h"
#include "device/cpu/window.h"
#include "base/memory.h"
#include "base/parallel.h"

#include <string.h>

/* What taps outside the image read. */
static const void *zeros(int64_t count)
{
    void *zero = ursa_scratch(URSA_SLOT_ZEROS, (size_t)(count + 1) * sizeof(float));
    if (zero)
        memset(zero, 0, (size_t)(count + 1) * sizeof(float));
    return zero;
}

/* ---- forward ----------------------------------------------------------------- */

static bool forward(const struct ursa_conv_shape *s, const void *x, const void *w, const float *bias,
                    const ursa_activation *activation, struct ursa_moments *moments, void *out)
{
    struct ursa_taps taps;
    if (!ursa_taps_new(&taps, s))
        return false;
    struct ursa_window window = ursa_window_forward(s, &taps, x, out);
    window.zero = zeros(s->group_in);
    int64_t filter = window.taps * s->group_in;
    struct ursa_product product = {
        .a = s->x_type,
        .b = s->w_type,
        .out = s->out_type,
        .groups = s->groups,
        .rows = s->images * s->out_height * s->out_width,
        .columns = s->group_out,
        .segments = window.taps,
        .length = s->group_in,
        .step = 1,
        .factor = {.data = w, .k_stride = 1, .j_stride = filter, .group_stride = s->group_out * filter},
        .find = ursa_window_find,
        .context = &window,
        .bias = bias,
        .bias_stride = s->group_out,
        .alpha = 1,
        .activation = *activation,
        .moments = moments,
    };
    bool done = window.zero && ursa_product_run(&product);
    ursa_taps_free(&taps);
    return done;
}

static bool convolve(const struct ursa_conv_shape *s, const struct ursa_conv2d_args *args, struct ursa_moments *moments)
{
    const void *x = ursa_cpu_data(&args->x), *w = ursa_cpu_data(&args->w);
    const float *bias = ursa_cpu_f32(&args->bias);
    void *out = ursa_cpu_data(&args->out);
    switch (ursa_conv_choose(s, URSA_CONV_FORWARD)) {
    case URSA_CONV_DEPTHWISE:
        return ursa_depthwise_forward(s, x, w, bias, &args->activation, moments, out);
    case URSA_CONV_GROUPED:
        return ursa_grouped_forward(s, x, w, bias, &args->activation, out);
    case URSA_CONV_WINOGRAD:
        return ursa_winograd_forward(s, x, w, bias, &args->activation, moments, out);
    case URSA_CONV_STEM: {
        struct ursa_conv_shape stem = ursa_stem_shape(s);
        const void *padded = ursa_stem_image(s, &stem, x);
        return padded && forward(&stem, padded, w, bias, &args->activation, moments, out);
    }
    default:
        return forward(s, x, w, bias, &args->activation, moments, out);
    }
}

bool ursa_cpu_conv2d(ursa_device *device, const struct ursa_conv2d_args *args)
{
    (void)device;
    struct ursa_conv_shape s = ursa_conv_shape_of(&args->geometry, &args->x, &args->w, &args->out);
    if (ursa_array_count(&args->out) == 0)
        return true;
    float *mean = ursa_cpu_f32(&args->mean), *var = ursa_cpu_f32(&args->var);
    struct ursa_moments moments = {.dtype = s.out_type, .columns = s.out_channels};
    if (!convolve(&s, args, mean ? &moments : NULL))
        return false;
    return !mean ||
           (moments.parts ? ursa_moments_finish(&moments, mean, var) : ursa_cpu_channel_moments(&args->out, mean, var));
}

/* ---- gradient to the input ---------------------------------------------------- */

static void clear(void *context, int64_t begin, int64_t end)
{
    memset((char *)context + begin, 0, (size_t)(end - begin));
}

/* Whether no tap ever touches some input pixels, because the window is smaller than its stride. */
static bool has_gaps(const struct ursa_conv_shape *s)
{
    return s->kernel[0] < s->stride[0] || s->kernel[1] < s->stride[1];
}

/* Whether a single tap touches some: one phase then writes all there is between the gaps. */
static bool is_point(const struct ursa_conv_shape *s)
{
    int64_t row = ursa_ceil_div(s->pad[0], s->stride[0]) * s->stride[0] - s->pad[0];
    int64_t column = ursa_ceil_div(s->pad[1], s->stride[1]) * s->stride[1] - s->pad[1];
    return s->kernel[0] == 1 && s->kernel[1] == 1 && row < s->height && column < s->width;
}

static bool clear_image(const struct ursa_conv_shape *s, void *dx)
{
    int64_t count = s->images * s->height * s->width * s->channels;
    return ursa_parallel_range(count * (int64_t)ursa_dtype_size(s->x_type), 262144, clear, dx);
}

static bool grad_input(const struct ursa_conv_shape *s, const void *dy, const void *w, void *dx)
{
    struct ursa_taps taps;
    if (!ursa_taps_new(&taps, s))
        return false;
    const void *zero = zeros(s->group_out);
    bool gaps = has_gaps(s), point = is_point(s);
    bool done = zero && (!gaps || point || clear_image(s, dx));
    int64_t filter = s->kernel[0] * s->kernel[1] * s->group_in;
    for (int64_t phase = 0; done && phase < ursa_window_phases(s); phase++) {
        struct ursa_window window = ursa_window_phase(s, &taps, phase, dy, dx);
        window.zero = zero;
        if (window.taps == 0 && gaps)
            continue;
        struct ursa_product product = {
            .a = s->out_type,
            .b = s->w_type,
            .out = s->x_type,
            .groups = s->groups,
            .rows = s->images * window.grid[0] * window.grid[1],
            .columns = s->group_in,
            .segments = window.taps,
            .length = s->group_out,
            .step = 1,
            .factor = {.data = w,
                       .segment = taps.weight,
                       .k_stride = filter,
                       .j_stride = 1,
                       .group_stride = s->group_out * filter},
            .find = ursa_window_find,
            .clear = gaps && point ? ursa_window_clear : NULL,
            .context = &window,
            .alpha = 1,
        };
        done = ursa_product_run(&product);
    }
    ursa_taps_free(&taps);
    return done;
}

bool ursa_cpu_conv2d_grad_input(ursa_device *device, const struct ursa_conv2d_grad_input_args *args)
{
    (void)device;
    struct ursa_conv_shape s = ursa_conv_shape_of(&args->geometry, &args->dx, &args->w, &args->dy);
    const void *dy = ursa_cpu_data(&args->dy), *w = ursa_cpu_data(&args->w);
    void *dx = ursa_cpu_data(&args->dx);
    if (ursa_array_count(&args->dx) == 0)
        return true;
    switch (ursa_conv_choose(&s, URSA_CONV_GRAD_INPUT)) {
    case URSA_CONV_DEPTHWISE:
        return ursa_depthwise_grad_input(&s, dy, w, dx);
    case URSA_CONV_GROUPED:
        return ursa_grouped_grad_input(&s, dy, w, dx);
    case URSA_CONV_WINOGRAD:
        return ursa_winograd_grad_input(&s, dy, w, dx);
    case URSA_CONV_STEM:
        return ursa_stem_grad_input(&s, dy, w, dx);
    default:
        return grad_input(&s, dy, w, dx);
    }
}

/* products.c — the matrix product and the convolutions, by their definitions. */
#include "reference64.h"
#include "view.h"

/* What is multiplied: where one of the factors has a half type, both are
 * rounded to it. */
static double rounded(ursa_dtype half, double value)
{
    return half == URSA_F16    ? (double)ursa_f32_from_f16(ursa_f16_from_f32((float)value))
           : half == URSA_BF16 ? (double)ursa_f32_from_bf16(ursa_bf16_from_f32((float)value))
                               : value;
}

static ursa_dtype half_of(const ursa_array *x, const ursa_array *y)
{
    return x->dtype != URSA_F32 ? x->dtype : y->dtype;
}

bool reference64_gemm(ursa_device *device, const struct ursa_gemm_args *args)
{
    (void)device;
    const ursa_array *x = &args->x, *y = &args->y, *out = &args->out;
    const double *bias = doubles(&args->bias);
    double alpha = (double)args->alpha, beta = (double)args->beta;
    ursa_dtype half = half_of(x, y);
    for (int64_t b = 0; b < out->shape[0]; b++)
        for (int64_t m = 0; m < out->shape[1]; m++)
            for (int64_t n = 0; n < out->shape[2]; n++) {
                const double *row = doubles(x) + b * x->stride[0] + m * x->stride[1];
                const double *column = doubles(y) + b * y->stride[0] + n * y->stride[2];
                double *to = doubles(out) + (b * out->shape[1] + m) * out->shape[2] + n;
                double sum = 0;
                for (int64_t k = 0; k < x->shape[2]; k++)
                    sum += rounded(half, row[k * x->stride[2]]) * rounded(half, column[k * y->stride[1]]);
                sum *= alpha;
                if (beta != 0)
                    sum += beta * *to;
                if (bias)
                    sum += bias[n];
                *to = reference64_activate(&args->activation, sum);
            }
    return true;
}

/* All three convolutions visit the same products x w dy; they differ in which
 * of the three is summed into. */
typedef void product_task(ursa_dtype half, double *x, double *w, double *y);

static void each_product(const ursa_conv_geometry *g, ursa_dtype half, const ursa_array *x, const ursa_array *w,
                         const ursa_array *y, product_task *visit)
{
    int64_t rows = x->shape[1], columns = x->shape[2], channels = x->shape[3];
    int64_t group_in = w->shape[3], group_out = w->shape[0] / g->groups;
    for (int64_t n = 0; n < y->shape[0]; n++)
        for (int64_t oh = 0; oh < y->shape[1]; oh++)
            for (int64_t ow = 0; ow < y->shape[2]; ow++)
                for (int64_t o = 0; o < w->shape[0]; o++)
                    for (int64_t kh = 0; kh < w->shape[1]; kh++)
                        for (int64_t kw = 0; kw < w->shape[2]; kw++) {
                            int64_t h = oh * g->stride[0] - g->pad[0] + kh * g->dilation[0];
                            int64_t v = ow * g->stride[1] - g->pad[1] + kw * g->dilation[1];
                            if (h < 0 || h >= rows || v < 0 || v >= columns)
                                continue;
                            double *from =
                                doubles(x) + ((n * rows + h) * columns + v) * channels + o / group_out * group_in;
                            double *weight = doubles(w) + ((o * w->shape[1] + kh) * w->shape[2] + kw) * group_in;
                            double *to = doubles(y) + ((n * y->shape[1] + oh) * y->shape[2] + ow) * w->shape[0] + o;
                            for (int64_t c = 0; c < group_in; c++)
                                visit(half, from + c, weight + c, to);
                        }
}

static void into_output(ursa_dtype half, double *x, double *w, double *y)
{
    *y += rounded(half, *x) * rounded(half, *w);
}

static void into_input(ursa_dtype half, double *x, double *w, double *y)
{
    *x += rounded(half, *w) * rounded(half, *y);
}

static void into_weight(ursa_dtype half, double *x, double *w, double *y)
{
    *w += rounded(half, *x) * rounded(half, *y);
}

static void clear(const ursa_array *array)
{
    int64_t count = count_of(array);
    for (int64_t i = 0; i < count; i++)
        doubles(array)[i] = 0;
}

bool reference64_conv2d(ursa_device *device, const struct ursa_conv2d_args *args)
{
    (void)device;
    const double *bias = doubles(&args->bias);
    int64_t count = count_of(&args->out), channels = args->out.shape[3];
    clear(&args->out);
    each_product(&args->geometry, half_of(&args->x, &args->w), &args->x, &args->w, &args->out, into_output);
    for (int64_t i = 0; i < count; i++) {
        double *to = doubles(&args->out) + i;
        *to = reference64_activate(&args->activation, *to + (bias ? bias[i % channels] : 0));
    }
    for (int64_t c = 0; present(&args->mean) && c < channels; c++) {
        double mean = reference64_mean(doubles(&args->out), count / channels, channels, c);
        doubles(&args->mean)[c] = mean;
        doubles(&args->var)[c] = reference64_variance(doubles(&args->out), count / channels, channels, c, mean);
    }
    return true;
}

bool reference64_conv2d_grad_input(ursa_device *device, const struct ursa_conv2d_grad_input_args *args)
{
    (void)device;
    clear(&args->dx);
    each_product(&args->geometry, half_of(&args->w, &args->dy), &args->dx, &args->w, &args->dy, into_input);
    return true;
}

bool reference64_conv2d_grad_weight(ursa_device *device, const struct ursa_conv2d_grad_weight_args *args)
{
    (void)device;
    clear(&args->dw);
    each_product(&args->geometry, half_of(&args->x, &args->dy), &args->x, &args->dw, &args->dy, into_weight);
    return true;
}

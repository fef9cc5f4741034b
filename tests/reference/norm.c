/* norm.c — batch normalisation, group normalisation and their gradients. */
#include "reference64.h"
#include "view.h"

static double or_else(const double *values, int64_t i, double otherwise)
{
    return values ? values[i] : otherwise;
}

double reference64_mean(const double *x, int64_t rows, int64_t channels, int64_t c)
{
    double sum = 0;
    for (int64_t i = 0; i < rows; i++)
        sum += x[i * channels + c];
    return sum / (double)rows;
}

double reference64_variance(const double *x, int64_t rows, int64_t channels, int64_t c, double mean)
{
    double sum = 0;
    for (int64_t i = 0; i < rows; i++)
        sum += (x[i * channels + c] - mean) * (x[i * channels + c] - mean);
    return sum / (double)rows;
}

/* Every axis but the last as one. */
static int64_t rows_of(const ursa_array *x)
{
    int64_t rows = 1;
    for (int axis = 0; axis < x->ndim - 1; axis++)
        rows *= x->shape[axis];
    return rows;
}

static double end_with(const ursa_activation *activation, double y)
{
    return activation->used ? reference64_function(activation->kind, y, 0, 0) : y;
}

/* dy where the output lets it pass. */
static double passed(const struct ursa_batch_norm_grad_args *args, int64_t i, int64_t c)
{
    double dy = doubles(&args->dy)[i];
    if (!args->activation.used)
        return dy;
    double normal = (doubles(&args->x)[i] - doubles(&args->mean)[c]) * doubles(&args->inv_std)[c];
    double again = normal * or_else(doubles(&args->scale), c, 1) + or_else(doubles(&args->shift), c, 0);
    double y = or_else(doubles(&args->y), i, again);
    return y > 0 && (args->activation.kind == URSA_UNARY_relu || y < 6) ? dy : 0;
}

bool reference64_batch_norm(ursa_device *device, const struct ursa_batch_norm_args *args)
{
    (void)device;
    int64_t channels = args->x.shape[args->x.ndim - 1], rows = rows_of(&args->x);
    const double *x = doubles(&args->x), *scale = doubles(&args->scale), *shift = doubles(&args->shift);
    double *running_mean = doubles(&args->running_mean), *running_var = doubles(&args->running_var);
    const double *residual = doubles(&args->residual);
    double *out = doubles(&args->out), momentum = (double)args->momentum, eps = (double)args->eps;
    for (int64_t c = 0; c < channels; c++) {
        double mean, inv_std;
        if (args->training) {
            mean = reference64_mean(x, rows, channels, c);
            double var = reference64_variance(x, rows, channels, c, mean);
            if (present(&args->batch_mean)) {
                mean = doubles(&args->batch_mean)[c];
                var = doubles(&args->batch_var)[c];
            }
            inv_std = 1 / sqrt(var + eps);
            doubles(&args->mean)[c] = mean;
            doubles(&args->inv_std)[c] = inv_std;
            if (running_mean)
                running_mean[c] = (1 - momentum) * running_mean[c] + momentum * mean;
            if (running_var)
                running_var[c] = (1 - momentum) * running_var[c] + momentum * var * (double)rows / (double)(rows - 1);
        } else {
            mean = running_mean[c];
            inv_std = 1 / sqrt(running_var[c] + eps);
        }
        for (int64_t i = 0; i < rows; i++) {
            double normal = (x[i * channels + c] - mean) * inv_std;
            double y = normal * or_else(scale, c, 1) + or_else(shift, c, 0) + or_else(residual, i * channels + c, 0);
            out[i * channels + c] = end_with(&args->activation, y);
        }
    }
    return true;
}

bool reference64_batch_norm_grad(ursa_device *device, const struct ursa_batch_norm_grad_args *args)
{
    (void)device;
    int64_t channels = args->x.shape[args->x.ndim - 1], rows = rows_of(&args->x);
    const double *x = doubles(&args->x), *scale = doubles(&args->scale);
    double *dx = doubles(&args->dx), *dscale = doubles(&args->dscale), *dshift = doubles(&args->dshift);
    double *dresidual = doubles(&args->dresidual);
    for (int64_t c = 0; c < channels; c++) {
        double mean = doubles(&args->mean)[c], inv_std = doubles(&args->inv_std)[c];
        double sum = 0, product = 0; /* of dy, and of dy and the normalised x */
        for (int64_t i = c; i < rows * channels; i += channels) {
            sum += passed(args, i, c);
            product += passed(args, i, c) * (x[i] - mean) * inv_std;
        }
        if (dscale)
            dscale[c] = product;
        if (dshift)
            dshift[c] = sum;
        for (int64_t i = c; i < rows * channels; i += channels) {
            double normal = (x[i] - mean) * inv_std, g = passed(args, i, c);
            double centred = args->training ? g - sum / (double)rows - normal * product / (double)rows : g;
            if (dresidual)
                dresidual[i] = g;
            if (dx)
                dx[i] = or_else(scale, c, 1) * inv_std * centred;
        }
    }
    return true;
}

/* The elements of one group: S rows of `width` channels out of C. */
typedef struct group {
    int64_t first, rows, stride, width, channel;
} group;

static group group_of(const ursa_array *x, int groups, int64_t n, int64_t g)
{
    int64_t width = x->shape[2] / groups;
    return (group){n * x->shape[1] * x->shape[2] + g * width, x->shape[1], x->shape[2], width, g * width};
}

bool reference64_group_norm(ursa_device *device, const struct ursa_group_norm_args *args)
{
    (void)device;
    const double *x = doubles(&args->x), *scale = doubles(&args->scale), *shift = doubles(&args->shift);
    double *out = doubles(&args->out);
    for (int64_t n = 0; n < args->x.shape[0]; n++)
        for (int64_t g = 0; g < args->groups; g++) {
            group part = group_of(&args->x, args->groups, n, g);
            double size = (double)(part.rows * part.width), mean = 0, var = 0;
            for (int64_t s = 0; s < part.rows; s++)
                for (int64_t c = 0; c < part.width; c++)
                    mean += x[part.first + s * part.stride + c] / size;
            for (int64_t s = 0; s < part.rows; s++)
                for (int64_t c = 0; c < part.width; c++) {
                    double distance = x[part.first + s * part.stride + c] - mean;
                    var += distance * distance / size;
                }
            double inv_std = 1 / sqrt(var + (double)args->eps);
            doubles(&args->mean)[n * args->groups + g] = mean;
            doubles(&args->inv_std)[n * args->groups + g] = inv_std;
            for (int64_t s = 0; s < part.rows; s++)
                for (int64_t c = 0; c < part.width; c++) {
                    int64_t i = part.first + s * part.stride + c;
                    out[i] = (x[i] - mean) * inv_std * or_else(scale, part.channel + c, 1) +
                             or_else(shift, part.channel + c, 0);
                }
        }
    return true;
}

static void clear(double *values, int64_t count)
{
    for (int64_t i = 0; values && i < count; i++)
        values[i] = 0;
}

bool reference64_group_norm_grad(ursa_device *device, const struct ursa_group_norm_grad_args *args)
{
    (void)device;
    const double *x = doubles(&args->x), *dy = doubles(&args->dy), *scale = doubles(&args->scale);
    double *dx = doubles(&args->dx), *dscale = doubles(&args->dscale), *dshift = doubles(&args->dshift);
    clear(dscale, args->x.shape[2]);
    clear(dshift, args->x.shape[2]);
    for (int64_t n = 0; n < args->x.shape[0]; n++)
        for (int64_t g = 0; g < args->groups; g++) {
            group part = group_of(&args->x, args->groups, n, g);
            double size = (double)(part.rows * part.width), sum = 0, product = 0;
            double mean = doubles(&args->mean)[n * args->groups + g];
            double inv_std = doubles(&args->inv_std)[n * args->groups + g];
            for (int64_t s = 0; s < part.rows; s++)
                for (int64_t c = 0; c < part.width; c++) {
                    int64_t i = part.first + s * part.stride + c, channel = part.channel + c;
                    double normal = (x[i] - mean) * inv_std, scaled = dy[i] * or_else(scale, channel, 1);
                    sum += scaled;
                    product += scaled * normal;
                    if (dscale)
                        dscale[channel] += dy[i] * normal;
                    if (dshift)
                        dshift[channel] += dy[i];
                }
            for (int64_t s = 0; dx && s < part.rows; s++)
                for (int64_t c = 0; c < part.width; c++) {
                    int64_t i = part.first + s * part.stride + c;
                    double normal = (x[i] - mean) * inv_std;
                    double scaled = dy[i] * or_else(scale, part.channel + c, 1);
                    dx[i] = inv_std * (scaled - sum / size - normal * product / size);
                }
        }
    return true;
}

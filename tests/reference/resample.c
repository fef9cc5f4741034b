/* resample.c — resizing and grid sampling as PyTorch defines them, and their
 * gradients. */
#include "reference64.h"
#include "view.h"

static int64_t limited(int64_t i, int64_t extent)
{
    return i < 0 ? 0 : i >= extent ? extent - 1 : i;
}

static int64_t pixel(const ursa_array *image, int64_t n, int64_t h, int64_t w, int64_t c)
{
    return ((n * image->shape[1] + h) * image->shape[2] + w) * image->shape[3] + c;
}

static void clear(const ursa_array *array)
{
    int64_t count = count_of(array);
    for (int64_t i = 0; i < count; i++)
        put(array, i, 0);
}

static void add(const ursa_array *array, int64_t i, double value)
{
    put(array, i, get(array, i) + value);
}

/* ---- resizing ------------------------------------------------------------ */

/* Along one axis an output pixel is a weighted sum of up to four. */
typedef struct taps {
    int count;
    int64_t at[4];
    double weight[4];
} taps;

/* Keys' cubic kernel with a = -3/4 ("Cubic convolution interpolation for
 * digital image processing", 1981). */
static double cubic(double distance)
{
    const double a = -0.75;
    double d = fabs(distance);
    if (d <= 1)
        return ((a + 2) * d - (a + 3)) * d * d + 1;
    if (d < 2)
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
    return 0;
}

static double source_position(int64_t o, int64_t extent, int64_t outputs, bool align_corners)
{
    if (align_corners)
        return outputs > 1 ? (double)o * (double)(extent - 1) / (double)(outputs - 1) : 0;
    return ((double)o + 0.5) * (double)extent / (double)outputs - 0.5;
}

static taps taps_of(ursa_resize_kind kind, bool align_corners, int64_t o, int64_t extent, int64_t outputs)
{
    taps t = {.count = 1, .weight = {1}};
    if (kind == URSA_RESIZE_NEAREST) {
        t.at[0] = o * extent / outputs;
        return t;
    }
    double position = source_position(o, extent, outputs, align_corners);
    if (kind == URSA_RESIZE_BILINEAR && position < 0)
        position = 0;
    int64_t first = (int64_t)floor(position);
    double part = position - (double)first;
    if (kind == URSA_RESIZE_BILINEAR) {
        t = (taps){2, {limited(first, extent), limited(first + 1, extent)}, {1 - part, part}};
        return t;
    }
    t.count = 4;
    for (int k = 0; k < 4; k++) {
        t.at[k] = limited(first + k - 1, extent);
        t.weight[k] = cubic(part - (double)(k - 1));
    }
    return t;
}

bool reference64_resize(ursa_device *device, const struct ursa_resize_args *args)
{
    (void)device;
    const ursa_array *x = &args->x, *out = &args->out;
    for (int64_t n = 0; n < out->shape[0]; n++)
        for (int64_t oh = 0; oh < out->shape[1]; oh++)
            for (int64_t ow = 0; ow < out->shape[2]; ow++) {
                taps rows = taps_of(args->kind, args->align_corners, oh, x->shape[1], out->shape[1]);
                taps columns = taps_of(args->kind, args->align_corners, ow, x->shape[2], out->shape[2]);
                for (int64_t c = 0; c < out->shape[3]; c++) {
                    double sum = 0;
                    for (int i = 0; i < rows.count; i++)
                        for (int j = 0; j < columns.count; j++)
                            sum +=
                                rows.weight[i] * columns.weight[j] * get(x, pixel(x, n, rows.at[i], columns.at[j], c));
                    put(out, pixel(out, n, oh, ow, c), sum);
                }
            }
    return true;
}

bool reference64_resize_grad(ursa_device *device, const struct ursa_resize_grad_args *args)
{
    (void)device;
    const ursa_array *dx = &args->dx, *dy = &args->dy;
    clear(dx);
    for (int64_t n = 0; n < dy->shape[0]; n++)
        for (int64_t oh = 0; oh < dy->shape[1]; oh++)
            for (int64_t ow = 0; ow < dy->shape[2]; ow++) {
                taps rows = taps_of(args->kind, args->align_corners, oh, dx->shape[1], dy->shape[1]);
                taps columns = taps_of(args->kind, args->align_corners, ow, dx->shape[2], dy->shape[2]);
                for (int64_t c = 0; c < dy->shape[3]; c++)
                    for (int i = 0; i < rows.count; i++)
                        for (int j = 0; j < columns.count; j++)
                            add(dx, pixel(dx, n, rows.at[i], columns.at[j], c),
                                rows.weight[i] * columns.weight[j] * get(dy, pixel(dy, n, oh, ow, c)));
            }
    return true;
}

/* ---- grid sampling ------------------------------------------------------- */

/* A position in pixels, and its derivative by the position in -1 … 1. */
typedef struct position {
    double at, slope;
} position;

/* Folds a position into low … high. */
static position reflected(position p, double low, double high)
{
    if (low == high)
        return (position){0, 0};
    double span = high - low, distance = p.at - low, sign = distance < 0 ? -1 : 1;
    distance = fabs(distance);
    double part = fmod(distance, span);
    bool flipped = fmod(floor(distance / span), 2) != 0;
    return (position){flipped ? high - part : low + part, p.slope * (flipped ? -sign : sign)};
}

/* The slope is 0 on the border already, as in PyTorch. */
static position clipped(position p, int64_t extent)
{
    if (p.at <= 0)
        return (position){0, 0};
    if (p.at >= (double)(extent - 1))
        return (position){(double)(extent - 1), 0};
    return p;
}

static position position_of(double coordinate, int64_t extent, ursa_border_kind border, bool align_corners)
{
    double size = (double)extent;
    position p = align_corners ? (position){(coordinate + 1) / 2 * (size - 1), (size - 1) / 2}
                               : (position){((coordinate + 1) * size - 1) / 2, size / 2};
    if (border == URSA_BORDER_REFLECT)
        p = align_corners ? reflected(p, 0, size - 1) : reflected(p, -0.5, size - 0.5);
    if (border != URSA_BORDER_ZEROS)
        p = clipped(p, extent);
    return p;
}

static bool inside(const ursa_array *x, int64_t h, int64_t w)
{
    return h >= 0 && h < x->shape[1] && w >= 0 && w < x->shape[2];
}

static double pixel_or_zero(const ursa_array *x, int64_t n, int64_t h, int64_t w, int64_t c)
{
    return inside(x, h, w) ? get(x, pixel(x, n, h, w, c)) : 0;
}

bool reference64_grid_sample(ursa_device *device, const struct ursa_grid_sample_args *args)
{
    (void)device;
    const ursa_array *x = &args->x, *out = &args->out;
    int64_t points = out->shape[0] * out->shape[1] * out->shape[2], channels = out->shape[3];
    for (int64_t p = 0; p < points; p++) {
        int64_t n = p / (out->shape[1] * out->shape[2]);
        position u = position_of(get(&args->grid, 2 * p), x->shape[2], args->border, args->align_corners);
        position v = position_of(get(&args->grid, 2 * p + 1), x->shape[1], args->border, args->align_corners);
        int64_t left = (int64_t)floor(u.at), top = (int64_t)floor(v.at);
        double right_part = u.at - (double)left, bottom_part = v.at - (double)top;
        for (int64_t c = 0; c < channels; c++) {
            if (args->kind == URSA_RESIZE_NEAREST) {
                put(out, p * channels + c, pixel_or_zero(x, n, (int64_t)nearbyint(v.at), (int64_t)nearbyint(u.at), c));
                continue;
            }
            double above = (1 - right_part) * pixel_or_zero(x, n, top, left, c) +
                           right_part * pixel_or_zero(x, n, top, left + 1, c);
            double below = (1 - right_part) * pixel_or_zero(x, n, top + 1, left, c) +
                           right_part * pixel_or_zero(x, n, top + 1, left + 1, c);
            put(out, p * channels + c, (1 - bottom_part) * above + bottom_part * below);
        }
    }
    return true;
}

/* Adds dy to one pixel with its weight, and the pixel's part of the gradients
 * to the position, whose derivatives of the weight are by_u and by_v. */
static void grad_corner(const struct ursa_grid_sample_grad_args *args, int64_t p, int64_t h, int64_t w, double weight,
                        double by_u, double by_v, double *du, double *dv)
{
    const ursa_array *x = &args->x, *dy = &args->dy;
    int64_t n = p / (dy->shape[1] * dy->shape[2]), channels = dy->shape[3];
    if (!inside(x, h, w))
        return;
    for (int64_t c = 0; c < channels; c++) {
        double gradient = get(dy, p * channels + c), value = get(x, pixel(x, n, h, w, c));
        if (present(&args->dx))
            add(&args->dx, pixel(&args->dx, n, h, w, c), weight * gradient);
        *du += by_u * value * gradient;
        *dv += by_v * value * gradient;
    }
}

bool reference64_grid_sample_grad(ursa_device *device, const struct ursa_grid_sample_grad_args *args)
{
    (void)device;
    const ursa_array *x = &args->x, *dy = &args->dy;
    int64_t points = dy->shape[0] * dy->shape[1] * dy->shape[2];
    if (present(&args->dx))
        clear(&args->dx);
    for (int64_t p = 0; p < points; p++) {
        position u = position_of(get(&args->grid, 2 * p), x->shape[2], args->border, args->align_corners);
        position v = position_of(get(&args->grid, 2 * p + 1), x->shape[1], args->border, args->align_corners);
        double du = 0, dv = 0;
        if (args->kind == URSA_RESIZE_NEAREST) {
            grad_corner(args, p, (int64_t)nearbyint(v.at), (int64_t)nearbyint(u.at), 1, 0, 0, &du, &dv);
        } else {
            int64_t left = (int64_t)floor(u.at), top = (int64_t)floor(v.at);
            double r = u.at - (double)left, b = v.at - (double)top;
            grad_corner(args, p, top, left, (1 - b) * (1 - r), b - 1, r - 1, &du, &dv);
            grad_corner(args, p, top, left + 1, (1 - b) * r, 1 - b, -r, &du, &dv);
            grad_corner(args, p, top + 1, left, b * (1 - r), -b, 1 - r, &du, &dv);
            grad_corner(args, p, top + 1, left + 1, b * r, b, r, &du, &dv);
        }
        if (present(&args->dgrid)) {
            put(&args->dgrid, 2 * p, du * u.slope);
            put(&args->dgrid, 2 * p + 1, dv * v.slope);
        }
    }
    return true;
}

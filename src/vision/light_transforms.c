/* light_transforms.c — brightness, contrast, saturation and hue. The first three
 * are affine maps of the logits of colours, with the numbers of fastai's
 * vision.augment; hue turns the colour circle.
 */
#include "transforms.h"
#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

enum { P, MOST, DRAW };

static const char *const light_arguments[] = {"p", "max_lighting", "draw", NULL};

static ursa_transform make(const ursa_transform_class *class, double p, double most, double draw)
{
    return (ursa_transform){class, {p, most, draw}};
}

/* A factor between 1 - most and its reciprocal, its logarithm uniform. */
static double factor(double most, ursa_rng *rng)
{
    double widest = log(1 - most);
    return exp(widest * (1 - 2 * ursa_rng_uniform(rng)));
}

/* `neutral` where chance says so. Both are always drawn, so that what follows does not depend on it. */
static double change(const ursa_transform *transform, double random, double neutral, ursa_rng *rng)
{
    bool done = ursa_rng_uniform(rng) < transform->argument[P];
    return !done ? neutral : transform->argument[DRAW] != 0 ? transform->argument[DRAW] : random;
}

static bool check_most(const ursa_transform *transform)
{
    double most = transform->argument[MOST];
    return (most >= 0 && most < 1) ||
           ursa_fail(URSA_ERROR_ARGUMENT, "%s: at most by %g; expected 0 to less than 1", transform->class->name, most);
}

/* ---- brightness ----------------------------------------------------------------------- */

static bool brightness(const ursa_transform *transform, ursa_rng *rng, double map[12])
{
    double most = transform->argument[MOST];
    if (!check_most(transform))
        return false;
    double level = change(transform, 0.5 * (1 - most) + most * ursa_rng_uniform(rng), 0.5, rng);
    level = fmin(fmax(level, 1e-7), 1 - 1e-7);
    for (int row = 0; row < 3; row++)
        map[4 * row + 3] += log(level / (1 - level));
    return true;
}

const ursa_transform_class ursa_brightness_class = {
    .name = "brightness",
    .arguments = light_arguments,
    .order = URSA_ORDER_LIGHT,
    .training_only = true,
    .light = brightness,
};

ursa_transform ursa_brightness_opt(const ursa_light_options *options)
{
    return make(&ursa_brightness_class, ursa_option(options->p, 0.75), ursa_option(options->max_lighting, 0.2),
                options->draw);
}

/* ---- contrast --------------------------------------------------------------------------- */

static bool contrast(const ursa_transform *transform, ursa_rng *rng, double map[12])
{
    if (!check_most(transform))
        return false;
    double by = change(transform, factor(transform->argument[MOST], rng), 1, rng);
    for (int i = 0; i < 12; i++)
        map[i] *= by;
    return true;
}

const ursa_transform_class ursa_contrast_class = {
    .name = "contrast",
    .arguments = light_arguments,
    .order = URSA_ORDER_LIGHT,
    .training_only = true,
    .light = contrast,
};

ursa_transform ursa_contrast_opt(const ursa_light_options *options)
{
    return make(&ursa_contrast_class, ursa_option(options->p, 0.75), ursa_option(options->max_lighting, 0.2),
                options->draw);
}

/* ---- saturation --------------------------------------------------------------------------- */

/* Away from grey, the luma of ITU-R 601-2, or towards it. */
static bool saturation(const ursa_transform *transform, ursa_rng *rng, double map[12])
{
    static const double luma[3] = {0.2989, 0.5870, 0.1140};
    if (!check_most(transform))
        return false;
    double by = change(transform, factor(transform->argument[MOST], rng), 1, rng);
    for (int column = 0; column < 4; column++) {
        double grey = 0;
        for (int row = 0; row < 3; row++)
            grey += luma[row] * map[4 * row + column];
        for (int row = 0; row < 3; row++)
            map[4 * row + column] = by * map[4 * row + column] + (1 - by) * grey;
    }
    return true;
}

const ursa_transform_class ursa_saturation_class = {
    .name = "saturation",
    .arguments = light_arguments,
    .order = URSA_ORDER_LIGHT,
    .training_only = true,
    .light = saturation,
};

ursa_transform ursa_saturation_opt(const ursa_light_options *options)
{
    return make(&ursa_saturation_class, ursa_option(options->p, 0.75), ursa_option(options->max_lighting, 0.2),
                options->draw);
}

/* ---- hue ------------------------------------------------------------------------------------ */

/* The position on the colour circle, 0 … 6 and maybe beyond: which channel is
 * largest, and how far towards its neighbours (Smith 1978). */
static ursa_tensor *hue_of(ursa_tensor *red, ursa_tensor *green, ursa_tensor *blue, ursa_tensor *largest,
                           ursa_tensor *spread)
{
    ursa_tensor *by_green = ursa_add_scalar(ursa_div(ursa_sub(blue, red), spread), 2);
    ursa_tensor *by_blue = ursa_add_scalar(ursa_div(ursa_sub(red, green), spread), 4);
    ursa_tensor *by_red = ursa_div(ursa_sub(green, blue), spread);
    return ursa_where(ursa_eq(largest, red), by_red, ursa_where(ursa_eq(largest, green), by_green, by_blue));
}

/* x modulo 6. */
static ursa_tensor *around(ursa_tensor *x)
{
    return ursa_sub(x, ursa_mul_scalar(ursa_floor(ursa_mul_scalar(x, 1.0 / 6)), 6));
}

/* A channel of the colour: its distance to the largest is the spread, but for two thirds of the circle around its own
 * colour. */
static ursa_tensor *channel(ursa_tensor *hue, double offset, ursa_tensor *largest, ursa_tensor *spread)
{
    ursa_tensor *k = around(ursa_add_scalar(hue, offset));
    ursa_tensor *share = ursa_clamp(ursa_minimum(k, ursa_add_scalar(ursa_neg(k), 4)), 0, 1);
    return ursa_sub(largest, ursa_mul(spread, share));
}

static ursa_tensor *turn_hue(ursa_tensor *x, ursa_tensor *by)
{
    ursa_tensor *red = ursa_slice(x, 3, 0, 1, 1), *green = ursa_slice(x, 3, 1, 2, 1), *blue = ursa_slice(x, 3, 2, 3, 1);
    ursa_tensor *largest = ursa_maximum(red, ursa_maximum(green, blue));
    ursa_tensor *spread = ursa_sub(largest, ursa_minimum(red, ursa_minimum(green, blue)));
    ursa_tensor *divisor = ursa_maximum(spread, ursa_scalar_like(spread, 1e-12));
    ursa_tensor *hue = ursa_add(hue_of(red, green, blue, largest, divisor), by);
    return ursa_concat((ursa_tensor *[]){channel(hue, 5, largest, spread), channel(hue, 3, largest, spread),
                                         channel(hue, 1, largest, spread)},
                       3, 3);
}

static bool hue(const ursa_transform *transform, ursa_transform_batch *batch)
{
    int64_t items = ursa_dim(batch->x, 0);
    if (!check_most(transform))
        return false;
    if (batch->x_kind != URSA_KIND_IMAGE || ursa_ndim(batch->x) != 4)
        return ursa_fail(URSA_ERROR_ARGUMENT, "hue: the input is no image");
    if (ursa_dim(batch->x, 3) != 3)
        return true; /* grey has none */
    float *by = ursa_alloc_array((size_t)items + 1, sizeof *by);
    for (int64_t n = 0; by && n < items; n++)
        by[n] = (float)(6 * change(transform, factor(transform->argument[MOST], &batch->rngs[n]), 0, &batch->rngs[n]));
    if (by)
        batch->x = turn_hue(batch->x, ursa_from(by, ursa_shape(items, 1, 1, 1), .device = ursa_device_of(batch->x)));
    free(by);
    return by && batch->x;
}

const ursa_transform_class ursa_hue_class = {
    .name = "hue",
    .arguments = (const char *const[]){"p", "max_hue", "draw", NULL},
    .order = URSA_ORDER_HUE,
    .training_only = true,
    .batch = hue,
};

ursa_transform ursa_hue_opt(const ursa_hue_options *options)
{
    return make(&ursa_hue_class, ursa_option(options->p, 0.75), ursa_option(options->max_hue, 0.1), options->draw);
}

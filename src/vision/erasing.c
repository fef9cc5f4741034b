/* erasing.c — rectangles of noise (Zhong et al. 2017, "Random erasing data
 * augmentation"), as fastai's RandomErasing. */
#include "transforms.h"

#include <math.h>

enum { P, LEAST, GREATEST, MIN_ASPECT, MAX_COUNT };

/* `length` of `total` from a random place on. */
static void place(double length, int64_t total, ursa_rng *rng, int64_t *first, int64_t *end)
{
    int64_t count = (int64_t)rint(length), room = total - count > 0 ? total - count : 0;
    *first = (int64_t)ursa_rng_below(rng, (uint64_t)room + 1);
    *end = *first + count < total ? *first + count : total;
}

static bool erase_rectangle(const double *argument, ursa_tensor *image, double area, ursa_rng *rng)
{
    double size = area * (argument[LEAST] + (argument[GREATEST] - argument[LEAST]) * ursa_rng_uniform(rng));
    double aspect = exp(log(argument[MIN_ASPECT]) * (1 - 2 * ursa_rng_uniform(rng)));
    int64_t top, bottom, left, right;
    place(sqrt(size * aspect), ursa_dim(image, 0), rng, &top, &bottom);
    place(sqrt(size / aspect), ursa_dim(image, 1), rng, &left, &right);
    if (top == bottom || left == right)
        return true;
    ursa_tensor *noise = ursa_normal(ursa_shape(bottom - top, right - left, ursa_dim(image, 2)),
                                     .device = ursa_device_of(image), .rng = rng);
    return noise && ursa_copy_(ursa_slice(ursa_slice(image, 0, top, bottom, 1), 1, left, right, 1), noise);
}

static bool erase(const double *argument, ursa_tensor *image, ursa_rng *rng)
{
    int64_t count = 1 + (int64_t)ursa_rng_below(rng, (uint64_t)fmax(argument[MAX_COUNT], 1));
    double area = (double)ursa_dim(image, 0) * (double)ursa_dim(image, 1) / (double)count;
    for (int64_t i = 0; i < count; i++)
        if (!erase_rectangle(argument, image, area, rng))
            return false;
    return true;
}

static bool random_erasing(const ursa_transform *transform, ursa_transform_batch *batch)
{
    const double *argument = transform->argument;
    if (batch->x_kind != URSA_KIND_IMAGE || ursa_ndim(batch->x) != 4)
        return ursa_fail(URSA_ERROR_ARGUMENT, "random_erasing: the input is no image");
    if (!(argument[LEAST] >= 0 && argument[GREATEST] >= argument[LEAST] && argument[GREATEST] <= 1 &&
          argument[MIN_ASPECT] > 0 && argument[MIN_ASPECT] <= 1))
        return ursa_fail(URSA_ERROR_ARGUMENT,
                         "random_erasing: areas %g to %g, least aspect %g; expected 0 to 1, and more than 0 to 1",
                         argument[LEAST], argument[GREATEST], argument[MIN_ASPECT]);
    batch->x = ursa_clone(batch->x);
    for (int64_t n = 0; batch->x && n < ursa_dim(batch->x, 0); n++)
        if (ursa_rng_uniform(&batch->rngs[n]) < argument[P] &&
            !erase(argument, ursa_select(batch->x, 0, n), &batch->rngs[n]))
            return false;
    return batch->x;
}

const ursa_transform_class ursa_random_erasing_class = {
    .name = "random_erasing",
    .arguments = (const char *const[]){"p", "sl", "sh", "min_aspect", "max_count", NULL},
    .order = URSA_ORDER_ERASING,
    .training_only = true,
    .batch = random_erasing,
};

ursa_transform ursa_random_erasing_opt(const ursa_random_erasing_options *options)
{
    return (ursa_transform){&ursa_random_erasing_class,
                            {ursa_option(options->p, 0.5), ursa_option(options->sl, 0), ursa_option(options->sh, 0.3),
                             ursa_option(options->min_aspect, 0.3), options->max_count > 0 ? options->max_count : 1}};
}

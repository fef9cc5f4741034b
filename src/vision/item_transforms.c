/* item_transforms.c — resizing and cropping of items, as fastai's
 * vision.augment defines it: Resize, RandomResizedCrop, CropPad, RandomCrop.
 */
#include "crop.h"
#include "transforms.h"

#include <math.h>

/* ---- options ------------------------------------------------------------------------ */

static double padding_option(ursa_padding padding, ursa_padding standard)
{
    return padding == URSA_PAD_DEFAULT ? standard : padding;
}

/* The first two arguments of them all. */
struct size {
    int rows, columns;
};

static struct size size_of(const ursa_transform *transform)
{
    return (struct size){(int)transform->argument[0], (int)transform->argument[1]};
}

static bool check_size(const ursa_transform *transform)
{
    struct size size = size_of(transform);
    return (size.rows > 0 && size.columns > 0 && size.rows <= 1 << 14 && size.columns <= 1 << 14) ||
           ursa_fail(URSA_ERROR_ARGUMENT, "%s: to %d × %d pixels; both must be 1 to 16384", transform->class->name,
                     size.columns, size.rows);
}

static struct size size_of_value(const ursa_value *value)
{
    return (struct size){(int)value->shape.dim[0], (int)value->shape.dim[1]};
}

static int floor_half(int value)
{
    return value >= 0 ? value / 2 : -((1 - value) / 2);
}

static struct ursa_crop middle(struct size from, struct size to, ursa_padding padding)
{
    return (struct ursa_crop){.left = floor_half(from.columns - to.columns),
                              .top = floor_half(from.rows - to.rows),
                              .columns = to.columns,
                              .rows = to.rows,
                              .out_columns = to.columns,
                              .out_rows = to.rows,
                              .padding = padding};
}

/* ---- resize --------------------------------------------------------------------------- */

enum { RESIZE_METHOD = 2, RESIZE_PADDING };

static bool resize_item(const ursa_transform *transform, ursa_value *x, ursa_value *y, bool training, ursa_rng *rng)
{
    if (!ursa_is_picture(x))
        return true;
    struct size to = size_of(transform), from = size_of_value(x);
    ursa_resize_method method = (ursa_resize_method)transform->argument[RESIZE_METHOD];
    struct ursa_crop crop = {.columns = from.columns,
                             .rows = from.rows,
                             .out_columns = to.columns,
                             .out_rows = to.rows,
                             .padding = (ursa_padding)transform->argument[RESIZE_PADDING]};
    if (!check_size(transform))
        return false;
    if (method != URSA_SQUISH) {
        double along = (double)from.columns / to.columns, down = (double)from.rows / to.rows;
        double scale = method == URSA_PAD ? fmax(along, down) : fmin(along, down);
        double across = training ? ursa_rng_uniform(rng) : 0.5, below = training ? ursa_rng_uniform(rng) : 0.5;
        crop.columns = (int)fmax(scale * to.columns, 1);
        crop.rows = (int)fmax(scale * to.rows, 1);
        crop.left = (int)(across * (from.columns - crop.columns));
        crop.top = (int)(below * (from.rows - crop.rows));
    }
    return ursa_crop_item(x, y, &crop);
}

const ursa_transform_class ursa_resize_class = {
    .name = "resize",
    .arguments = (const char *const[]){"rows", "columns", "method", "pad_mode", NULL},
    .item = resize_item,
};

ursa_transform ursa_resize_opt(const ursa_resize_options *options)
{
    return (ursa_transform){&ursa_resize_class,
                            {options->rows, options->columns ? options->columns : options->rows, options->method,
                             padding_option(options->pad_mode, URSA_PAD_REFLECTION)}};
}

/* ---- random-resized crop --------------------------------------------------------------- */

enum { CROP_MIN_SCALE = 2, CROP_LEAST_RATIO, CROP_MOST_RATIO, CROP_VAL_XTRA };

/* All of it, a little too large, and then its middle. */
static bool crop_for_validation(const ursa_transform *transform, ursa_value *x, ursa_value *y)
{
    struct size to = size_of(transform), from = size_of_value(x);
    double share = fmin(transform->argument[CROP_VAL_XTRA], 8);
    int larger = to.rows > to.columns ? to.rows : to.columns;
    int extra = (int)ceil(larger * share / 8) * 8;
    struct size whole = {to.rows + extra, to.columns + extra};
    struct ursa_crop all = {.columns = from.columns,
                            .rows = from.rows,
                            .out_columns = whole.columns,
                            .out_rows = whole.rows,
                            .padding = URSA_PAD_ZEROS};
    struct ursa_crop inner = middle(whole, to, URSA_PAD_ZEROS);
    return ursa_crop_item(x, y, &all) && (extra == 0 || ursa_crop_item(x, y, &inner));
}

static bool random_resized_crop_item(const ursa_transform *transform, ursa_value *x, ursa_value *y, bool training,
                                     ursa_rng *rng)
{
    if (!ursa_is_picture(x))
        return true;
    const double *argument = transform->argument;
    struct ursa_crop_rules rules = {argument[CROP_MIN_SCALE], argument[CROP_LEAST_RATIO], argument[CROP_MOST_RATIO]};
    if (!check_size(transform) || !ursa_crop_rules_hold(transform->class->name, &rules))
        return false;
    if (!training)
        return crop_for_validation(transform, x, y);
    struct size from = size_of_value(x), to = size_of(transform);
    struct ursa_rectangle part = ursa_random_rectangle(&rules, from.rows, from.columns, rng);
    struct ursa_crop crop = {part.left, part.top, part.columns, part.rows, to.columns, to.rows, URSA_PAD_ZEROS};
    return ursa_crop_item(x, y, &crop);
}

const ursa_transform_class ursa_random_resized_crop_class = {
    .name = "random_resized_crop",
    .arguments = (const char *const[]){"rows", "columns", "min_scale", "least_ratio", "most_ratio", "val_xtra", NULL},
    .item = random_resized_crop_item,
};

ursa_transform ursa_random_resized_crop_opt(const ursa_random_resized_crop_options *options)
{
    return (ursa_transform){&ursa_random_resized_crop_class,
                            {options->rows, options->columns ? options->columns : options->rows,
                             ursa_option(options->min_scale, 0.08), ursa_option(options->ratio[0], 3.0 / 4),
                             ursa_option(options->ratio[1], 4.0 / 3), ursa_option(options->val_xtra, 0.14)}};
}

/* ---- crops without resizing -------------------------------------------------------------- */

enum { PLAIN_PADDING = 2 };

static bool crop_pad_item(const ursa_transform *transform, ursa_value *x, ursa_value *y, bool training, ursa_rng *rng)
{
    (void)training, (void)rng;
    if (!ursa_is_picture(x))
        return true;
    ursa_padding padding = (ursa_padding)transform->argument[PLAIN_PADDING];
    struct ursa_crop crop = middle(size_of_value(x), size_of(transform), padding);
    return check_size(transform) && ursa_crop_item(x, y, &crop);
}

static bool random_crop_item(const ursa_transform *transform, ursa_value *x, ursa_value *y, bool training,
                             ursa_rng *rng)
{
    if (!ursa_is_picture(x))
        return true;
    struct size from = size_of_value(x), to = size_of(transform);
    struct ursa_crop crop = middle(from, to, (ursa_padding)transform->argument[PLAIN_PADDING]);
    if (!check_size(transform))
        return false;
    if (training && from.columns > to.columns)
        crop.left = (int)ursa_rng_below(rng, (uint64_t)(from.columns - to.columns) + 1);
    if (training && from.rows > to.rows)
        crop.top = (int)ursa_rng_below(rng, (uint64_t)(from.rows - to.rows) + 1);
    return ursa_crop_item(x, y, &crop);
}

const ursa_transform_class ursa_crop_pad_class = {
    .name = "crop_pad",
    .arguments = (const char *const[]){"rows", "columns", "pad_mode", NULL},
    .item = crop_pad_item,
};

const ursa_transform_class ursa_random_crop_class = {
    .name = "random_crop",
    .arguments = (const char *const[]){"rows", "columns", "pad_mode", NULL},
    .item = random_crop_item,
};

static ursa_transform make_crop(const ursa_transform_class *class, const ursa_crop_options *options)
{
    return (ursa_transform){class,
                            {options->rows, options->columns ? options->columns : options->rows,
                             padding_option(options->pad_mode, URSA_PAD_ZEROS)}};
}

ursa_transform ursa_crop_pad_opt(const ursa_crop_options *options)
{
    return make_crop(&ursa_crop_pad_class, options);
}

ursa_transform ursa_random_crop_opt(const ursa_crop_options *options)
{
    return make_crop(&ursa_random_crop_class, options);
}

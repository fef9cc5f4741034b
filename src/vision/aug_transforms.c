/* aug_transforms.c — the augmentation that is right for most pictures, as one
 * transform that stands for several. */
#include "transforms.h"

enum {
    NO_FLIP,
    FLIP_VERT,
    MAX_ROTATE,
    MIN_ZOOM,
    MAX_ZOOM,
    MAX_LIGHTING,
    MAX_WARP,
    P_AFFINE,
    P_LIGHTING,
    ROWS,
    COLUMNS,
    PADDING,
    MIN_SCALE,
};

/* Options of the parts have "0 means the default" in them, where an argument means what it says. */
static double exactly(double value)
{
    return value > 0 ? value : -1;
}

static void add(ursa_transform part, ursa_transform *out, int *count)
{
    out[(*count)++] = part;
}

static void add_geometry(const double *argument, ursa_transform *out, int *count)
{
    bool cropped = argument[MIN_SCALE] < 1;
    int rows = cropped ? 0 : (int)argument[ROWS], columns = cropped ? 0 : (int)argument[COLUMNS];
    ursa_padding padding = (ursa_padding)argument[PADDING];
    double p = exactly(argument[P_AFFINE]);
    if (argument[FLIP_VERT] > 0 && argument[NO_FLIP] <= 0)
        add(ursa_dihedral(.rows = rows, .columns = columns, .pad_mode = padding), out, count);
    else
        add(ursa_flip_tfm(.p = argument[NO_FLIP] > 0 ? -1 : 0.5, .rows = rows, .columns = columns, .pad_mode = padding),
            out, count);
    if (argument[MAX_WARP] > 0)
        add(ursa_warp(.magnitude = argument[MAX_WARP], .p = p), out, count);
    if (argument[MAX_ROTATE] > 0)
        add(ursa_rotate(.max_deg = argument[MAX_ROTATE], .p = p), out, count);
    if (argument[MIN_ZOOM] < 1 || argument[MAX_ZOOM] > 1)
        add(ursa_zoom(.min_zoom = argument[MIN_ZOOM], .max_zoom = argument[MAX_ZOOM], .p = p), out, count);
    if (cropped)
        add(ursa_random_resized_crop_batch((int)argument[ROWS], .columns = (int)argument[COLUMNS],
                                           .min_scale = exactly(argument[MIN_SCALE]), .ratio = {1, 1}),
            out, count);
}

static int expand(const ursa_transform *transform, ursa_transform *out)
{
    const double *argument = transform->argument;
    int count = 0;
    add_geometry(argument, out, &count);
    if (argument[MAX_LIGHTING] > 0) {
        double most = argument[MAX_LIGHTING], p = exactly(argument[P_LIGHTING]);
        add(ursa_brightness(.max_lighting = most, .p = p), out, &count);
        add(ursa_contrast(.max_lighting = most, .p = p), out, &count);
    }
    return count;
}

const ursa_transform_class ursa_aug_transforms_class = {
    .name = "aug_transforms",
    .arguments =
        (const char *const[]){"no_flip", "flip_vert", "max_rotate", "min_zoom", "max_zoom", "max_lighting", "max_warp",
                              "p_affine", "p_lighting", "rows", "columns", "pad_mode", "min_scale", NULL},
    .order = URSA_ORDER_GEOMETRY,
    .expand = expand,
};

ursa_transform ursa_aug_transforms_opt(const ursa_aug_transforms_options *options)
{
    double mult = ursa_option(options->mult, 1);
    ursa_transform out = {&ursa_aug_transforms_class, {0}};
    double *argument = out.argument;
    argument[NO_FLIP] = options->no_flip;
    argument[FLIP_VERT] = options->flip_vert;
    argument[MAX_ROTATE] = mult * ursa_option(options->max_rotate, 10);
    argument[MIN_ZOOM] = ursa_option(options->min_zoom, 1);
    argument[MAX_ZOOM] = ursa_option(options->max_zoom, 1.1);
    argument[MAX_LIGHTING] = mult * ursa_option(options->max_lighting, 0.2);
    argument[MAX_WARP] = mult * ursa_option(options->max_warp, 0.2);
    argument[P_AFFINE] = ursa_option(options->p_affine, 0.75);
    argument[P_LIGHTING] = ursa_option(options->p_lighting, 0.75);
    argument[ROWS] = options->rows;
    argument[COLUMNS] = options->columns ? options->columns : options->rows;
    argument[PADDING] = options->pad_mode;
    argument[MIN_SCALE] = ursa_option(options->min_scale, 1);
    return out;
}

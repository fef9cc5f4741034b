/* geometry_transforms.c — flip, dihedral, rotate, zoom, warp and crops of
 * batches, as matrices from places in the result to places in the source. The
 * matrices are those of fastai's vision.augment.
 */
#include "transforms.h"

#include <math.h>
#include <string.h>

/* The first three arguments of them all. */
enum { ROWS, COLUMNS, PADDING, P };

static void size_and_padding(const ursa_transform *transform, ursa_sampling *sampling)
{
    static const int borders[] = {[URSA_PAD_DEFAULT] = -1,
                                  [URSA_PAD_ZEROS] = URSA_ZEROS,
                                  [URSA_PAD_BORDER] = URSA_BORDER,
                                  [URSA_PAD_REFLECTION] = URSA_REFLECTION};
    if (!sampling->rows && transform->argument[ROWS] > 0) {
        sampling->rows = (int64_t)transform->argument[ROWS];
        sampling->columns = (int64_t)transform->argument[COLUMNS];
    }
    int padding = (int)transform->argument[PADDING];
    if (sampling->border < 0 && padding >= URSA_PAD_DEFAULT && padding <= URSA_PAD_REFLECTION)
        sampling->border = borders[padding];
}

static ursa_transform make(const ursa_transform_class *class, int rows, int columns, ursa_padding padding)
{
    return (ursa_transform){class, {rows, columns ? columns : rows, padding}};
}

/* map becomes map × by. */
static void multiply(double map[9], const double by[9])
{
    double product[9];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            product[3 * i + j] = map[3 * i] * by[j] + map[3 * i + 1] * by[3 + j] + map[3 * i + 2] * by[6 + j];
    memcpy(map, product, sizeof product);
}

/* Of coordinates in which both sides of the picture are equally long, so that
 * pictures that are not square keep their shapes when turned. */
static void multiply_linear(double map[9], double a, double b, double c, double d, int64_t rows, int64_t columns)
{
    double aspect = (double)columns / (double)rows;
    multiply(map, (double[9]){a, b / aspect, 0, c * aspect, d, 0, 0, 0, 1});
}

/* What is drawn does not depend on what came before, so numbers are drawn even if they are not used. */
static double between(ursa_rng *rng, double low, double high)
{
    return low + (high - low) * ursa_rng_uniform(rng);
}

/* ---- flip ------------------------------------------------------------------------------ */

enum { FLIP_VERTICAL = P + 1 };

static bool flip(const ursa_transform *transform, bool training, int64_t rows, int64_t columns, ursa_rng *rng,
                 double map[9])
{
    if (!training)
        return true;
    bool done = ursa_rng_uniform(rng)<transform->argument[P], vertical = transform->argument[FLIP_VERTICAL]> 0;
    multiply_linear(map, done && !vertical ? -1 : 1, 0, 0, done && vertical ? -1 : 1, rows, columns);
    return true;
}

const ursa_transform_class ursa_flip_class = {
    .name = "flip",
    .arguments = (const char *const[]){"rows", "columns", "pad_mode", "p", "vertical", NULL},
    .order = URSA_ORDER_GEOMETRY,
    .geometry = flip,
    .sampling = size_and_padding,
};

ursa_transform ursa_flip_tfm_opt(const ursa_flip_options *options)
{
    ursa_transform out = make(&ursa_flip_class, options->rows, options->columns, options->pad_mode);
    out.argument[P] = ursa_option(options->p, 0.5);
    out.argument[FLIP_VERTICAL] = options->vertical;
    return out;
}

/* ---- dihedral ---------------------------------------------------------------------------- */

enum { DIHEDRAL_DRAW = P + 1 };

static bool dihedral(const ursa_transform *transform, bool training, int64_t rows, int64_t columns, ursa_rng *rng,
                     double map[9])
{
    /* Signs of x and y, and whether they change places. */
    static const struct {
        int x, y;
        bool swapped;
    } kinds[8] = {{1, 1, false},   {-1, 1, false}, {1, -1, false}, {-1, 1, true},
                  {-1, -1, false}, {1, -1, true},  {1, 1, true},   {-1, -1, true}};
    if (!training)
        return true;
    int draw = (int)transform->argument[DIHEDRAL_DRAW], random = (int)ursa_rng_below(rng, 8);
    bool done = ursa_rng_uniform(rng) < transform->argument[P];
    int k = !done ? 0 : draw > 0 && draw < 8 ? draw : random;
    if (kinds[k].swapped)
        multiply_linear(map, 0, kinds[k].x, kinds[k].y, 0, rows, columns);
    else
        multiply_linear(map, kinds[k].x, 0, 0, kinds[k].y, rows, columns);
    return true;
}

const ursa_transform_class ursa_dihedral_class = {
    .name = "dihedral",
    .arguments = (const char *const[]){"rows", "columns", "pad_mode", "p", "draw", NULL},
    .order = URSA_ORDER_GEOMETRY,
    .geometry = dihedral,
    .sampling = size_and_padding,
};

ursa_transform ursa_dihedral_opt(const ursa_dihedral_options *options)
{
    ursa_transform out = make(&ursa_dihedral_class, options->rows, options->columns, options->pad_mode);
    out.argument[P] = ursa_option(options->p, 0.5);
    out.argument[DIHEDRAL_DRAW] = options->draw;
    return out;
}

/* ---- rotate -------------------------------------------------------------------------------- */

enum { ROTATE_MAX = P + 1, ROTATE_DRAW };

static bool rotate(const ursa_transform *transform, bool training, int64_t rows, int64_t columns, ursa_rng *rng,
                   double map[9])
{
    if (!training)
        return true;
    double most = transform->argument[ROTATE_MAX], draw = transform->argument[ROTATE_DRAW];
    double degrees = between(rng, -most, most);
    bool done = ursa_rng_uniform(rng) < transform->argument[P];
    double angle = (!done ? 0 : draw != 0 ? draw : degrees) * M_PI / 180;
    multiply_linear(map, cos(angle), sin(angle), -sin(angle), cos(angle), rows, columns);
    return true;
}

const ursa_transform_class ursa_rotate_class = {
    .name = "rotate",
    .arguments = (const char *const[]){"rows", "columns", "pad_mode", "p", "max_deg", "draw", NULL},
    .order = URSA_ORDER_GEOMETRY,
    .geometry = rotate,
    .sampling = size_and_padding,
};

ursa_transform ursa_rotate_opt(const ursa_rotate_options *options)
{
    ursa_transform out = make(&ursa_rotate_class, options->rows, options->columns, options->pad_mode);
    out.argument[P] = ursa_option(options->p, 0.5);
    out.argument[ROTATE_MAX] = ursa_option(options->max_deg, 10);
    out.argument[ROTATE_DRAW] = options->draw;
    return out;
}

/* ---- zoom ---------------------------------------------------------------------------------- */

enum { ZOOM_MIN = P + 1, ZOOM_MAX, ZOOM_DRAW, ZOOM_DRAW_X, ZOOM_DRAW_Y };

static double drawn(double argument, double random)
{
    return argument == 0 ? random : argument < 0 ? 0 : argument;
}

static bool zoom(const ursa_transform *transform, bool training, int64_t rows, int64_t columns, ursa_rng *rng,
                 double map[9])
{
    (void)rows, (void)columns;
    const double *argument = transform->argument;
    if (!training)
        return true;
    if (!(argument[ZOOM_MIN] > 0 && argument[ZOOM_MAX] >= argument[ZOOM_MIN] && argument[ZOOM_DRAW] >= 0))
        return ursa_fail(URSA_ERROR_ARGUMENT, "zoom: from %g to %g; expected more than 0, and a range that rises",
                         argument[ZOOM_MIN], argument[ZOOM_MAX]);
    double by = between(rng, argument[ZOOM_MIN], argument[ZOOM_MAX]);
    double x = ursa_rng_uniform(rng), y = ursa_rng_uniform(rng);
    bool done = ursa_rng_uniform(rng) < argument[P];
    double scale = done ? 1 / drawn(argument[ZOOM_DRAW], by) : 1;
    double centre_x = (1 - scale) * (2 * drawn(argument[ZOOM_DRAW_X], x) - 1);
    double centre_y = (1 - scale) * (2 * drawn(argument[ZOOM_DRAW_Y], y) - 1);
    multiply(map, (double[9]){scale, 0, centre_x, 0, scale, centre_y, 0, 0, 1});
    return true;
}

const ursa_transform_class ursa_zoom_class = {
    .name = "zoom",
    .arguments = (const char *const[]){"rows", "columns", "pad_mode", "p", "min_zoom", "max_zoom", "draw", "draw_x",
                                       "draw_y", NULL},
    .order = URSA_ORDER_GEOMETRY,
    .geometry = zoom,
    .sampling = size_and_padding,
};

ursa_transform ursa_zoom_opt(const ursa_zoom_options *options)
{
    ursa_transform out = make(&ursa_zoom_class, options->rows, options->columns, options->pad_mode);
    out.argument[P] = ursa_option(options->p, 0.5);
    out.argument[ZOOM_MIN] = ursa_option(options->min_zoom, 1);
    out.argument[ZOOM_MAX] = ursa_option(options->max_zoom, 1.1);
    out.argument[ZOOM_DRAW] = options->draw;
    out.argument[ZOOM_DRAW_X] = options->draw_x;
    out.argument[ZOOM_DRAW_Y] = options->draw_y;
    return out;
}

/* ---- warp ----------------------------------------------------------------------------------- */

enum { WARP_MAGNITUDE = P + 1, WARP_DRAW_X, WARP_DRAW_Y };

/* The projective map of the unit square's corners (0,0), (1,0), (1,1), (0,1) to
 * four points (Heckbert 1989, "Fundamentals of texture mapping and image
 * warping", section 2.2.3). */
static void from_unit_square(const double x[4], const double y[4], double map[9])
{
    double dx1 = x[1] - x[2], dx2 = x[3] - x[2], sx = x[0] - x[1] + x[2] - x[3];
    double dy1 = y[1] - y[2], dy2 = y[3] - y[2], sy = y[0] - y[1] + y[2] - y[3];
    double area = dx1 * dy2 - dx2 * dy1;
    double g = (sx * dy2 - dx2 * sy) / area, h = (dx1 * sy - sx * dy1) / area;
    double out[9] = {x[1] - x[0] + g * x[1],
                     x[3] - x[0] + h * x[3],
                     x[0],
                     y[1] - y[0] + g * y[1],
                     y[3] - y[0] + h * y[3],
                     y[0],
                     g,
                     h,
                     1};
    memcpy(map, out, sizeof out);
}

/* Up to a factor, of which a homography is free. */
static void invert(const double m[9], double out[9])
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            int a = (j + 1) % 3, b = (j + 2) % 3, c = (i + 1) % 3, d = (i + 2) % 3;
            out[3 * i + j] = m[3 * a + c] * m[3 * b + d] - m[3 * a + d] * m[3 * b + c];
        }
}

/* The corners of the result show what is inside or outside of the source's: one
 * side grows and the opposite one shrinks. */
static bool warp(const ursa_transform *transform, bool training, int64_t rows, int64_t columns, ursa_rng *rng,
                 double map[9])
{
    (void)rows, (void)columns;
    const double *argument = transform->argument;
    if (!training)
        return true;
    double most = argument[WARP_MAGNITUDE];
    double x = between(rng, -most, most), y = between(rng, -most, most);
    bool across = ursa_rng_uniform(rng) < argument[P], down = ursa_rng_uniform(rng) < argument[P];
    x = !across ? 0 : argument[WARP_DRAW_X] != 0 ? argument[WARP_DRAW_X] : x;
    y = !down ? 0 : argument[WARP_DRAW_Y] != 0 ? argument[WARP_DRAW_Y] : y;
    if (fabs(x) + fabs(y) >= 1)
        return ursa_fail(URSA_ERROR_ARGUMENT, "warp: by %g and %g; expected less than 1 together", x, y);
    /* Around from the upper left. */
    const double xs[4] = {-1 - y, 1 + y, 1 - y, -1 + y}, ys[4] = {-1 - x, -1 + x, 1 - x, 1 + x};
    double to_corners[9], back[9];
    from_unit_square(xs, ys, to_corners);
    invert(to_corners, back);
    multiply(map, (const double[9]){2, 0, -1, 0, 2, -1, 0, 0, 1});
    multiply(map, back);
    double factor = map[8];
    for (int i = 0; i < 9; i++)
        map[i] /= factor;
    return true;
}

const ursa_transform_class ursa_warp_class = {
    .name = "warp",
    .arguments = (const char *const[]){"rows", "columns", "pad_mode", "p", "magnitude", "draw_x", "draw_y", NULL},
    .order = URSA_ORDER_WARP,
    .geometry = warp,
    .sampling = size_and_padding,
};

ursa_transform ursa_warp_opt(const ursa_warp_options *options)
{
    ursa_transform out = make(&ursa_warp_class, options->rows, options->columns, options->pad_mode);
    out.argument[P] = ursa_option(options->p, 0.5);
    out.argument[WARP_MAGNITUDE] = ursa_option(options->magnitude, 0.2);
    out.argument[WARP_DRAW_X] = options->draw_x;
    out.argument[WARP_DRAW_Y] = options->draw_y;
    return out;
}

/* ---- random-resized crop ------------------------------------------------------------------- */

enum { CROP_MIN_SCALE = PADDING + 1, CROP_LEAST_RATIO, CROP_MOST_RATIO };

/* -1 … 1 to `count` pixels of `total` from `first` on. */
static void stretch(int first, int count, int64_t total, double *scale, double *shift)
{
    double steps = total > 1 ? (double)(total - 1) : 1;
    *scale = (count - 1) / steps;
    *shift = 2 * first / steps - 1 + *scale;
}

static bool crop(const ursa_transform *transform, bool training, int64_t rows, int64_t columns, ursa_rng *rng,
                 double map[9])
{
    const double *argument = transform->argument;
    struct ursa_crop_rules rules = {argument[CROP_MIN_SCALE], argument[CROP_LEAST_RATIO], argument[CROP_MOST_RATIO]};
    if (!ursa_crop_rules_hold(transform->class->name, &rules))
        return false;
    struct ursa_rectangle part = training ? ursa_random_rectangle(&rules, (int)rows, (int)columns, rng)
                                          : ursa_middle_rectangle(&rules, (int)rows, (int)columns);
    double along, left, down, top;
    stretch(part.left, part.columns, columns, &along, &left);
    stretch(part.top, part.rows, rows, &down, &top);
    multiply(map, (double[9]){along, 0, left, 0, down, top, 0, 0, 1});
    return true;
}

const ursa_transform_class ursa_random_resized_crop_batch_class = {
    .name = "random_resized_crop_batch",
    .arguments = (const char *const[]){"rows", "columns", "pad_mode", "min_scale", "least_ratio", "most_ratio", NULL},
    .order = URSA_ORDER_GEOMETRY,
    .geometry = crop,
    .sampling = size_and_padding,
};

ursa_transform ursa_random_resized_crop_batch_opt(const ursa_random_resized_crop_batch_options *options)
{
    ursa_transform out =
        make(&ursa_random_resized_crop_batch_class, options->rows, options->columns, options->pad_mode);
    out.argument[CROP_MIN_SCALE] = ursa_option(options->min_scale, 0.08);
    out.argument[CROP_LEAST_RATIO] = ursa_option(options->ratio[0], 3.0 / 4);
    out.argument[CROP_MOST_RATIO] = ursa_option(options->ratio[1], 4.0 / 3);
    return out;
}

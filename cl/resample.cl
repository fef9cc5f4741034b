/* resample.cl — resizing, sampling at given positions, and their gradients. A
 * work item handles LANES channels of a pixel. The gradient of resizing
 * gathers: every input pixel asks the output pixels that may have used it.
 * Images are of type -DT.
 */
#include "common.cl"
#include "lanes.cl"

/* The twin of struct resample_shape in resample.c; channels in vectors. */
typedef struct resample_shape {
    int images, in[2], out[2], vectors;
} resample_shape;

#define NEAREST 0
#define BILINEAR 1
#define BICUBIC 2

#if KIND == BICUBIC
#define TAPS 4
#define BEFORE 1 /* taps in front of the position */
#elif KIND == BILINEAR
#define TAPS 2
#define BEFORE 0
#else
#define TAPS 1
#define BEFORE 0
#endif

/* ---- resizing: -DKIND=NEAREST, BILINEAR or BICUBIC, -DALIGN=0 or 1 ------- */

#ifdef RESIZE
/* Input rows (axis 0) or columns (1) that output o is made of. */
typedef struct taps {
    int at[TAPS];
    float weight[TAPS];
} taps;

/* The cubic of Keys (1981) with a = -3/4, at distance d < 1 and 1 ≤ d < 2. */
static inline float cubic_near(float d)
{
    return (1.25f * d - 2.25f) * d * d + 1.0f;
}

static inline float cubic_far(float d)
{
    return ((-0.75f * d + 3.75f) * d - 6.0f) * d + 3.0f;
}

static inline taps taps_of(int o, int in, int out)
{
    taps t;
#if KIND == NEAREST
    t.at[0] = o * in / out;
    t.weight[0] = 1.0f;
#else
    /* The position as a fraction of integers, so that whole ones are exact. */
#if ALIGN
    int over = max(out - 1, 1), position = out > 1 ? o * (in - 1) : 0;
#else
    int over = 2 * out, position = (2 * o + 1) * in - out;
#endif
    int first = position >= 0 ? position / over : -((over - 1 - position) / over);
    float part = (float)(position - first * over) / (float)over;
    for (int i = 0; i < TAPS; i++)
        t.at[i] = clamp(first - BEFORE + i, 0, in - 1);
#if KIND == BILINEAR
    t.weight[0] = 1.0f - part;
    t.weight[1] = part;
#else
    t.weight[0] = cubic_far(part + 1.0f);
    t.weight[1] = cubic_near(part);
    t.weight[2] = cubic_near(1.0f - part);
    t.weight[3] = cubic_far(2.0f - part);
#endif
#endif
    return t;
}

/* What of output o comes from input i. */
static inline float weight_of(int o, int i, int in, int out)
{
    taps t = taps_of(o, in, out);
    float weight = 0.0f;
    for (int k = 0; k < TAPS; k++)
        weight += t.at[k] == i ? t.weight[k] : 0.0f;
    return weight;
}

/* Outputs that may use input i: [first, end), with some to spare. */
static inline int2 users_of(int i, int in, int out)
{
#if ALIGN
    float scale = in > 1 ? (float)(out - 1) / (float)(in - 1) : (float)out, shift = 0.0f;
#else
    float scale = (float)out / (float)in, shift = 0.5f;
#endif
    int reach = KIND == BICUBIC ? 2 : 1;
    int first = i == 0 ? 0 : (int)floor(((float)(i - reach) + shift) * scale - shift) - 1;
    int end = i == in - 1 ? out : (int)ceil(((float)(i + reach) + shift) * scale - shift) + 2;
    return (int2)(max(first, 0), min(end, out));
}

kernel void resize(INPUT(T, x), OUTPUT(T, out), resample_shape s)
{
    LOCATE(x);
    LOCATE(out);
    int i = (int)get_global_id(0), pixel = i / s.vectors, c = (i - pixel * s.vectors) * LANES;
    int row = pixel / s.out[1], column = pixel - row * s.out[1], image = row / s.out[0];
    if (image >= s.images)
        return;
    taps ys = taps_of(row - image * s.out[0], s.in[0], s.out[0]), xs = taps_of(column, s.in[1], s.out[1]);
    int channels = s.vectors * LANES;
    x += image * s.in[0] * s.in[1] * channels + c;
    lanes sum = (lanes)(0.0f);
    for (int p = 0; p < TAPS; p++)
        for (int q = 0; q < TAPS; q++)
            sum += ys.weight[p] * xs.weight[q] * elems_load(T, x, (ys.at[p] * s.in[1] + xs.at[q]) * channels);
    elems_store(T, sum, out, i * LANES);
}

kernel void resize_grad(INPUT(T, dy), OUTPUT(T, dx), resample_shape s)
{
    LOCATE(dy);
    LOCATE(dx);
    int i = (int)get_global_id(0), pixel = i / s.vectors, c = (i - pixel * s.vectors) * LANES;
    int row = pixel / s.in[1], w = pixel - row * s.in[1], image = row / s.in[0], h = row - image * s.in[0];
    if (image >= s.images)
        return;
    int2 rows = users_of(h, s.in[0], s.out[0]), columns = users_of(w, s.in[1], s.out[1]);
    int channels = s.vectors * LANES;
    dy += image * s.out[0] * s.out[1] * channels + c;
    lanes sum = (lanes)(0.0f);
    for (int oh = rows.x; oh < rows.y; oh++) {
        float down = weight_of(oh, h, s.in[0], s.out[0]);
        if (down == 0.0f)
            continue;
        for (int ow = columns.x; ow < columns.y; ow++) {
            float across = weight_of(ow, w, s.in[1], s.out[1]);
            if (across != 0.0f)
                sum += down * across * elems_load(T, dy, (oh * s.out[1] + ow) * channels);
        }
    }
    elems_store(T, sum, dx, i * LANES);
}

#endif

/* ---- sampling: -DKIND=NEAREST or BILINEAR, -DALIGN, -DBORDER -------------- */

#ifdef BORDER
#define ZEROS 0
#define CLAMP 1
#define REFLECT 2

/* A position in pixels, and its derivative by the position in -1 … 1. */
typedef struct position {
    float at, slope;
} position;

/* Folds a position into low … low + span. */
static inline position reflected(position p, float low, float span)
{
    if (span <= 0.0f)
        return (position){0.0f, 0.0f};
    float distance = fabs(p.at - low), slope = p.at < low ? -p.slope : p.slope;
    float part = fmod(distance, span);
    bool flipped = fmod(floor(distance / span), 2.0f) != 0.0f;
    return (position){low + (flipped ? span - part : part), flipped ? -slope : slope};
}

static inline position position_of(float coordinate, int extent)
{
    float size = (float)extent;
#if ALIGN
    position p = {(coordinate + 1.0f) / 2.0f * (size - 1.0f), (size - 1.0f) / 2.0f};
#if BORDER == REFLECT
    p = reflected(p, 0.0f, size - 1.0f);
#endif
#else
    position p = {((coordinate + 1.0f) * size - 1.0f) / 2.0f, size / 2.0f};
#if BORDER == REFLECT
    p = reflected(p, -0.5f, size);
#endif
#endif
#if BORDER == ZEROS
    /* Farther out is outside, too; what is not a number counts as outside. */
    if (!(p.at > -2.0f))
        p.at = -2.0f;
    if (p.at > size + 1.0f)
        p.at = size + 1.0f;
#else
    if (!(p.at > 0.0f))
        p = (position){0.0f, 0.0f};
    if (p.at >= size - 1.0f)
        p = (position){size - 1.0f, 0.0f};
#endif
    return p;
}

/* The pixels around a point and what each counts. */
typedef struct corners {
    int row[TAPS], column[TAPS];
    float down[TAPS], across[TAPS];
    float row_slope, column_slope;
} corners;

static inline corners corners_of(global const float *grid, int point, resample_shape s)
{
    position u = position_of(grid[2 * point], s.in[1]), v = position_of(grid[2 * point + 1], s.in[0]);
    corners k;
#if KIND == NEAREST
    k.row[0] = (int)rint(v.at);
    k.column[0] = (int)rint(u.at);
    k.down[0] = k.across[0] = 1.0f;
#else
    float top = floor(v.at), left = floor(u.at);
    for (int i = 0; i < TAPS; i++) {
        k.row[i] = (int)top + i;
        k.column[i] = (int)left + i;
    }
    k.down[1] = v.at - top;
    k.down[0] = 1.0f - k.down[1];
    k.across[1] = u.at - left;
    k.across[0] = 1.0f - k.across[1];
#endif
    k.row_slope = v.slope;
    k.column_slope = u.slope;
    return k;
}

static inline bool inside(resample_shape s, int row, int column)
{
    return (uint)row < (uint)s.in[0] && (uint)column < (uint)s.in[1];
}

kernel void grid_sample(INPUT(T, x), INPUT(f32, grid), OUTPUT(T, out), resample_shape s)
{
    LOCATE(x);
    LOCATE(grid);
    LOCATE(out);
    int i = (int)get_global_id(0), point = i / s.vectors, c = (i - point * s.vectors) * LANES;
    int image = point / (s.out[0] * s.out[1]), channels = s.vectors * LANES;
    if (image >= s.images)
        return;
    corners k = corners_of(grid, point, s);
    x += image * s.in[0] * s.in[1] * channels + c;
    lanes sum = (lanes)(0.0f);
    for (int p = 0; p < TAPS; p++)
        for (int q = 0; q < TAPS; q++)
            if (inside(s, k.row[p], k.column[q]))
                sum += k.down[p] * k.across[q] * elems_load(T, x, (k.row[p] * s.in[1] + k.column[q]) * channels);
    elems_store(T, sum, out, i * LANES);
}

/* The gradient to the image. A point may touch any pixel, so one work item
 * takes all points of an image for its channels, in their order. Sums are floats. */
kernel void grid_sample_grad_image(INPUT(f32, grid), INPUT(T, dy), OUTPUT(f32, dx), resample_shape s)
{
    LOCATE(grid);
    LOCATE(dy);
    LOCATE(dx);
    int i = (int)get_global_id(0), image = i / s.vectors, c = (i - image * s.vectors) * LANES;
    if (image >= s.images)
        return;
    int channels = s.vectors * LANES, points = s.out[0] * s.out[1], pixels = s.in[0] * s.in[1];
    dx += image * pixels * channels + c;
    for (int pixel = 0; pixel < pixels; pixel++)
        lanes_store((lanes)(0.0f), dx + pixel * channels);
    for (int point = image * points; point < (image + 1) * points; point++) {
        corners k = corners_of(grid, point, s);
        lanes d = elems_load(T, dy, point * channels + c);
        for (int p = 0; p < TAPS; p++)
            for (int q = 0; q < TAPS; q++)
                if (inside(s, k.row[p], k.column[q])) {
                    global float *at = dx + (k.row[p] * s.in[1] + k.column[q]) * channels;
                    lanes_store(lanes_load(at) + k.down[p] * k.across[q] * d, at);
                }
    }
}

/* The gradient to the positions: one work item per point. */
kernel void grid_sample_grad_grid(INPUT(T, x), INPUT(f32, grid), INPUT(T, dy), OUTPUT(f32, dgrid),
                                  resample_shape s)
{
    LOCATE(x);
    LOCATE(grid);
    LOCATE(dy);
    LOCATE(dgrid);
    int point = (int)get_global_id(0), image = point / (s.out[0] * s.out[1]), channels = s.vectors * LANES;
    if (image >= s.images)
        return;
    float du = 0.0f, dv = 0.0f;
#if KIND == BILINEAR
    corners k = corners_of(grid, point, s);
    x += image * s.in[0] * s.in[1] * channels;
    for (int p = 0; p < 2; p++)
        for (int q = 0; q < 2; q++) {
            if (!inside(s, k.row[p], k.column[q]))
                continue;
            float product = 0.0f;
            for (int c = 0; c < channels; c++)
                product += LOAD(T, dy, point * channels + c) *
                           LOAD(T, x, (k.row[p] * s.in[1] + k.column[q]) * channels + c);
            du += (q ? product : -product) * k.down[p];
            dv += (p ? product : -product) * k.across[q];
        }
    du *= k.column_slope;
    dv *= k.row_slope;
#endif
    dgrid[2 * point] = du;
    dgrid[2 * point + 1] = dv;
}
#endif

/* resample.c — separable weighted sums of pixels, and grid sampling,
 * vectorised over channels. */
#include "resample.h"
#include "typed.h"
#include <math.h>

/* ---- bytes ---------------------------------------------------------------- */

/* Plain loops over a row, which compilers vectorise. */
static void scale_bytes(const uint8_t *x, float weight, int64_t n, float *sum)
{
    for (int64_t i = 0; i < n; i++)
        sum[i] = weight * (float)x[i];
}

static void add_bytes(const uint8_t *x, float weight, int64_t n, float *sum)
{
    for (int64_t i = 0; i < n; i++)
        sum[i] += weight * (float)x[i];
}

static void add_two_rows(const uint8_t *x, const uint8_t *y, float x_weight, float y_weight, int64_t n, float *sum)
{
    for (int64_t i = 0; i < n; i++)
        sum[i] += x_weight * (float)x[i] + y_weight * (float)y[i];
}

static void round_bytes(const float *x, int64_t n, uint8_t *out)
{
    for (int64_t i = 0; i < n; i++) {
        float value = x[i] + 0.5f;
        value = value < 0.0f ? 0.0f : value;
        out[i] = (uint8_t)(int32_t)(value > 255.0f ? 255.0f : value);
    }
}

/* Weighted sums of `c` (a constant, or more than a vector holds) channels along a line. */
V_INLINE void sum_columns(const float *line, int64_t c, const struct ursa_taps *columns, int64_t out_w, float *out)
{
    for (int64_t i = 0; i < out_w; i++, out += c)
        for (int64_t k = 0; k < c; k += V_LANES) {
            vf sum = vf_zero();
            for (int32_t j = columns->begin[i]; j < columns->begin[i + 1]; j++)
                sum = vf_fma(vf_set(columns->weight[j]), vf_load(line + columns->index[j] * c + k), sum);
            vf_store(out + k, sum); /* what is too much is overwritten, or in the margin */
        }
}

static void byte_row(const uint8_t *x, int64_t pitch, int64_t w, int64_t c, const struct ursa_taps *rows, int64_t o,
                     const struct ursa_taps *columns, int64_t out_w, float *line, uint8_t *out)
{
    int64_t length = w * c;
    float *result = line + length + URSA_LINE_MARGIN;
    int32_t i = rows->begin[o], end = rows->begin[o + 1];
    scale_bytes(x + rows->index[i] * pitch, rows->weight[i], length, line);
    for (i++; i + 2 <= end; i += 2)
        add_two_rows(x + rows->index[i] * pitch, x + rows->index[i + 1] * pitch, rows->weight[i], rows->weight[i + 1],
                     length, line);
    if (i < end)
        add_bytes(x + rows->index[i] * pitch, rows->weight[i], length, line);
    memset(line + length, 0, URSA_LINE_MARGIN * sizeof *line);
    if (c == 3)
        sum_columns(line, 3, columns, out_w, result);
    else
        sum_columns(line, c, columns, out_w, result);
    round_bytes(result, out_w * c, out);
}

/* ---- positions of a grid ------------------------------------------------ */

/* A position on one axis, in pixels, and its derivative by the grid's value. */
struct position {
    float at, slope;
};

/* Folds `at` back into low … high as often as needed. */
static struct position reflect(struct position p, float low, float high)
{
    float span = high - low;
    if (span <= 0.0f)
        return (struct position){0.0f, 0.0f};
    if (p.at < low)
        p.slope = -p.slope;
    float distance = fabsf(p.at - low), flips = floorf(distance / span), rest = fmodf(distance, span);
    if (fmodf(flips, 2.0f) == 0.0f)
        return (struct position){low + rest, p.slope};
    return (struct position){high - rest, -p.slope};
}

static struct position clamp(struct position p, float high)
{
    if (p.at > 0.0f && p.at < high)
        return p;
    return (struct position){p.at >= high ? high : 0.0f, 0.0f};
}

static struct position locate(const struct ursa_grid_rules *rules, float g, int64_t size)
{
    float extent = (float)size, low = rules->align_corners ? 0.0f : -0.5f, span = extent - 1.0f - 2.0f * low;
    struct position p = {low + (g + 1.0f) * 0.5f * span, 0.5f * span};
    switch (rules->border) {
    case URSA_BORDER_ZEROS:
        /* Two pixels outside are as far away as infinity, and fit an integer;
         * so does what is not a number. */
        if (!(p.at > -2.0f && p.at < extent + 1.0f))
            p.at = -2.0f;
        return p;
    case URSA_BORDER_CLAMP:
        return clamp(p, extent - 1.0f);
    case URSA_BORDER_REFLECT:
        return clamp(reflect(p, low, low + span), extent - 1.0f);
    }
    return p;
}

/* The pixels around one position that lie in the image. */
struct corners {
    int count;
    int64_t pixel[4]; /* h w + column */
    float weight[4];
    float by_x[4], by_y[4]; /* derivatives of the weight by the grid's values */
};

static void add_corner(struct corners *corners, const struct ursa_grid_rules *rules, float x, float y, float weight,
                       float by_x, float by_y)
{
    int64_t column = (int64_t)x, line = (int64_t)y;
    if (column < 0 || column >= rules->w || line < 0 || line >= rules->h)
        return;
    int k = corners->count++;
    corners->pixel[k] = line * rules->w + column;
    corners->weight[k] = weight;
    corners->by_x[k] = by_x;
    corners->by_y[k] = by_y;
}

static struct corners find_corners(const struct ursa_grid_rules *rules, const float *grid)
{
    struct corners corners = {0};
    struct position x = locate(rules, grid[0], rules->w), y = locate(rules, grid[1], rules->h);
    if (rules->kind == URSA_RESIZE_NEAREST) {
        add_corner(&corners, rules, nearbyintf(x.at), nearbyintf(y.at), 1.0f, 0.0f, 0.0f);
        return corners;
    }
    float x0 = floorf(x.at), y0 = floorf(y.at);
    float right = x.at - x0, down = y.at - y0, left = x0 + 1.0f - x.at, up = y0 + 1.0f - y.at;
    add_corner(&corners, rules, x0, y0, left * up, -up * x.slope, -left * y.slope);
    add_corner(&corners, rules, x0 + 1.0f, y0, right * up, up * x.slope, -right * y.slope);
    add_corner(&corners, rules, x0, y0 + 1.0f, left * down, -down * x.slope, left * y.slope);
    add_corner(&corners, rules, x0 + 1.0f, y0 + 1.0f, right * down, down * x.slope, right * y.slope);
    return corners;
}

/* Points that are located together. */
#define BLOCK 32

/* The same as locate(), for the positions of a block on one axis. */
static void locate_block(const struct ursa_grid_rules *rules, const float *grid, int64_t count, int64_t size, float *at)
{
    float extent = (float)size, low = rules->align_corners ? 0.0f : -0.5f, span = extent - 1.0f - 2.0f * low;
    float values[BLOCK];
    for (int64_t i = 0; i < count; i++)
        values[i] = grid[2 * i];
    for (int64_t i = count; i < BLOCK; i++)
        values[i] = 0.0f;
    for (int64_t i = 0; i < BLOCK; i += V_LANES) {
        vf p = vf_add(vf_load(values + i), vf_set(1.0f));
        p = vf_add(vf_set(low), vf_mul(vf_mul(p, vf_set(0.5f)), vf_set(span)));
        if (rules->border == URSA_BORDER_ZEROS) {
            vm near = vm_and(vf_gt(p, vf_set(-2.0f)), vf_lt(p, vf_set(extent + 1.0f)));
            vf_store(at + i, vf_select(near, p, vf_set(-2.0f)));
            continue;
        }
        if (rules->border == URSA_BORDER_REFLECT && span > 0.0f) {
            vf distance = vf_abs(vf_sub(p, vf_set(low)));
            vf flips = vf_floor(vf_div(distance, vf_set(span)));
            vf rest = vf_fnma(flips, vf_set(span), distance);
            vm odd = vf_ne(vf_mul(vf_floor(vf_mul(flips, vf_set(0.5f))), vf_set(2.0f)), flips);
            p = vf_select(odd, vf_sub(vf_set(low + span), rest), vf_add(vf_set(low), rest));
        } else if (rules->border == URSA_BORDER_REFLECT) {
            p = vf_zero();
        }
        vf_store(at + i, vf_min(vf_max(p, vf_zero()), vf_set(extent - 1.0f)));
    }
}

#define T f32
#include "resample_kernels.h"
#undef T
#define T f16
#include "resample_kernels.h"
#undef T
#define T bf16
#include "resample_kernels.h"
#undef T

const struct ursa_simd_resample SIMD(ursa_simd_resample) = {.of = {[URSA_F32] = {row_f32, grid_f32, grid_grad_f32},
                                                                   [URSA_F16] = {row_f16, grid_f16, grid_grad_f16},
                                                                   [URSA_BF16] = {row_bf16, grid_bf16, grid_grad_bf16}},
                                                            .byte_row = byte_row};

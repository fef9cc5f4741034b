/* geometry.c — geometry of batches: the homographies of several transforms are
 * multiplied, item by item, and images, masks and points are moved once by the
 * product.
 *
 * Positions run from -1 at the centre of the first pixel to 1 at that of the
 * last. Points run from edge to edge instead, and are converted on the way, so
 * that a point stays on the pixel that it is on.
 */
#include "geometry.h"
#include "base/memory.h"
#include "tensor/tensor.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef double mat3[9];

static const mat3 identity = {1, 0, 0, 0, 1, 0, 0, 0, 1};

struct geometry {
    int64_t count, rows, columns; /* of the source */
    ursa_sampling to;
    mat3 *maps; /* [count], from the result to the source */
};

/* ---- maps ------------------------------------------------------------------------- */

static void multiply(const double *a, const double *b, double *out)
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            out[3 * i + j] = a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j];
}

/* Up to a factor, which a homography does not notice. */
static void invert(const double *m, double *out)
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            int a = (j + 1) % 3, b = (j + 2) % 3, c = (i + 1) % 3, d = (i + 2) % 3;
            out[3 * i + j] = m[3 * a + c] * m[3 * b + d] - m[3 * a + d] * m[3 * b + c];
        }
}

static bool draw_maps(const ursa_transform *list, int count, bool training, ursa_rng *rngs, struct geometry *geometry)
{
    for (int64_t i = 0; i < geometry->count; i++) {
        memcpy(geometry->maps[i], identity, sizeof identity);
        for (int k = 0; k < count; k++)
            if (!list[k].class->geometry(&list[k], training, geometry->rows, geometry->columns, &rngs[i],
                                         geometry->maps[i]))
                return false;
    }
    return true;
}

static void settle_sampling(const ursa_transform *list, int count, struct geometry *geometry)
{
    geometry->to = (ursa_sampling){.border = -1};
    for (int k = 0; k < count; k++)
        if (list[k].class->sampling)
            list[k].class->sampling(&list[k], &geometry->to);
    if (!geometry->to.rows || !geometry->to.columns) {
        geometry->to.rows = geometry->rows;
        geometry->to.columns = geometry->columns;
    }
    if (geometry->to.border < 0)
        geometry->to.border = URSA_REFLECTION;
}

static bool changes_nothing(const struct geometry *geometry)
{
    if (geometry->to.rows != geometry->rows || geometry->to.columns != geometry->columns)
        return false;
    for (int64_t i = 0; i < geometry->count; i++)
        for (int k = 0; k < 9; k++)
            if (fabs(geometry->maps[i][k] - identity[k]) > 1e-12)
                return false;
    return true;
}

/* ---- positions -------------------------------------------------------------------- */

/* The first `rows` rows of every map, transposed: [N, 3, rows]. */
static ursa_tensor *upload_maps(const mat3 *maps, int64_t count, int rows, ursa_device *device)
{
    float *data = ursa_alloc_array((size_t)(3 * rows * count) + 1, sizeof *data);
    for (int64_t n = 0; data && n < count; n++)
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < rows; j++)
                data[(3 * n + i) * rows + j] = (float)maps[n][3 * j + i];
    ursa_tensor *out = data ? ursa_from(data, ursa_shape(count, 3, rows), .device = device) : NULL;
    free(data);
    return out;
}

static float position(int64_t index, int64_t count)
{
    return count > 1 ? (float)(2.0 * (double)index / (double)(count - 1) - 1) : 0;
}

/* x, y and 1 of every pixel: [rows · columns, 3]. */
static ursa_tensor *pixel_positions(int64_t rows, int64_t columns, ursa_device *device)
{
    float *data = ursa_alloc_array((size_t)(3 * rows * columns) + 1, sizeof *data), *at = data;
    for (int64_t row = 0; data && row < rows; row++)
        for (int64_t column = 0; column < columns; column++) {
            *at++ = position(column, columns);
            *at++ = position(row, rows);
            *at++ = 1;
        }
    ursa_tensor *out = data ? ursa_from(data, ursa_shape(rows * columns, 3), .device = device) : NULL;
    free(data);
    return out;
}

static bool all_affine(const mat3 *maps, int64_t count)
{
    for (int64_t n = 0; n < count; n++)
        if (maps[n][6] != 0 || maps[n][7] != 0 || maps[n][8] != 1)
            return false;
    return true;
}

/* Positions [..., 3] through maps: [N, ..., 2]. */
static ursa_tensor *move(ursa_tensor *positions, const mat3 *maps, int64_t count)
{
    ursa_device *device = ursa_device_of(positions);
    if (all_affine(maps, count))
        return ursa_matmul(positions, upload_maps(maps, count, 2, device));
    ursa_tensor *moved = ursa_matmul(positions, upload_maps(maps, count, 3, device));
    return ursa_mul(ursa_slice(moved, -1, 0, 2, 1), ursa_reciprocal(ursa_slice(moved, -1, 2, 3, 1)));
}

/* ---- images ----------------------------------------------------------------------- */

/* How far an item zooms in: the source's extent over that of what is seen of it. */
static double zoom_of(const double *map)
{
    double low = INFINITY, high = -INFINITY;
    for (int corner = 0; corner < 4; corner++) {
        double x = corner & 1 ? 1 : -1, y = corner & 2 ? 1 : -1, depth = map[6] * x + map[7] * y + map[8];
        double at[2] = {(map[0] * x + map[1] * y + map[2]) / depth, (map[3] * x + map[4] * y + map[5]) / depth};
        for (int k = 0; k < 2; k++) {
            low = fmin(low, at[k]);
            high = fmax(high, at[k]);
        }
    }
    return 2 / (high - low);
}

/* Bilinear sampling at less than half the source's resolution would skip pixels,
 * so the source is first averaged down to twice the result's size, as fastai
 * does; but only for the items that do not zoom in by that much. */
static ursa_tensor *sample_image(const struct geometry *geometry, ursa_tensor *x, ursa_tensor *grid)
{
    const ursa_sampling *to = &geometry->to;
    double excess =
        fmin((double)geometry->rows / (double)to->rows, (double)geometry->columns / (double)to->columns) / 2;
    float *reduced = ursa_alloc_array((size_t)geometry->count + 1, sizeof *reduced);
    int64_t reduced_count = 0;
    for (int64_t n = 0; reduced && n < geometry->count; n++)
        reduced_count += (reduced[n] = excess > 1 && excess > zoom_of(geometry->maps[n])) > 0;
    ursa_border border = (ursa_border)to->border;
    ursa_tensor *whole =
        reduced && reduced_count < geometry->count ? ursa_grid_sample(x, grid, URSA_BILINEAR, border, true) : NULL;
    ursa_tensor *small = NULL;
    if (reduced_count > 0)
        small = ursa_grid_sample(ursa_adaptive_avg_pool2d(x, (int)floor((double)geometry->rows * (1 / excess)),
                                                          (int)floor((double)geometry->columns * (1 / excess))),
                                 grid, URSA_BILINEAR, border, true);
    ursa_tensor *out = whole && small ? ursa_where(ursa_cast(ursa_from(reduced, ursa_shape(geometry->count, 1, 1, 1),
                                                                       .device = ursa_device_of(x)),
                                                             URSA_BOOL),
                                                   small, whole)
                       : reduced_count == 0               ? whole
                       : reduced_count == geometry->count ? small
                                                          : NULL;
    free(reduced);
    return out;
}

static ursa_tensor *sample_mask(const struct geometry *geometry, ursa_tensor *mask, ursa_tensor *grid)
{
    ursa_tensor *pixels = ursa_unsqueeze(ursa_cast(mask, URSA_F32), -1);
    ursa_tensor *out = ursa_grid_sample(pixels, grid, URSA_NEAREST, (ursa_border)geometry->to.border, true);
    return ursa_cast(ursa_squeeze(out, -1), URSA_I64);
}

/* ---- points ----------------------------------------------------------------------- */

/* From positions between edges to positions between the centres of the outermost pixels. */
static double to_centres(int64_t pixels)
{
    return pixels > 1 ? (double)pixels / (double)(pixels - 1) : 1;
}

static ursa_tensor *move_points(const struct geometry *geometry, ursa_tensor *points)
{
    mat3 *maps = ursa_alloc_array((size_t)geometry->count + 1, sizeof *maps);
    if (!maps)
        return NULL;
    mat3 before = {to_centres(geometry->columns), 0, 0, 0, to_centres(geometry->rows), 0, 0, 0, 1};
    mat3 after = {1 / to_centres(geometry->to.columns), 0, 0, 0, 1 / to_centres(geometry->to.rows), 0, 0, 0, 1};
    for (int64_t n = 0; n < geometry->count; n++) {
        mat3 inverse, half;
        invert(geometry->maps[n], inverse);
        multiply(inverse, before, half);
        multiply(after, half, maps[n]);
        for (int k = 0; k < 9; k++)
            maps[n][k] /= inverse[8];
    }
    ursa_tensor *one = ursa_ones(ursa_shape(geometry->count, ursa_dim(points, 1), 1), .device = ursa_device_of(points));
    ursa_tensor *out = move(ursa_concat((ursa_tensor *[]){points, one}, 2, 2), maps, geometry->count);
    free(maps);
    return out;
}

/* ---- all of it -------------------------------------------------------------------- */

static ursa_tensor *apply(const struct geometry *geometry, ursa_kind kind, ursa_tensor *tensor, ursa_tensor *grid)
{
    switch (kind) {
    case URSA_KIND_IMAGE:
        return sample_image(geometry, tensor, grid);
    case URSA_KIND_MASK:
        return sample_mask(geometry, tensor, grid);
    case URSA_KIND_POINTS:
        return move_points(geometry, tensor);
    default:
        return tensor;
    }
}

static bool move_batch(const struct geometry *geometry, ursa_transform_batch *batch)
{
    const ursa_sampling *to = &geometry->to;
    ursa_tensor *places = pixel_positions(to->rows, to->columns, ursa_device_of(batch->x));
    ursa_tensor *grid = places ? move(places, geometry->maps, geometry->count) : NULL;
    grid = ursa_reshape(grid, ursa_shape(geometry->count, to->rows, to->columns, 2));
    if (!grid)
        return false;
    batch->x = apply(geometry, batch->x_kind, batch->x, grid);
    if (batch->x && batch->y && !(batch->y = apply(geometry, batch->y_kind, batch->y, grid)))
        return false;
    return batch->x;
}

bool ursa_geometry_run(const ursa_transform *list, int count, bool training, ursa_transform_batch *batch)
{
    if (batch->x_kind != URSA_KIND_IMAGE && batch->x_kind != URSA_KIND_MASK)
        return ursa_fail(URSA_ERROR_ARGUMENT, "%s: the input is no image, which geometry is for", list->class->name);
    struct geometry geometry = {
        .count = ursa_dim(batch->x, 0), .rows = ursa_dim(batch->x, 1), .columns = ursa_dim(batch->x, 2)};
    if (geometry.rows < 1 || geometry.columns < 1)
        return ursa_fail(URSA_ERROR_SHAPE, "%s: images of %" PRId64 " × %" PRId64 " pixels, expected one or more",
                         list->class->name, geometry.columns, geometry.rows);
    if (!(geometry.maps = ursa_alloc_array((size_t)geometry.count + 1, sizeof *geometry.maps)))
        return false;
    settle_sampling(list, count, &geometry);
    bool done = draw_maps(list, count, training, batch->rngs, &geometry) &&
                (changes_nothing(&geometry) || move_batch(&geometry, batch));
    free(geometry.maps);
    return done;
}

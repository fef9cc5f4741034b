/* light.c — colours of batches: the affine maps of several transforms are
 * multiplied, item by item, and applied once to the logits of the pixels, as
 * fastai's lighting does: light added to a pixel that is nearly white makes it a
 * little whiter, and never more than white.
 */
#include "light.h"
#include "base/memory.h"
#include "tensor/tensor.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Beyond these, logits are those of these: f32 has no more to tell. */
static const double darkest = 1e-7, brightest = 1 - 1e-7;

typedef double colour_map[12];

static const colour_map identity = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};

static colour_map *draw_maps(const ursa_transform *list, int count, const ursa_transform_batch *batch)
{
    int64_t items = ursa_dim(batch->x, 0);
    colour_map *maps = ursa_alloc_array((size_t)items + 1, sizeof *maps);
    for (int64_t n = 0; maps && n < items; n++) {
        memcpy(maps[n], identity, sizeof identity);
        for (int k = 0; k < count; k++)
            if (!list[k].class->light(&list[k], &batch->rngs[n], maps[n])) {
                free(maps);
                return NULL;
            }
    }
    return maps;
}

/* The same for all channels, each by itself. */
static bool is_plain(const colour_map *maps, int64_t items)
{
    for (int64_t n = 0; n < items; n++)
        for (int i = 0; i < 12; i++)
            if (i % 4 == 3 ? maps[n][i] != maps[n][3] : maps[n][i] != (i % 5 == 0 ? maps[n][0] : 0))
                return false;
    return true;
}

/* Logits with the sign turned, which what they are multiplied by turns back. */
static ursa_tensor *negative_logits(ursa_tensor *x)
{
    return ursa_log(ursa_add_scalar(ursa_reciprocal(ursa_clamp(x, darkest, brightest)), -1));
}

/* A grey pixel is one of three equal channels. */
static ursa_tensor *scale_and_shift(ursa_tensor *x, const colour_map *maps, int64_t items)
{
    float *numbers = ursa_alloc_array(2 * (size_t)items + 1, sizeof *numbers);
    for (int64_t n = 0; numbers && n < items; n++) {
        numbers[n] = (float)-(maps[n][0] + maps[n][1] + maps[n][2]);
        numbers[items + n] = (float)maps[n][3];
    }
    ursa_dims each = ursa_shape(items, 1, 1, 1);
    ursa_device *device = ursa_device_of(x);
    ursa_tensor *out = numbers ? negative_logits(x) : NULL;
    bool done = out && ursa_mul_(out, ursa_from(numbers, each, .device = device)) &&
                ursa_add_(out, ursa_from(numbers + items, each, .device = device), 1);
    free(numbers);
    return done ? out : NULL;
}

static ursa_tensor *mix(ursa_tensor *x, const colour_map *maps, int64_t items)
{
    float *matrix = ursa_alloc_array(12 * (size_t)items + 1, sizeof *matrix), *shift = matrix + 9 * items;
    for (int64_t n = 0; matrix && n < items; n++)
        for (int to = 0; to < 3; to++) {
            for (int from = 0; from < 3; from++)
                matrix[9 * n + 3 * from + to] = (float)-maps[n][4 * to + from];
            shift[3 * n + to] = (float)maps[n][4 * to + 3];
        }
    ursa_device *device = ursa_device_of(x);
    ursa_tensor *pixels = matrix ? ursa_reshape(negative_logits(x), ursa_shape(items, -1, 3)) : NULL;
    ursa_tensor *mixed =
        pixels ? ursa_matmul(pixels, ursa_from(matrix, ursa_shape(items, 3, 3), .device = device)) : NULL;
    ursa_tensor *out = mixed ? ursa_add(mixed, ursa_from(shift, ursa_shape(items, 1, 3), .device = device)) : NULL;
    free(matrix);
    return ursa_reshape(out, ursa_dims_of(x));
}

bool ursa_light_run(const ursa_transform *list, int count, ursa_transform_batch *batch)
{
    if (batch->x_kind != URSA_KIND_IMAGE || ursa_ndim(batch->x) != 4 ||
        (ursa_dim(batch->x, 3) != 1 && ursa_dim(batch->x, 3) != 3))
        return ursa_fail(URSA_ERROR_ARGUMENT, "%s: the input is no image of 1 or 3 channels, whose light it changes",
                         list->class->name);
    int64_t items = ursa_dim(batch->x, 0);
    colour_map *maps = draw_maps(list, count, batch);
    if (!maps)
        return false;
    bool plain = ursa_dim(batch->x, 3) == 1 || is_plain(maps, items);
    batch->x = ursa_sigmoid(plain ? scale_and_shift(batch->x, maps, items) : mix(batch->x, maps, items));
    free(maps);
    return batch->x;
}

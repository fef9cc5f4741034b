/* image_data.c — from a path to loaders of normalised images. */
#include "image_data.h"
#include "base/memory.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { STATS_ITEMS = 2000 };

static bool check_options(const ursa_image_data_options *options)
{
    if (options->size < 0 || options->size > 4096)
        return ursa_fail(URSA_ERROR_ARGUMENT, "size is %d; expected 1 to 4096 pixels", options->size);
    if (options->batch_size < 0)
        return ursa_fail(URSA_ERROR_ARGUMENT, "batch size is %d; expected 1 or more", options->batch_size);
    return true;
}

static bool open_sets(const char *path, const ursa_image_data_options *options, struct image_sets *sets)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return ursa_fail(URSA_ERROR_ARGUMENT,
                         "%s: not a folder; expected one with a folder of images per class, or "
                         "with IDX files",
                         path);
    return ursa_is_idx_folder(path) ? ursa_open_idx_folder(path, options, sets)
                                    : ursa_open_class_folders(path, options, sets);
}

static bool hold_out(struct image_sets *sets, const ursa_image_data_options *options)
{
    if (sets->valid)
        return true;
    double share = options->valid_pct > 0 ? options->valid_pct : 0.2;
    ursa_dataset *whole = sets->train;
    uint64_t seed = options->seed ? options->seed : ursa_seed();
    bool split = ursa_random_split(whole, share, seed, &sets->train, &sets->valid);
    ursa_dataset_free(whole);
    if (split && (ursa_dataset_count(sets->train) == 0 || ursa_dataset_count(sets->valid) == 0))
        return ursa_fail(URSA_ERROR_ARGUMENT, "%lld images are too few to hold out %g of them for validation",
                         (long long)(ursa_dataset_count(sets->train) + ursa_dataset_count(sets->valid)), share);
    return split;
}

/* Sums over the pixels of up to STATS_ITEMS items, spread over the set. Integers,
 * so that no order matters. */
static bool measure(ursa_dataset *dataset, bool strict, ursa_image_stats *stats)
{
    const ursa_item_layout *layout = ursa_dataset_layout(dataset);
    int64_t count = ursa_dataset_count(dataset), pixels = layout->x_shape.dim[0] * layout->x_shape.dim[1];
    int64_t step = count > STATS_ITEMS ? count / STATS_ITEMS : 1, seen = 0;
    int channels = (int)layout->x_shape.dim[2];
    uint64_t sum[3] = {0}, squares[3] = {0};
    uint8_t *x = ursa_alloc((size_t)(pixels * channels) + 1);
    bool fine = x;
    for (int64_t i = 0; fine && i < count; i += step) {
        ursa_rng rng = ursa_rng_new(0, URSA_PURPOSE_USER, (uint64_t)i);
        int64_t y;
        if (!ursa_dataset_get(dataset, i, &rng, x, &y)) {
            fine = !strict;
            if (fine)
                ursa_clear_error();
            continue;
        }
        for (int64_t p = 0; p < pixels * channels; p++) {
            sum[p % channels] += x[p];
            squares[p % channels] += (uint64_t)x[p] * x[p];
        }
        seen++;
    }
    free(x);
    *stats = (ursa_image_stats){.channels = channels};
    for (int c = 0; c < channels; c++) {
        double n = (double)(seen * pixels), mean = (double)sum[c] / n;
        double variance = (double)squares[c] / n - mean * mean;
        stats->mean[c] = (float)(mean / 255);
        stats->std[c] = variance > 1 ? (float)(sqrt(variance) / 255) : 1;
    }
    return fine && (seen > 0 || ursa_fail(URSA_ERROR_ARGUMENT, "the training set has no image that can be read"));
}

static bool make_loaders(ursa_image_data *data, struct image_sets *sets, const ursa_image_data_options *options)
{
    int batch = options->batch_size ? options->batch_size : 64;
    int64_t items = ursa_dataset_count(sets->train);
    data->loaders.train = ursa_dataloader_new(sets->train, .batch_size = items < batch ? (int)items : batch,
                                              .shuffle = true, .drop_last = true, .strict = options->strict);
    sets->train = NULL;
    data->loaders.valid = ursa_dataloader_new(sets->valid, .batch_size = 2 * batch, .strict = options->strict);
    sets->valid = NULL;
    return data->loaders.train && data->loaders.valid;
}

ursa_image_data *ursa_image_data_open_opt(const char *path, const ursa_image_data_options *options)
{
    struct image_sets sets = {0};
    ursa_image_data *data = check_options(options) ? ursa_alloc(sizeof *data) : NULL;
    bool opened = data && open_sets(path, options, &sets) && hold_out(&sets, options) &&
                  measure(sets.train, options->strict, &data->stats) && make_loaders(data, &sets, options);
    ursa_dataset_free(sets.train);
    ursa_dataset_free(sets.valid);
    if (!opened) {
        ursa_image_data_free(data);
        return NULL;
    }
    ursa_dataset *train = ursa_dataloader_dataset(data->loaders.train);
    data->skipped = sets.skipped;
    data->size = (int)ursa_dataset_layout(train)->x_shape.dim[0];
    data->channels = (int)ursa_dataset_layout(train)->x_shape.dim[2];
    data->class_count = ursa_dataset_classes(train, &data->classes);
    return data;
}

void ursa_image_data_free(ursa_image_data *data)
{
    if (!data)
        return;
    ursa_dataloader_free(data->loaders.train);
    ursa_dataloader_free(data->loaders.valid);
    free(data);
}

ursa_tensor *ursa_normalize_images(void *context, ursa_tensor *x)
{
    const ursa_image_stats *stats = context;
    float scale[3], shift[3];
    if (!x || !stats)
        return NULL;
    for (int c = 0; c < stats->channels; c++) {
        scale[c] = 1 / (255 * stats->std[c]);
        shift[c] = -stats->mean[c] / stats->std[c];
    }
    ursa_device *device = ursa_device_of(x);
    ursa_tensor *floats = ursa_cast(x, URSA_F32);
    if (stats->channels == 1)
        return ursa_add_scalar(ursa_mul_scalar(floats, scale[0]), shift[0]);
    ursa_dims shape = ursa_shape(stats->channels);
    return ursa_add(ursa_mul(floats, ursa_from(scale, shape, .device = device)),
                    ursa_from(shift, shape, .device = device));
}

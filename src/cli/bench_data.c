/* bench_data.c — `ursa bench data`: pictures from their files to batches for training. */
#include "bench.h"

#include <math.h>
#include <stdio.h>

/* One epoch. */
struct epochs {
    ursa_dataloaders *loaders;
    int64_t epoch, images;
};

static bool run_epoch(void *context)
{
    struct epochs *epochs = context;
    epochs->images = 0;
    if (!ursa_dataloader_start(epochs->loaders->train, epochs->epoch++))
        return false;
    for (bool more = true; more;) {
        ursa_batch batch;
        ursa_scope *scope = ursa_scope_begin();
        more = ursa_dataloader_next(epochs->loaders->train, &batch);
        epochs->images += more ? batch.count : 0;
        ursa_scope_end(scope);
    }
    return !ursa_error();
}

/* Random crops of a folder's pictures, flipped by chance, as normalised floats. */
bool bench_data(void)
{
    if (!bench.data)
        return ursa_fail(URSA_ERROR_ARGUMENT, "bench data: --data says which folder of pictures");
    ursa_datablock *block =
        ursa_datablock_new(.blocks = {ursa_image_block(), ursa_category_block()}, .get_items = ursa_get_image_files,
                           .splitter = ursa_no_splitter, .get_y = ursa_parent_label,
                           .item_tfms = {ursa_random_resized_crop(bench.size, .min_scale = 0.35)},
                           .batch_tfms = {ursa_flip_tfm(), ursa_normalize(ursa_imagenet_stats)});
    struct epochs epochs = {.loaders = ursa_dataloaders_new(block, bench.data, .batch_size = bench.batch)};
    double seconds = epochs.loaders ? bench_median(run_epoch, &epochs, 0.1) : NAN;
    double rate = (double)epochs.images / seconds;
    if (!isnan(seconds) && !bench.turns && bench.json)
        printf("{\"what\":\"data\",\"size\":%d,\"bs\":%d,\"images_per_s\":%.1f}\n", bench.size, bench.batch, rate);
    else if (!isnan(seconds) && !bench.turns)
        printf("data: %lld pictures cropped to %d px, batch %d: %.1f images/s\n", (long long)epochs.images, bench.size,
               bench.batch, rate);
    ursa_dataloaders_free(epochs.loaders);
    ursa_datablock_free(block);
    return !isnan(seconds);
}

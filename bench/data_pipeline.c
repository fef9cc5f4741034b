/* data_pipeline.c — how fast photographs become batches: files, decoded, cropped
 * at random, resized to 224 × 224, normalised.
 *
 *     data_pipeline FOLDER THREADS EPOCHS     prints images per second, a line per epoch
 */
#include <ursa/ursa.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Images of one epoch; each batch is waited for. */
static int64_t run_epoch(ursa_dataloader *loader, int64_t epoch)
{
    int64_t images = 0;
    bool more = ursa_dataloader_start(loader, epoch);
    while (more) {
        ursa_batch batch;
        ursa_scope *scope = ursa_scope_begin();
        more = ursa_dataloader_next(loader, &batch) && ursa_device_sync(ursa_default_device());
        images += batch.count;
        ursa_scope_end(scope);
    }
    return images;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s FOLDER THREADS EPOCHS\n", argv[0]);
        return 2;
    }
    ursa_set_threads(atoi(argv[2]));
    ursa_set_default_device(ursa_device_open("cpu"));
    ursa_datablock *block = ursa_datablock_new(.blocks = {ursa_image_block(.channels = 3), ursa_category_block()},
                                               .get_items = ursa_get_image_files, .splitter = ursa_no_splitter,
                                               .get_y = ursa_parent_label, .item_tfms = {ursa_random_resized_crop(224)},
                                               .batch_tfms = {ursa_normalize(ursa_imagenet_stats)});
    ursa_dataloaders *loaders = ursa_dataloaders_new(block, argv[1], .batch_size = 64, .prefetch = 4);
    for (int epoch = 0; loaders && epoch < atoi(argv[3]) && !ursa_error(); epoch++) {
        double start = seconds();
        int64_t images = run_epoch(loaders->train, epoch);
        printf("%.1f\n", (double)images / (seconds() - start));
        fflush(stdout);
    }
    return ursa_finish();
}

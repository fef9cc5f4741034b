/* planet.c — pictures with any number of labels, from a table: Kaggle's "Planet:
 * understanding the Amazon from space", trained at 128 px and then, the same
 * learner, at 256 px.
 *
 *     planet FOLDER [SIZE [WEIGHTS]]
 *
 * FOLDER holds train_v2.csv (image_name,tags; tags apart by spaces) and the
 * pictures in train-jpg. SIZE is the first of the two sizes, 128; WEIGHTS a file
 * that the network starts from instead of ImageNet's. Leaves planet_batch.png and
 * planet.ursa in the current folder.
 */
#include <ursa/ursa.h>

#include <stdio.h>
#include <stdlib.h>

/* The pictures of the table at a size. Satellites know no up and down. */
static ursa_dataloaders *load(const char *path, const ursa_frame *table, int size)
{
    ursa_datablock *planet = ursa_datablock_new(
            .blocks = {ursa_image_block(), ursa_multi_category_block()},
            .splitter = ursa_random_splitter(.valid_pct = 0.2, .seed = 42),
            .get_x = ursa_column("image_name", .prefix = "train-jpg/", .suffix = ".jpg"),
            .get_y = ursa_column("tags", .delim = " "),
            .item_tfms = {ursa_resize(size)},
            .batch_tfms = {
                ursa_aug_transforms(.flip_vert = true, .max_lighting = 0.1, .max_zoom = 1.05, .max_warp = -1)});
    return ursa_dataloaders_of_frame(planet, table, path, .batch_size = 16);
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "data/planet";
    int size = argc > 2 ? atoi(argv[2]) : 128;
    char csv[4096];
    snprintf(csv, sizeof csv, "%s/train_v2.csv", path);

    ursa_set_log(URSA_LOG_WARN, NULL, NULL);
    ursa_frame *table = ursa_read_csv(csv);
    ursa_frame_head(table, 5);

    ursa_dataloaders *small = load(path, table, size);
    ursa_show_batch(small, "planet_batch.png", .max_n = 9);
    ursa_learner *learn = ursa_vision_learner(
        small,
        ursa_resnet18,
        .metrics =
            {ursa_accuracy_multi(.threshold = 0.2),
             ursa_fbeta(2, .name = "f2", .average = URSA_SAMPLES, .threshold = 0.2)},
        .pretrained = argc > 3 ? argv[3] : NULL);
    ursa_fine_tune(learn, 4);

    /* What was learned at one size goes on at twice the size. */
    ursa_learner_set_data(learn, load(path, table, 2 * size));
    ursa_freeze(learn);
    ursa_fit_one_cycle(learn, 1, 3e-3);
    ursa_unfreeze(learn);
    ursa_fit_one_cycle(learn, 3, 2e-3, .lr_first = 2e-4);

    ursa_export(learn, "planet.ursa");
    ursa_frame_free(table);
    return ursa_finish();
}

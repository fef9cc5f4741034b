/* bears.c — the course's first script: from a folder of pictures, a folder per
 * kind, to a network that tells the kinds apart, with a look at what it was
 * given, at how it learned and at what it gets wrong.
 *
 *     bears FOLDER [PICTURE [SIZE [WEIGHTS]]]
 *
 * SIZE is that of the pictures, 128 pixels; WEIGHTS a file that the network starts
 * from. Without it these are ImageNet's, if `ursa weights get resnet18` has
 * brought them.
 *
 * Leaves batch.png, lr_find.png, losses.png, confusion.png, top_losses.png and
 * the model, bears.ursa, in the current folder.
 */
#include <ursa/ursa.h>

#include <stdlib.h>

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "data/bears";
    int size = argc > 3 ? atoi(argv[3]) : 128;
    ursa_set_log(URSA_LOG_WARN, NULL, NULL); /* say so when there are no weights, or a file is no picture */

    ursa_datablock *bears = ursa_datablock_new(
            .blocks = {ursa_image_block(), ursa_category_block()},
            .get_items = ursa_get_image_files,
            .splitter = ursa_random_splitter(.valid_pct = 0.2, .seed = 42),
            .get_y = ursa_parent_label,
            .item_tfms = {ursa_resize(size)});

    bears = ursa_datablock_with(
        bears, .item_tfms = {ursa_random_resized_crop(size, .min_scale = 0.5)}, .batch_tfms = {ursa_aug_transforms()});

    ursa_dataloaders *dls = ursa_dataloaders_new(bears, path);
    ursa_show_batch(dls, "batch.png", .max_n = 8, .rows = 2, .unique = true);

    ursa_learner *learn =
        ursa_vision_learner(dls, ursa_resnet18, .metrics = {ursa_error_rate}, .pretrained = argc > 4 ? argv[4] : NULL);
    ursa_lr_found found;
    ursa_lr_find(learn, &found);
    ursa_plot_lr_find(&found, "lr_find.png");
    ursa_lr_found_clear(&found);

    ursa_fine_tune(learn, 4);
    ursa_plot_losses(learn, "losses.png");

    ursa_interpretation *interp = ursa_interpret(learn);
    ursa_plot_confusion_matrix(interp, "confusion.png");
    ursa_plot_top_losses(interp, 5, "top_losses.png");
    ursa_export(learn, "bears.ursa");

    ursa_learner *saved = ursa_load_learner("bears.ursa");
    ursa_print_prediction(ursa_predict(saved, argc > 2 ? argv[2] : "data/bears/grizzly/00000068.jpg"));
    return ursa_finish(); /* prints the first error, if any; frees what is left */
}

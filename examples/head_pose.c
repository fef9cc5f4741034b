/* head_pose.c — where is the centre? A network that puts out the two numbers of a
 * point: the face-centre lesson on the BIWI data, or any table of points.
 *
 *     head_pose FOLDER [SIZE [WEIGHTS]]
 *
 * FOLDER holds centres.csv (file,x,y in pixels) and the pictures. WEIGHTS is a file
 * that the network starts from instead of ImageNet's. Leaves
 * head_pose_results.png and head_pose.ursa in the current folder.
 */
#include <ursa/ursa.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "data/biwi";
    int size = argc > 2 ? atoi(argv[2]) : 64;
    char csv[4096];
    snprintf(csv, sizeof csv, "%s/centres.csv", path);

    ursa_set_log(URSA_LOG_WARN, NULL, NULL);
    ursa_frame *table = ursa_read_csv(csv);
    ursa_datablock *block = ursa_datablock_new(
        .blocks = {ursa_image_block(), ursa_point_block(.count = 1)},
        .splitter = ursa_random_splitter(.valid_pct = 0.2, .seed = 42),
        .get_x = ursa_column("file"),
        .get_y = ursa_columns(ursa_names("x", "y")),
        .item_tfms = {ursa_resize(size, .method = URSA_SQUISH)},
        .batch_tfms = {ursa_aug_transforms(.max_warp = -1)});
    ursa_dataloaders *dls = ursa_dataloaders_of_frame(block, table, path, .batch_size = 16);

    /* Points lie within the picture, -1 … 1: the head's y_range says so. */
    ursa_learner *learn = ursa_vision_learner(dls, ursa_resnet18, .metrics = {ursa_mae()},
        .head = {.y_range = {-1, 1}, .dropout = -1}, .pretrained = argc > 3 ? argv[3] : NULL);
    ursa_unfreeze(learn);
    ursa_fit_one_cycle(learn, 16, 5e-3);

    ursa_show_results(learn, "head_pose_results.png");
    ursa_export(learn, "head_pose.ursa");
    ursa_frame_free(table);
    return ursa_finish();
}

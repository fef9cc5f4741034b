/* head_pose.c — where is the centre? A network that puts out the two numbers of a
 * point: the face-centre lesson.
 *
 *     head_pose FOLDER [SIZE]
 *
 * FOLDER is the BIWI data (`ursa data get BIWI_HEAD_POSE`): a folder per person, with
 * frame_N_rgb.jpg, the head's place in space in frame_N_pose.txt, and the camera in
 * rgb.cal; or any pictures with a table of their centres, centres.csv (file,x,y in
 * pixels). SIZE is that of the pictures, 64. Leaves head_pose_results.png and
 * head_pose.ursa in the current folder.
 */
#include <ursa/ursa.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads numbers of a text file, behind `skip` of them. */
static bool read_numbers(const char *path, int skip, double *out, int count)
{
    FILE *file = fopen(path, "r");
    int found = 0;
    for (double number; file && found < skip + count && fscanf(file, "%lf", &number) == 1; found++)
        if (found >= skip)
            out[found - skip] = number;
    if (file)
        fclose(file);
    return found == skip + count ||
           ursa_fail(URSA_ERROR_FORMAT, "%s: %d numbers; expected %d", path, found, skip + count);
}

/* Where the camera sees the middle of the head: its place in space, which stands
 * behind the nine numbers of its rotation, through the camera's 3 × 3 matrix. */
static bool biwi_centre(void *context, const ursa_data_item *item, ursa_found *found)
{
    const double *camera = context;
    char pose[4096];
    double at[3];
    int stem = (int)(strlen(item->path) - strlen("rgb.jpg"));
    snprintf(pose, sizeof pose, "%.*spose.txt", stem > 0 ? stem : 0, item->path);
    return read_numbers(pose, 9, at, 3) && ursa_found_add_number(found, at[0] * camera[0] / at[2] + camera[2]) &&
           ursa_found_add_number(found, at[1] * camera[4] / at[2] + camera[5]);
}

/* One person for validation: neighbouring frames are too much alike. */
static ursa_part biwi_part(void *context, const ursa_data_item *item)
{
    (void)context;
    return strstr(item->path, "/13/") ? URSA_PART_VALID : URSA_PART_TRAIN;
}

static ursa_dataloaders *load(const char *path, int size)
{
    static double camera[9];
    char file[4096];
    ursa_datablock *points = ursa_datablock_new(
            .blocks = {ursa_image_block(), ursa_point_block(.count = 1)},
            .splitter = ursa_random_splitter(.valid_pct = 0.2, .seed = 42),
            .get_x = ursa_column("file"),
            .get_y = ursa_columns(ursa_names("x", "y")),
            .item_tfms = {ursa_resize(size, .method = URSA_SQUISH)},
            .batch_tfms = {ursa_aug_transforms(.max_warp = -1)});

    snprintf(file, sizeof file, "%s/centres.csv", path);
    if (access(file, R_OK) == 0)
        return ursa_dataloaders_of_frame(points, ursa_read_csv(file), path, .batch_size = 16);

    snprintf(file, sizeof file, "%s/01/rgb.cal", path);
    if (!read_numbers(file, 0, camera, 9))
        return NULL;
    ursa_datablock *biwi = ursa_datablock_new(
            .blocks = {ursa_image_block(), ursa_point_block(.count = 1)},
            .get_items = ursa_get_image_files,
            .splitter = ursa_function_splitter(biwi_part, NULL),
            .get_y = ursa_label_function(biwi_centre, camera),
            .item_tfms = {ursa_resize(size, .method = URSA_SQUISH)},
            .batch_tfms = {ursa_aug_transforms(.max_warp = -1)});
    return ursa_dataloaders_new(biwi, path, .batch_size = 16);
}

int main(int argc, char **argv)
{
    ursa_set_log(URSA_LOG_WARN, NULL, NULL);
    ursa_dataloaders *dls = load(argc > 1 ? argv[1] : "data/biwi", argc > 2 ? atoi(argv[2]) : 64);

    /* Points lie within the picture, -1 … 1: the head's y_range says so. Noise in
     * the features would move them, hence no dropout. */
    ursa_learner *learn =
        ursa_vision_learner(dls, ursa_resnet18, .metrics = {ursa_mae()}, .head = {.y_range = {-1, 1}, .dropout = -1});
    ursa_unfreeze(learn);
    ursa_fit_one_cycle(learn, 16, 5e-3);

    ursa_show_results(learn, "head_pose_results.png");
    ursa_export(learn, "head_pose.ursa");
    return ursa_finish();
}

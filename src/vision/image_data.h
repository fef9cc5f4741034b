/* image_data.h — the two kinds of image data, behind ursa_image_data_open(). */
#ifndef URSA_VISION_IMAGE_DATA_H
#define URSA_VISION_IMAGE_DATA_H

#include <ursa/vision.h>

/* A training and a validation set, the latter NULL where the data has none. */
struct image_sets {
    ursa_dataset *train, *valid;
    int64_t skipped;
};

bool ursa_is_idx_folder(const char *path);
bool ursa_open_idx_folder(const char *path, const ursa_image_data_options *options, struct image_sets *sets);
bool ursa_open_class_folders(const char *path, const ursa_image_data_options *options, struct image_sets *sets);

#endif

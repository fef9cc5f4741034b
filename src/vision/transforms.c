/* transforms.c — the list of all transforms of images, and how they read their
 * options. */
#include "transforms.h"

static const ursa_transform_class *const classes[] = {
    &ursa_resize_class,
    &ursa_random_resized_crop_class,
    &ursa_crop_pad_class,
    &ursa_random_crop_class,
    &ursa_aug_transforms_class,
    &ursa_flip_class,
    &ursa_dihedral_class,
    &ursa_rotate_class,
    &ursa_zoom_class,
    &ursa_warp_class,
    &ursa_random_resized_crop_batch_class,
    &ursa_hue_class,
    &ursa_brightness_class,
    &ursa_contrast_class,
    &ursa_saturation_class,
    &ursa_normalize_class,
    &ursa_random_erasing_class,
};

const ursa_transform_class *const *ursa_vision_transform_classes(int *count)
{
    *count = (int)(sizeof classes / sizeof *classes);
    return classes;
}

double ursa_option(double value, double standard)
{
    return value < 0 ? 0 : value == 0 ? standard : value;
}

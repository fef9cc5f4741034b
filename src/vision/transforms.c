/* transforms.c — the list of all transforms of images. */
#include "transforms.h"

static const ursa_transform_class *const classes[] = {
    &ursa_resize_class,
    &ursa_random_resized_crop_class,
    &ursa_crop_pad_class,
    &ursa_random_crop_class,
};

const ursa_transform_class *const *ursa_vision_transform_classes(int *count)
{
    *count = (int)(sizeof classes / sizeof *classes);
    return classes;
}

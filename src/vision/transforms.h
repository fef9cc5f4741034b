/* transforms.h — the classes of transforms of images. */
#ifndef URSA_VISION_TRANSFORMS_H
#define URSA_VISION_TRANSFORMS_H

#include <ursa/image.h>

/* An option as headers define it: 0 means `standard`, below 0 means 0. */
double ursa_option(double value, double standard);

extern const ursa_transform_class ursa_resize_class, ursa_random_resized_crop_class, ursa_crop_pad_class,
    ursa_random_crop_class;

#endif

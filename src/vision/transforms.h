/* transforms.h — the classes of transforms of images, and what they share. */
#ifndef URSA_VISION_TRANSFORMS_H
#define URSA_VISION_TRANSFORMS_H

#include <ursa/image.h>

/* ursa_transform_class.order of transforms of batches. */
enum {
    URSA_ORDER_WARP = 29,
    URSA_ORDER_GEOMETRY = 30,
    URSA_ORDER_HUE = 35,
    URSA_ORDER_LIGHT = 40,
    URSA_ORDER_NORMALIZE = 90,
    URSA_ORDER_ERASING = 100,
};

/* An option as headers define it: 0 means `standard`, below 0 means 0. */
double ursa_option(double value, double standard);

/* ---- random rectangles ------------------------------------------------------------------ */

struct ursa_rectangle {
    int left, top, columns, rows;
};

struct ursa_crop_rules {
    double min_scale, least_ratio, most_ratio; /* ratio: columns / rows */
};

/* False, with an error in the name of a transform, when they make no sense. */
bool ursa_crop_rules_hold(const char *name, const struct ursa_crop_rules *rules);
struct ursa_rectangle ursa_random_rectangle(const struct ursa_crop_rules *rules, int rows, int columns, ursa_rng *rng);
/* The largest in the middle that has one of the proportions. */
struct ursa_rectangle ursa_middle_rectangle(const struct ursa_crop_rules *rules, int rows, int columns);

/* ---- classes ---------------------------------------------------------------------------- */

extern const ursa_transform_class ursa_resize_class, ursa_random_resized_crop_class, ursa_crop_pad_class,
    ursa_random_crop_class;
extern const ursa_transform_class ursa_flip_class, ursa_dihedral_class, ursa_rotate_class, ursa_zoom_class,
    ursa_warp_class, ursa_random_resized_crop_batch_class;
extern const ursa_transform_class ursa_brightness_class, ursa_contrast_class, ursa_saturation_class, ursa_hue_class;
extern const ursa_transform_class ursa_aug_transforms_class, ursa_normalize_class, ursa_random_erasing_class;

#endif

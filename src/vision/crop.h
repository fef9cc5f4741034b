/* crop.h — the one thing that all transforms of items do: take a rectangle of a
 * picture, which may reach over its edges, and resize it.
 */
#ifndef URSA_VISION_CROP_H
#define URSA_VISION_CROP_H

#include <ursa/image.h>

struct ursa_crop {
    int left, top, columns, rows; /* of the picture, upright */
    int out_columns, out_rows;
    ursa_padding padding;
};

/* Applies it to an image and to its mask or points; what is neither stays. A
 * picture still in its file is read only as far as it is needed. */
bool ursa_crop_item(ursa_value *x, ursa_value *y, const struct ursa_crop *crop);

/* Whether it is something to crop. */
bool ursa_is_picture(const ursa_value *value);

/* Reads the pixels of a picture; the `decode` of values that are still in their files. */
bool ursa_image_value_decode(ursa_value *value);

#endif

/* resample.h — images at other sizes. */
#ifndef URSA_VISION_RESAMPLE_H
#define URSA_VISION_RESAMPLE_H

#include "picture.h"

/* What is in the box of an image, at rows × columns, antialiased: a triangle
 * filter as wide as a source pixel's step, cut off at the box. */
bool ursa_resample(const ursa_image *image, const struct ursa_box *box, int rows, int columns, ursa_image *out);
/* The pixels whose centres are nearest; for masks. */
bool ursa_resample_nearest(const ursa_image *image, const struct ursa_box *box, int rows, int columns, ursa_image *out);

#endif

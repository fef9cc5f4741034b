/* exif.h — the way up of a photograph. */
#ifndef URSA_VISION_EXIF_H
#define URSA_VISION_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* The orientation, 1 … 8, that a TIFF structure of `size` bytes (the body of an
 * EXIF segment) gives in its first directory; 1 when it gives none that makes
 * sense. */
int ursa_exif_orientation(const uint8_t *tiff, size_t size);

#endif

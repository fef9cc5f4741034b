/* jpeg_head.h — what the head of a JPEG file says. */
#ifndef URSA_VISION_JPEG_HEAD_H
#define URSA_VISION_JPEG_HEAD_H

#include "picture.h"

/* Fills in rows, columns, channels and orientation from the segments in front
 * of the first scan. False, without an error, when it is no JPEG file. */
bool ursa_jpeg_head(struct ursa_picture *picture);

#endif

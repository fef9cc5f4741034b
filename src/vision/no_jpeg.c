/* no_jpeg.c — JPEG files where libjpeg-turbo is not built in. */
#include "picture.h"

bool ursa_jpeg_read(const struct ursa_picture *picture, const struct ursa_picture_part *part, ursa_image *out,
                    struct ursa_box *box)
{
    return ursa_stb_read(picture, part, out, box);
}

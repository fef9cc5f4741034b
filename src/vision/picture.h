/* picture.h — image files, of which no more is decoded than is wanted. */
#ifndef URSA_VISION_PICTURE_H
#define URSA_VISION_PICTURE_H

#include <ursa/image.h>
#include <stdio.h>

/* An open file. Rows and columns are those that are stored; orientation says
 * which way they are up. */
struct ursa_picture {
    FILE *file;
    const char *path;
    int64_t bytes;
    int rows, columns;
    int channels; /* 1 or 3: what it has, without alpha */
    int orientation;
    bool is_jpeg;
};

/* Looks at the head of a file. The path must outlive the picture. */
bool ursa_picture_open(struct ursa_picture *picture, const char *path);
void ursa_picture_close(struct ursa_picture *picture);

/* The size when upright. */
int ursa_picture_rows(const struct ursa_picture *picture);
int ursa_picture_columns(const struct ursa_picture *picture);

/* What is wanted of a picture, in pixels. */
struct ursa_picture_part {
    int left, top, columns, rows;
    /* The size it will be resized to: a reader may reduce the part as long as it
     * stays as large. 0: it must not. */
    int least_columns, least_rows;
    int channels; /* 1 or 3 */
};

/* Where the part is in an image that was read for it, in its pixels: not at
 * whole ones when the image is reduced. */
struct ursa_box {
    double left, top, right, bottom;
};

/* Reads a part of the upright picture. */
bool ursa_picture_read(const struct ursa_picture *picture, const struct ursa_picture_part *part, ursa_image *out,
                       struct ursa_box *box);

/* ---- decoders: they read a part of the picture as it is stored ------------------- */

bool ursa_stb_read(const struct ursa_picture *picture, const struct ursa_picture_part *part, ursa_image *out,
                   struct ursa_box *box);
/* By libjpeg-turbo, or by stb_image where that is not built in. */
bool ursa_jpeg_read(const struct ursa_picture *picture, const struct ursa_picture_part *part, ursa_image *out,
                    struct ursa_box *box);

#endif

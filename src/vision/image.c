/* image.c — reading and resizing pictures. */
#include <ursa/image.h>
#include "picture.h"
#include "resample.h"

#include <stdlib.h>
#include <string.h>

static struct ursa_picture_part whole(const struct ursa_picture *picture, int channels)
{
    return (struct ursa_picture_part){.columns = ursa_picture_columns(picture),
                                      .rows = ursa_picture_rows(picture),
                                      .channels = channels ? channels : picture->channels};
}

static bool check_channels(const char *function, int channels)
{
    return channels == 0 || channels == 1 || channels == 3 ||
           ursa_fail(URSA_ERROR_ARGUMENT, "%s: channels is %d; expected 1, 3, or 0 for what the picture has", function,
                     channels);
}

bool ursa_image_read(const char *path, int channels, ursa_image *out)
{
    *out = (ursa_image){0};
    struct ursa_picture picture;
    if (!check_channels("image_read", channels) || !ursa_picture_open(&picture, path))
        return false;
    struct ursa_picture_part part = whole(&picture, channels);
    struct ursa_box box;
    bool read = ursa_picture_read(&picture, &part, out, &box);
    ursa_picture_close(&picture);
    return read;
}

bool ursa_image_look(const char *path, ursa_image *out)
{
    *out = (ursa_image){0};
    struct ursa_picture picture;
    if (!ursa_picture_open(&picture, path))
        return false;
    *out = (ursa_image){ursa_picture_rows(&picture), ursa_picture_columns(&picture), picture.channels, NULL};
    ursa_picture_close(&picture);
    return true;
}

void ursa_image_free(ursa_image *image)
{
    if (!image)
        return;
    free(image->pixels);
    *image = (ursa_image){0};
}

bool ursa_image_resize(const ursa_image *image, int rows, int columns, ursa_image *out)
{
    struct ursa_box all = {0, 0, image->columns, image->rows};
    return ursa_resample(image, &all, rows, columns, out);
}

/* ---- squares ---------------------------------------------------------------------- */

/* What is left of a picture is never distorted. */
static struct ursa_picture_part middle(const struct ursa_picture *picture, int size, int channels)
{
    struct ursa_picture_part part = whole(picture, channels);
    int side = part.rows < part.columns ? part.rows : part.columns;
    return (struct ursa_picture_part){
        (part.columns - side) / 2, (part.rows - side) / 2, side, side, size, size, part.channels};
}

bool ursa_read_square(const char *path, int size, int channels, uint8_t *out)
{
    struct ursa_picture picture;
    if (!check_channels("read_square", channels) || !ursa_picture_open(&picture, path))
        return false;
    struct ursa_picture_part part = middle(&picture, size, channels);
    struct ursa_box box;
    ursa_image image = {0}, scaled = {0};
    bool read = ursa_picture_read(&picture, &part, &image, &box) && ursa_resample(&image, &box, size, size, &scaled);
    if (read)
        memcpy(out, scaled.pixels, (size_t)size * (size_t)size * (size_t)scaled.channels);
    ursa_picture_close(&picture);
    ursa_image_free(&image);
    ursa_image_free(&scaled);
    return read;
}

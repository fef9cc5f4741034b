/* crop.c — rectangles of pictures, resized; with masks and points. */
#include "crop.h"
#include "base/memory.h"
#include "picture.h"
#include "resample.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int channels_of(const ursa_value *value)
{
    return value->shape.ndim > 2 ? (int)value->shape.dim[2] : 1;
}

static bool reaches_out(const ursa_value *value, const struct ursa_crop *crop)
{
    return crop->left < 0 || crop->top < 0 || crop->left + crop->columns > value->shape.dim[1] ||
           crop->top + crop->rows > value->shape.dim[0];
}

/* ---- reading a part ------------------------------------------------------------------ */

static int most(int a, int b)
{
    return a > b ? a : b;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* The rectangle's part within the picture. */
static struct ursa_picture_part inside(const ursa_value *value, const struct ursa_crop *crop)
{
    struct ursa_picture_part part = {
        .left = most(crop->left, 0), .top = most(crop->top, 0), .channels = channels_of(value)};
    part.columns = least(crop->left + crop->columns, (int)value->shape.dim[1]) - part.left;
    part.rows = least(crop->top + crop->rows, (int)value->shape.dim[0]) - part.top;
    if (value->kind == URSA_KIND_IMAGE && !reaches_out(value, crop)) {
        part.least_columns = crop->out_columns;
        part.least_rows = crop->out_rows;
    }
    return part;
}

static bool read_from_file(const ursa_value *value, const struct ursa_picture_part *part, ursa_image *out,
                           struct ursa_box *box)
{
    struct ursa_picture picture;
    if (!ursa_picture_open(&picture, value->path))
        return false;
    bool read = ursa_picture_read(&picture, part, out, box);
    ursa_picture_close(&picture);
    return read;
}

static bool copy_from_memory(const ursa_value *value, const struct ursa_picture_part *part, ursa_image *out,
                             struct ursa_box *box)
{
    size_t line = (size_t)part->columns * (size_t)part->channels;
    size_t pitch = (size_t)value->shape.dim[1] * (size_t)part->channels;
    const uint8_t *from =
        (const uint8_t *)value->data + (size_t)part->top * pitch + (size_t)part->left * (size_t)part->channels;
    *out = (ursa_image){part->rows, part->columns, part->channels, ursa_alloc_array((size_t)part->rows, line)};
    *box = (struct ursa_box){0, 0, part->columns, part->rows};
    for (int row = 0; out->pixels && row < part->rows; row++)
        memcpy(out->pixels + (size_t)row * line, from + (size_t)row * pitch, line);
    return out->pixels;
}

static bool read_part(ursa_value *value, const struct ursa_picture_part *part, ursa_image *out, struct ursa_box *box)
{
    if (part->columns < 1 || part->rows < 1)
        return ursa_fail(URSA_ERROR_ARGUMENT, "crop: nothing of %s is in the rectangle",
                         value->path ? value->path : "the picture");
    if (!value->data && value->decode == ursa_image_value_decode)
        return read_from_file(value, part, out, box);
    return ursa_value_decode(value) && copy_from_memory(value, part, out, box);
}

/* ---- padding --------------------------------------------------------------------------- */

/* The pixel that is shown at `at`, -1 for none. */
static int padded(int at, int count, ursa_padding padding)
{
    if (at >= 0 && at < count)
        return at;
    if (padding == URSA_PAD_ZEROS)
        return -1;
    if (padding == URSA_PAD_BORDER || count == 1)
        return at < 0 ? 0 : count - 1;
    int period = 2 * (count - 1), rest = (at % period + period) % period;
    return rest < count ? rest : period - rest;
}

/* What was read, surrounded to fill the whole rectangle. */
static bool pad(ursa_image *image, const struct ursa_picture_part *part, const struct ursa_crop *crop,
                struct ursa_box *box)
{
    size_t channels = (size_t)image->channels, line = (size_t)crop->columns * channels;
    ursa_image out = {crop->rows, crop->columns, image->channels, ursa_alloc_array((size_t)crop->rows, line)};
    for (int row = 0; out.pixels && row < out.rows; row++) {
        int from_row = padded(crop->top + row - part->top, image->rows, crop->padding);
        for (int column = 0; column < out.columns; column++) {
            int from = padded(crop->left + column - part->left, image->columns, crop->padding);
            uint8_t *pixel = out.pixels + (size_t)row * line + (size_t)column * channels;
            if (from >= 0 && from_row >= 0)
                memcpy(pixel, image->pixels + ((size_t)from_row * (size_t)image->columns + (size_t)from) * channels,
                       channels);
        }
    }
    ursa_image_free(image);
    *image = out;
    *box = (struct ursa_box){0, 0, crop->columns, crop->rows};
    return out.pixels;
}

/* ---- cropping ---------------------------------------------------------------------------- */

static bool fits_already(const ursa_image *image, const struct ursa_box *box, const struct ursa_crop *crop)
{
    return image->rows == crop->out_rows && image->columns == crop->out_columns && box->left == 0 && box->top == 0 &&
           box->right == image->columns && box->bottom == image->rows;
}

static bool crop_picture(ursa_value *value, const struct ursa_crop *crop)
{
    struct ursa_picture_part part = inside(value, crop);
    ursa_image image = {0}, out = {0};
    struct ursa_box box;
    if (!read_part(value, &part, &image, &box))
        return false;
    bool done = !reaches_out(value, crop) || pad(&image, &part, crop, &box);
    if (done && !fits_already(&image, &box, crop)) {
        done = value->kind == URSA_KIND_MASK
                   ? ursa_resample_nearest(&image, &box, crop->out_rows, crop->out_columns, &out)
                   : ursa_resample(&image, &box, crop->out_rows, crop->out_columns, &out);
        ursa_image_free(&image);
        image = out;
    }
    if (!done) {
        ursa_image_free(&image);
        return false;
    }
    free(value->data);
    value->data = image.pixels;
    value->shape.dim[0] = crop->out_rows;
    value->shape.dim[1] = crop->out_columns;
    return true;
}

static void crop_points(ursa_value *points, const struct ursa_crop *crop)
{
    float *at = points->data;
    double along = (double)crop->out_columns / crop->columns, down = (double)crop->out_rows / crop->rows;
    for (int64_t i = 0; at && points->shape.ndim == 2 && i < points->shape.dim[0]; i++, at += 2) {
        at[0] = (float)(((double)at[0] - crop->left) * along);
        at[1] = (float)(((double)at[1] - crop->top) * down);
    }
}

static bool check_mask(const ursa_value *x, const ursa_value *mask)
{
    return (x->shape.dim[0] == mask->shape.dim[0] && x->shape.dim[1] == mask->shape.dim[1]) ||
           ursa_fail(URSA_ERROR_SHAPE,
                     "%s: a mask of %" PRId64 " × %" PRId64 " pixels for a picture of %" PRId64 " × %" PRId64,
                     mask->path ? mask->path : "crop", mask->shape.dim[1], mask->shape.dim[0], x->shape.dim[1],
                     x->shape.dim[0]);
}

bool ursa_crop_item(ursa_value *x, ursa_value *y, const struct ursa_crop *crop)
{
    if (ursa_is_picture(y) && (!check_mask(x, y) || !crop_picture(y, crop)))
        return false;
    if (y && y->kind == URSA_KIND_POINTS)
        crop_points(y, crop);
    return crop_picture(x, crop);
}

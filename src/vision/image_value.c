/* image_value.c — pictures as values of data blocks, still in their files. */
#include "base/memory.h"
#include "crop.h"
#include "picture.h"

bool ursa_is_picture(const ursa_value *value)
{
    return value && (value->kind == URSA_KIND_IMAGE || value->kind == URSA_KIND_MASK) && value->shape.ndim >= 2;
}

static int channels_of(const ursa_value *value)
{
    return value->shape.ndim > 2 ? (int)value->shape.dim[2] : 1;
}

bool ursa_image_value_decode(ursa_value *value)
{
    ursa_image image;
    if (!ursa_image_read(value->path, channels_of(value), &image))
        return false;
    if (image.rows != value->shape.dim[0] || image.columns != value->shape.dim[1]) {
        ursa_fail(URSA_ERROR_IO, "%s: changed while it was in use", value->path);
        ursa_image_free(&image);
        return false;
    }
    value->data = image.pixels;
    return true;
}

bool ursa_image_value(const char *path, int channels, ursa_value *out)
{
    *out = (ursa_value){0};
    ursa_image head;
    if (channels != 0 && channels != 1 && channels != 3)
        return ursa_fail(URSA_ERROR_ARGUMENT, "image_value: channels is %d; expected 1, 3, or 0", channels);
    if (!ursa_image_look(path, &head))
        return false;
    *out = (ursa_value){.kind = URSA_KIND_IMAGE,
                        .dtype = URSA_U8,
                        .shape = ursa_shape(head.rows, head.columns, channels ? channels : head.channels),
                        .path = ursa_copy_string(path),
                        .decode = ursa_image_value_decode};
    return out->path;
}

bool ursa_mask_value(const char *path, ursa_value *out)
{
    bool made = ursa_image_value(path, 1, out);
    out->kind = URSA_KIND_MASK;
    out->shape.ndim = made ? 2 : 0;
    return made;
}

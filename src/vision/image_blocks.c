/* image_blocks.c — inputs that are pictures, and targets that are a class per
 * pixel. Only the head of a file is read when a value is made; its pixels are
 * left to the transform that wants them. */
#include <ursa/image.h>
#include <ursa/vision_data.h>
#include "base/memory.h"

#include <string.h>

/* ---- files -------------------------------------------------------------------- */

/* The path that a getter found, NULL with an error when it found anything else. */
static const char *path_of(const ursa_block *block, const ursa_found *found)
{
    if (found->text_count == 1)
        return found->texts[0];
    ursa_fail(URSA_ERROR_ARGUMENT, "%s block: an item has %d files; expected one", block->class->name,
              found->text_count);
    return NULL;
}

/* ---- pictures in memory ----------------------------------------------------------- */

static void spread_grey(const uint8_t *from, int64_t pixels, uint8_t *to)
{
    for (int64_t p = 0; p < pixels; p++)
        to[3 * p] = to[3 * p + 1] = to[3 * p + 2] = from[p];
}

/* BT.601, as PIL's "L". */
static void mix_to_grey(const uint8_t *from, int64_t pixels, uint8_t *to)
{
    for (int64_t p = 0; p < pixels; p++)
        to[p] = (uint8_t)((299 * from[3 * p] + 587 * from[3 * p + 1] + 114 * from[3 * p + 2] + 500) / 1000);
}

static void convert(const uint8_t *from, int64_t pixels, int channels, int wanted, uint8_t *to)
{
    if (channels == wanted)
        memcpy(to, from, (size_t)(pixels * channels));
    else if (wanted == 3)
        spread_grey(from, pixels, to);
    else
        mix_to_grey(from, pixels, to);
}

static bool copy_value(const ursa_block *block, const ursa_value *given, ursa_value *value)
{
    if (given->kind != URSA_KIND_IMAGE || given->dtype != URSA_U8 || given->shape.ndim != 3 || !given->data ||
        (given->shape.dim[2] != 1 && given->shape.dim[2] != 3))
        return ursa_fail(URSA_ERROR_ARGUMENT, "image block: a value in memory that is no image of u8 [H, W, 1 or 3]");
    int channels = (int)given->shape.dim[2], wanted = block->channels ? block->channels : channels;
    int64_t pixels = given->shape.dim[0] * given->shape.dim[1];
    *value = (ursa_value){.kind = URSA_KIND_IMAGE, .dtype = URSA_U8, .shape = given->shape};
    value->shape.dim[2] = wanted;
    value->data = ursa_alloc((size_t)(pixels * wanted) + 1);
    if (value->data)
        convert(given->data, pixels, channels, wanted, value->data);
    return value->data;
}

/* ---- the image block ---------------------------------------------------------------- */

static bool inspect_image(const ursa_block *block, const ursa_found *found, int *channels)
{
    if (found->value) {
        *channels = found->value->shape.ndim == 3 ? (int)found->value->shape.dim[2] : 0;
        return true;
    }
    ursa_image head;
    const char *path = path_of(block, found);
    bool read = path && ursa_image_look(path, &head);
    *channels = read ? head.channels : 0;
    return read;
}

static bool load_image(const ursa_block *block, const ursa_found *found, ursa_value *value)
{
    if (found->value)
        return copy_value(block, found->value, value);
    const char *path = path_of(block, found);
    return path && ursa_image_value(path, block->channels, value);
}

static char *image_text(const ursa_block *block, const void *data, ursa_dims shape)
{
    (void)block, (void)data;
    if (shape.ndim < 2)
        return ursa_copy_string("an image");
    return ursa_format("%lld × %lld px", (long long)shape.dim[1], (long long)shape.dim[0]);
}

const ursa_block_class ursa_image_block_class = {
    .name = "image",
    .kind = URSA_KIND_IMAGE,
    .inspect = inspect_image,
    .load = load_image,
    .text = image_text,
};

/* ---- the mask block -------------------------------------------------------------------- */

static bool inspect_mask(const ursa_block *block, const ursa_found *found, int *channels)
{
    ursa_image head;
    const char *path = path_of(block, found);
    *channels = 1;
    return path && ursa_image_look(path, &head) &&
           (head.channels == 1 ||
            ursa_fail(URSA_ERROR_FORMAT, "%s: a picture with colours; a mask is grey, its levels the classes", path));
}

static bool load_mask(const ursa_block *block, const ursa_found *found, ursa_value *value)
{
    const char *path = path_of(block, found);
    return path && ursa_mask_value(path, value);
}

static int64_t mask_outputs(const ursa_block *block)
{
    return ursa_vocab_count(block->vocab);
}

const ursa_block_class ursa_mask_block_class = {
    .name = "mask",
    .kind = URSA_KIND_MASK,
    .inspect = inspect_mask,
    .load = load_mask,
    .text = image_text,
    .outputs = mask_outputs,
};

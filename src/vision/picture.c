/* picture.c — opening image files, and reading parts of them the right way up. */
#include "picture.h"
#include "base/memory.h"
#include "image_memory.h"
#include "jpeg_head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <stb/stb_image.h>

enum {
    MOST_PIXELS = 1 << 28,
    LEAST_PIXELS = 1 << 16,         /* what any file may claim */
    PNG_PIXELS_PER_BYTE = 8 * 1032, /* deflate's best ratio, on pixels of one bit; other formats stay below */
};

/* ---- opening ----------------------------------------------------------------------- */

static bool look(struct ursa_picture *picture)
{
    picture->is_jpeg = ursa_jpeg_head(picture);
    if (picture->is_jpeg)
        return true;
    int channels;
    ursa_image_set_limit((size_t)(2 * picture->bytes + LEAST_PIXELS));
    if (!stbi_info_from_file(picture->file, &picture->columns, &picture->rows, &channels))
        return ursa_fail(URSA_ERROR_FORMAT, "%s: not an image that can be read: %s", picture->path,
                         stbi_failure_reason());
    picture->channels = channels < 3 ? 1 : 3;
    return true;
}

static bool check_size(const struct ursa_picture *picture)
{
    int64_t pixels = (int64_t)picture->rows * picture->columns;
    if (picture->rows < 1 || picture->columns < 1 || pixels > MOST_PIXELS)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: a picture of %d × %d pixels; at most 2^28 are read", picture->path,
                         picture->columns, picture->rows);
    if (pixels > picture->bytes * PNG_PIXELS_PER_BYTE + LEAST_PIXELS)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: claims %d × %d pixels, more than its %lld bytes can hold",
                         picture->path, picture->columns, picture->rows, (long long)picture->bytes);
    return true;
}

bool ursa_picture_open(struct ursa_picture *picture, const char *path)
{
    *picture = (struct ursa_picture){.path = path, .orientation = 1};
    if (!path)
        return false;
    picture->file = fopen(path, "rb");
    if (!picture->file)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
    fseek(picture->file, 0, SEEK_END);
    picture->bytes = ftell(picture->file);
    rewind(picture->file);
    bool opened = picture->bytes > 0
                      ? look(picture) && check_size(picture)
                      : ursa_fail(URSA_ERROR_FORMAT, "%s: empty: expected an image, found 0 bytes", path);
    if (!opened)
        ursa_picture_close(picture);
    return opened;
}

void ursa_picture_close(struct ursa_picture *picture)
{
    if (picture->file)
        fclose(picture->file);
    picture->file = NULL;
}

/* ---- orientation -------------------------------------------------------------------- */

/* A pixel of the upright picture is stored at its own place, or with row and
 * column swapped; then counted from the other end of a stored row or column. */
static bool is_swapped(int orientation)
{
    return orientation >= 5;
}

static bool is_mirrored(int orientation)
{
    return orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
}

static bool is_upside_down(int orientation)
{
    return orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
}

int ursa_picture_rows(const struct ursa_picture *picture)
{
    return is_swapped(picture->orientation) ? picture->columns : picture->rows;
}

int ursa_picture_columns(const struct ursa_picture *picture)
{
    return is_swapped(picture->orientation) ? picture->rows : picture->columns;
}

static struct ursa_picture_part stored_part(const struct ursa_picture *picture, const struct ursa_picture_part *upright)
{
    struct ursa_picture_part part = *upright;
    if (is_swapped(picture->orientation))
        part =
            (struct ursa_picture_part){upright->top,        upright->left,          upright->rows,    upright->columns,
                                       upright->least_rows, upright->least_columns, upright->channels};
    if (is_mirrored(picture->orientation))
        part.left = picture->columns - part.left - part.columns;
    if (is_upside_down(picture->orientation))
        part.top = picture->rows - part.top - part.rows;
    return part;
}

static void copy_upright(const ursa_image *stored, int orientation, ursa_image *upright)
{
    bool swapped = is_swapped(orientation), mirrored = is_mirrored(orientation), down = is_upside_down(orientation);
    int channels = stored->channels;
    uint8_t *out = upright->pixels;
    for (int y = 0; y < upright->rows; y++)
        for (int x = 0; x < upright->columns; x++) {
            int column = swapped ? y : x, row = swapped ? x : y;
            column = mirrored ? stored->columns - 1 - column : column;
            row = down ? stored->rows - 1 - row : row;
            const uint8_t *from = stored->pixels + ((size_t)row * (size_t)stored->columns + (size_t)column) * channels;
            for (int c = 0; c < channels; c++)
                *out++ = from[c];
        }
}

static struct ursa_box upright_box(const ursa_image *stored, int orientation, struct ursa_box box)
{
    if (is_mirrored(orientation))
        box = (struct ursa_box){stored->columns - box.right, box.top, stored->columns - box.left, box.bottom};
    if (is_upside_down(orientation))
        box = (struct ursa_box){box.left, stored->rows - box.bottom, box.right, stored->rows - box.top};
    return is_swapped(orientation) ? (struct ursa_box){box.top, box.left, box.bottom, box.right} : box;
}

static bool turn(ursa_image *image, int orientation, struct ursa_box *box)
{
    bool swapped = is_swapped(orientation);
    ursa_image upright = {swapped ? image->columns : image->rows, swapped ? image->rows : image->columns,
                          image->channels, NULL};
    upright.pixels = ursa_alloc_array((size_t)image->rows * (size_t)image->columns, (size_t)image->channels);
    if (upright.pixels) {
        copy_upright(image, orientation, &upright);
        *box = upright_box(image, orientation, *box);
    }
    ursa_image_free(image);
    *image = upright;
    return upright.pixels;
}

/* ---- reading ------------------------------------------------------------------------ */

bool ursa_picture_read(const struct ursa_picture *picture, const struct ursa_picture_part *part, ursa_image *out,
                       struct ursa_box *box)
{
    *out = (ursa_image){0};
    if (part->left < 0 || part->top < 0 || part->columns < 1 || part->rows < 1 ||
        part->left > ursa_picture_columns(picture) - part->columns ||
        part->top > ursa_picture_rows(picture) - part->rows)
        return ursa_fail(URSA_ERROR_ARGUMENT, "%s: no part of %d × %d pixels at %d, %d in a picture of %d × %d",
                         picture->path, part->columns, part->rows, part->left, part->top, ursa_picture_columns(picture),
                         ursa_picture_rows(picture));
    struct ursa_picture_part stored = stored_part(picture, part);
    rewind(picture->file);
    bool read =
        picture->is_jpeg ? ursa_jpeg_read(picture, &stored, out, box) : ursa_stb_read(picture, &stored, out, box);
    return read && (picture->orientation == 1 || turn(out, picture->orientation, box));
}

/* In place; the luma of ITU-R 601-2, as PIL rounds it. */
static void make_grey(uint8_t *pixels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *p = pixels + 3 * i;
        pixels[i] = (uint8_t)((19595u * p[0] + 38470u * p[1] + 7471u * p[2] + 0x8000u) >> 16);
    }
}

/* The pixels of a part, out of all. */
static bool cut_out(const uint8_t *pixels, int columns, const struct ursa_picture_part *part, ursa_image *out)
{
    size_t line = (size_t)part->columns * (size_t)part->channels;
    out->pixels = ursa_alloc_array((size_t)part->rows, line);
    for (int row = 0; out->pixels && row < part->rows; row++) {
        size_t first = ((size_t)(part->top + row) * (size_t)columns + (size_t)part->left) * (size_t)part->channels;
        memcpy(out->pixels + (size_t)row * line, pixels + first, line);
    }
    return out->pixels;
}

bool ursa_stb_read(const struct ursa_picture *picture, const struct ursa_picture_part *part, ursa_image *out,
                   struct ursa_box *box)
{
    int64_t claimed = (int64_t)picture->rows * picture->columns;
    int rows, columns, found;
    /* Four channels of 16 bits, twice over; or the file, whose parts are gathered in a block that doubles. */
    ursa_image_set_limit((size_t)(16 * claimed + 2 * picture->bytes + LEAST_PIXELS));
    bool grey = part->channels == 1 && picture->channels == 3;
    uint8_t *pixels = stbi_load_from_file(picture->file, &columns, &rows, &found, grey ? 3 : part->channels);
    if (!pixels)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: not an image that can be read: %s", picture->path,
                         stbi_failure_reason());
    *out = (ursa_image){part->rows, part->columns, part->channels, NULL};
    *box = (struct ursa_box){0, 0, part->columns, part->rows};
    if (rows != picture->rows || columns != picture->columns) {
        free(pixels);
        return ursa_fail(URSA_ERROR_FORMAT, "%s: a picture of %d × %d pixels, whose head claims %d × %d", picture->path,
                         columns, rows, picture->columns, picture->rows);
    }
    if (grey)
        make_grey(pixels, (size_t)rows * (size_t)columns);
    if (part->rows == rows && part->columns == columns) {
        out->pixels = pixels;
        return true;
    }
    bool cut = cut_out(pixels, columns, part, out);
    free(pixels);
    return cut;
}

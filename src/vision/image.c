/* image.c — reading and resizing pictures. Decoding is stb_image's. */
#include <ursa/vision.h>
#include "base/memory.h"
#include "image_memory.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stb/stb_image.h>

enum {
    MOST_PIXELS = 1 << 28,
    MOST_PIXELS_PER_BYTE = 8 * 1032, /* deflate's best ratio, on pixels of one bit; other formats stay below */
    LEAST_PIXELS = 1 << 16,          /* what any file may claim */
};

static bool unreadable(const char *path)
{
    return ursa_fail(URSA_ERROR_FORMAT, "%s: not an image that can be read: %s", path, stbi_failure_reason());
}

static bool decode(FILE *file, const char *path, int64_t bytes, int channels, ursa_image *out)
{
    int rows, columns, found;
    ursa_image_set_limit((size_t)(2 * bytes + LEAST_PIXELS));
    if (!stbi_info_from_file(file, &columns, &rows, &found))
        return unreadable(path);
    if (rows < 1 || columns < 1 || (int64_t)rows * columns > MOST_PIXELS)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: a picture of %d × %d pixels; at most 2^28 are read", path, columns,
                         rows);
    int64_t pixels_claimed = (int64_t)rows * columns;
    if (pixels_claimed > bytes * MOST_PIXELS_PER_BYTE + LEAST_PIXELS)
        return ursa_fail(URSA_ERROR_FORMAT, "%s: claims %d × %d pixels, more than its %lld bytes can hold", path,
                         columns, rows, (long long)bytes);
    /* Four channels of 16 bits, twice over; or the file, whose parts are gathered in a block that doubles. */
    ursa_image_set_limit((size_t)(16 * pixels_claimed + 2 * bytes + LEAST_PIXELS));
    int wanted = channels ? channels : found < 3 ? 1 : 3;
    uint8_t *pixels = stbi_load_from_file(file, &columns, &rows, &found, wanted);
    if (!pixels)
        return unreadable(path);
    *out = (ursa_image){rows, columns, wanted, pixels};
    return true;
}

bool ursa_image_read(const char *path, int channels, ursa_image *out)
{
    *out = (ursa_image){0};
    FILE *file = fopen(path, "rb");
    if (!file)
        return ursa_fail(URSA_ERROR_IO, "%s: cannot be read: %s", path, strerror(errno));
    fseek(file, 0, SEEK_END);
    long bytes = ftell(file);
    rewind(file);
    bool read = bytes > 0 ? decode(file, path, bytes, channels, out)
                          : ursa_fail(URSA_ERROR_FORMAT, "%s: empty: expected an image, found 0 bytes", path);
    fclose(file);
    return read;
}

void ursa_image_free(ursa_image *image)
{
    if (!image)
        return;
    free(image->pixels);
    *image = (ursa_image){0};
}

/* ---- resizing -------------------------------------------------------------------- */

/* What one output position takes of the input: `count` weights from `first` on. */
struct taps {
    int first, count;
    float *weights;
};

static void free_taps(struct taps *taps, int count)
{
    for (int i = 0; taps && i < count; i++)
        free(taps[i].weights);
    free(taps);
}

/* A triangle as wide as the scale, so that shrinking averages. */
static struct taps *triangle_taps(int from, int to)
{
    struct taps *taps = ursa_alloc_array((size_t)to, sizeof *taps);
    double scale = (double)from / to, width = scale > 1 ? scale : 1;
    for (int i = 0; taps && i < to; i++) {
        double centre = (i + 0.5) * scale;
        int first = (int)fmax(floor(centre - width + 0.5), 0), last = (int)fmin(floor(centre + width + 0.5), from);
        taps[i] = (struct taps){first, last - first, ursa_alloc_array((size_t)(last - first) + 1, sizeof(float))};
        double sum = 0;
        for (int j = 0; taps[i].weights && j < last - first; j++)
            sum += taps[i].weights[j] = (float)fmax(0, 1 - fabs((first + j + 0.5 - centre) / width));
        for (int j = 0; taps[i].weights && j < last - first; j++)
            taps[i].weights[j] /= (float)sum;
        if (!taps[i].weights) {
            free_taps(taps, to);
            return NULL;
        }
    }
    return taps;
}

static void resize_columns(const ursa_image *image, const struct taps *taps, int columns, float *out)
{
    int channels = image->channels;
    for (int row = 0; row < image->rows; row++) {
        const uint8_t *line = image->pixels + (size_t)row * (size_t)(image->columns * channels);
        for (int column = 0; column < columns; column++) {
            const struct taps *tap = &taps[column];
            for (int c = 0; c < channels; c++) {
                float sum = 0;
                for (int i = 0; i < tap->count; i++)
                    sum += tap->weights[i] * (float)line[(tap->first + i) * channels + c];
                *out++ = sum;
            }
        }
    }
}

static void resize_rows(const float *lines, const struct taps *taps, int rows, int width, uint8_t *out)
{
    for (int row = 0; row < rows; row++) {
        const struct taps *tap = &taps[row];
        for (int i = 0; i < width; i++) {
            float sum = 0;
            for (int j = 0; j < tap->count; j++)
                sum += tap->weights[j] * lines[(size_t)(tap->first + j) * (size_t)width + (size_t)i];
            *out++ = (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum + 0.5f);
        }
    }
}

bool ursa_image_resize(const ursa_image *image, int rows, int columns, ursa_image *out)
{
    *out = (ursa_image){0};
    if (rows < 1 || columns < 1)
        return ursa_fail(URSA_ERROR_ARGUMENT, "image_resize: to %d × %d pixels; both must be 1 or more", columns, rows);
    size_t width = (size_t)(columns * image->channels);
    struct taps *across = triangle_taps(image->columns, columns), *down = triangle_taps(image->rows, rows);
    float *lines = ursa_alloc_array((size_t)image->rows * width, sizeof *lines);
    uint8_t *pixels = ursa_alloc_array((size_t)rows, width);
    bool done = across && down && lines && pixels;
    if (done) {
        resize_columns(image, across, columns, lines);
        resize_rows(lines, down, rows, (int)width, pixels);
        *out = (ursa_image){rows, columns, image->channels, pixels};
    } else {
        free(pixels);
    }
    free_taps(across, columns);
    free_taps(down, rows);
    free(lines);
    return done;
}

/* ---- squares ---------------------------------------------------------------------- */

/* What is left of a picture is never distorted. */
static bool crop_middle(const ursa_image *image, ursa_image *square)
{
    int side = image->rows < image->columns ? image->rows : image->columns;
    int top = (image->rows - side) / 2, left = (image->columns - side) / 2;
    size_t width = (size_t)side * (size_t)image->channels;
    *square = (ursa_image){side, side, image->channels, ursa_alloc_array((size_t)side, width)};
    for (int row = 0; square->pixels && row < side; row++) {
        size_t first = ((size_t)(top + row) * (size_t)image->columns + (size_t)left) * (size_t)image->channels;
        memcpy(square->pixels + (size_t)row * width, image->pixels + first, width);
    }
    return square->pixels;
}

bool ursa_read_square(const char *path, int size, int channels, uint8_t *out)
{
    ursa_image image = {0}, square = {0}, scaled = {0};
    bool read = ursa_image_read(path, channels, &image) && crop_middle(&image, &square) &&
                ursa_image_resize(&square, size, size, &scaled);
    if (read)
        memcpy(out, scaled.pixels, (size_t)size * (size_t)size * (size_t)channels);
    ursa_image_free(&image);
    ursa_image_free(&square);
    ursa_image_free(&scaled);
    return read;
}

/* pictures.h — small PNG files. */
#ifndef URSA_TESTS_PICTURES_H
#define URSA_TESTS_PICTURES_H

#include "../folder.h"

#include <stdint.h>
#include <zlib.h>

static inline uint8_t *picture_number(uint8_t *end, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *end++ = (uint8_t)(value >> shift);
    return end;
}

static inline uint8_t *picture_chunk(uint8_t *end, const char *type, const uint8_t *data, size_t bytes)
{
    end = picture_number(end, (uint32_t)bytes);
    memcpy(end, type, 4);
    if (bytes)
        memcpy(end + 4, data, bytes);
    uint32_t sum = (uint32_t)crc32(0, end, (unsigned)bytes + 4);
    return picture_number(end + 4 + bytes, sum);
}

/* What pixel (row, column), channel c of a picture is. */
static inline uint8_t picture_pixel(int value, int row, int column, int channel)
{
    return (uint8_t)(value + 3 * row + column + 50 * channel);
}

/* Writes rows × columns pixels of 1 or 3 channels. */
static inline void picture_write(const folder *where, const char *name, int rows, int columns, int channels, int value)
{
    static uint8_t lines[64 * 256], packed[64 * 300], file[64 * 400];
    size_t length = 0;
    for (int row = 0; row < rows; row++) {
        lines[length++] = 0;
        for (int column = 0; column < columns; column++)
            for (int c = 0; c < channels; c++)
                lines[length++] = picture_pixel(value, row, column, c);
    }
    uLongf bytes = sizeof packed;
    if (compress(packed, &bytes, lines, length) != Z_OK)
        abort();
    uint8_t head[13] = {0};
    picture_number(picture_number(head, (uint32_t)columns), (uint32_t)rows);
    head[8] = 8;
    head[9] = channels == 3 ? 2 : 0;
    memcpy(file, "\x89PNG\r\n\x1a\n", 8);
    uint8_t *end = picture_chunk(file + 8, "IHDR", head, sizeof head);
    end = picture_chunk(end, "IDAT", packed, bytes);
    end = picture_chunk(end, "IEND", NULL, 0);
    folder_write(where, name, file, (size_t)(end - file));
}

#endif

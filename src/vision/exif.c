/* exif.c — the orientation in an EXIF segment: a TIFF directory (Exif 2.3,
 * section 4.6.2). */
#include "exif.h"

#include <stdbool.h>
#include <string.h>

enum { ORIENTATION = 0x0112, TYPE_SHORT = 3, ENTRY = 12 };

struct tiff {
    const uint8_t *bytes;
    size_t size;
    bool big_endian;
};

/* 0 beyond the end. */
static uint32_t get(const struct tiff *tiff, size_t at, int width)
{
    uint32_t value = 0;
    for (int i = 0; i < width; i++) {
        size_t place = at + (size_t)(tiff->big_endian ? i : width - 1 - i);
        value = value << 8 | (place < tiff->size ? tiff->bytes[place] : 0);
    }
    return value;
}

int ursa_exif_orientation(const uint8_t *bytes, size_t size)
{
    struct tiff tiff = {bytes, size, size > 0 && bytes[0] == 'M'};
    if (size < 8 || (memcmp(bytes, "II*\0", 4) != 0 && memcmp(bytes, "MM\0*", 4) != 0))
        return 1;
    size_t directory = get(&tiff, 4, 4);
    uint32_t entries = get(&tiff, directory, 2);
    for (uint32_t i = 0; i < entries; i++) {
        size_t entry = directory + 2 + (size_t)i * ENTRY;
        if (entry + ENTRY > size)
            return 1;
        if (get(&tiff, entry, 2) != ORIENTATION)
            continue;
        uint32_t value = get(&tiff, entry + 8, 2);
        return get(&tiff, entry + 2, 2) == TYPE_SHORT && value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

/* jpeg_head.c — the segments in front of the first scan of a JPEG file
 * (ITU-T T.81, annex B): its size, and its EXIF orientation. */
#include "jpeg_head.h"
#include "exif.h"

#include <string.h>

enum { LARGEST_SEGMENT = 65533, MOST_SEGMENTS = 4096 };

static int get16(const uint8_t *bytes)
{
    return bytes[0] << 8 | bytes[1];
}

/* The next marker, over fill bytes; -1 at the end. */
static int next_marker(FILE *file)
{
    int c = fgetc(file);
    while (c != EOF && c != 0xFF)
        c = fgetc(file);
    while (c == 0xFF)
        c = fgetc(file);
    return c;
}

static bool is_frame(int marker)
{
    return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

static void read_frame(struct ursa_picture *picture, const uint8_t *segment)
{
    picture->rows = get16(segment + 1);
    picture->columns = get16(segment + 3);
    picture->channels = segment[5] == 1 ? 1 : 3;
}

static bool read_segments(struct ursa_picture *picture, uint8_t *segment)
{
    for (int i = 0; i < MOST_SEGMENTS; i++) {
        int marker = next_marker(picture->file);
        if (marker < 0 || marker == 0xD9 || marker == 0xDA)
            return false; /* a scan, and no frame before it */
        uint8_t length[2];
        if (marker == 0 || marker == 1 || (marker >= 0xD0 && marker <= 0xD8))
            continue;
        if (fread(length, 1, 2, picture->file) != 2 || get16(length) < 2)
            return false;
        size_t size = (size_t)get16(length) - 2;
        if (fread(segment, 1, size, picture->file) != size)
            return false;
        if (marker == 0xE1 && size > 6 && memcmp(segment, "Exif\0\0", 6) == 0)
            picture->orientation = ursa_exif_orientation(segment + 6, size - 6);
        if (is_frame(marker) && size >= 6) {
            read_frame(picture, segment);
            return true;
        }
    }
    return false;
}

bool ursa_jpeg_head(struct ursa_picture *picture)
{
    uint8_t start[2], segment[LARGEST_SEGMENT];
    rewind(picture->file);
    picture->orientation = 1;
    bool found = fread(start, 1, 2, picture->file) == 2 && start[0] == 0xFF && start[1] == 0xD8 &&
                 read_segments(picture, segment);
    rewind(picture->file);
    return found;
}

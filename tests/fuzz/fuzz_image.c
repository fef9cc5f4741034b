/* fuzz_image.c — pictures in all formats: read whole, and in parts by a random
 * crop; and their EXIF segments by themselves, which few files have. */
#include "fuzz.h"
#include "vision/exif.h"

static void crop(const char *path, uint64_t seed)
{
    const ursa_transform list[URSA_TRANSFORMS] = {ursa_random_resized_crop(8)};
    ursa_rng rng = ursa_rng_new(seed, URSA_PURPOSE_AUGMENT, 0);
    ursa_value value;
    if (ursa_image_value(path, 3, &value))
        ursa_transform_item(list, &value, NULL, true, &rng);
    ursa_value_clear(&value);
    ursa_clear_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t square[8 * 8 * 3];
    const char *path = fuzz_file(data, size);
    ursa_read_square(path, 8, 3, square);
    ursa_clear_error();
    ursa_read_square(path, 8, 1, square);
    ursa_clear_error();
    crop(path, size);
    ursa_exif_orientation(data, size);
    return 0;
}

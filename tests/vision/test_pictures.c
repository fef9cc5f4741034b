/* test_pictures.c — image files of all kinds against what PIL reads, parts of
 * them against the whole, and random crops by their distribution.
 */
#include "../golden/golden.h"
#include "vision/exif.h"
#include "vision/picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* PIL decodes JPEG files with libjpeg-turbo, too: then there is nothing to round differently. stb_image interpolates
 * colours in another way, which shows at edges only: its pixels are on average where they should be. And it refuses
 * files without a mark of their end. */
#ifdef JPEG_BUILT
static const bool jpeg_built = true;
#else
static const bool jpeg_built = false;
#endif

static const char *path_of(const char *name)
{
    static char path[400];
    snprintf(path, sizeof path, PICTURES "/%s", name);
    return path;
}

static const char *const names[] = {
    "exif_1.jpg",     "exif_2.jpg",    "exif_3.jpg",        "exif_4.jpg",    "exif_5.jpg",     "exif_6.jpg",
    "exif_7.jpg",     "exif_8.jpg",    "large_420.jpg",     "large_422.jpg", "large_444.jpg",  "large_progressive.jpg",
    "grey.jpg",       "cmyk.jpg",      "grey.png",          "colour.png",    "colour.bmp",     "palette.gif",
    "palette.png",    "bits.png",      "palette_clear.png", "alpha.png",     "grey_alpha.png", "deep.png",
    "deep_alpha.png", "deep_grey.png",
};
enum { NAMES = sizeof names / sizeof *names };

static bool is_jpeg(const char *name)
{
    return strstr(name, ".jpg");
}

static void all_kinds(void **state)
{
    (void)state;
    for (int i = 0; i < NAMES; i++) {
        char key[64];
        snprintf(key, sizeof key, "picture.%s", names[i]);
        const ursa_stored_tensor *expected = ursa_safetensors_find(fixtures(), key);
        ursa_image image, head;
        if (!expected || !ursa_image_read(path_of(names[i]), 3, &image))
            fail_msg("%s: %s", names[i], ursa_error());
        assert_true(ursa_image_look(path_of(names[i]), &head));
        assert_true(head.rows == image.rows && head.columns == image.columns && image.channels == 3);
        assert_true(image.rows == expected->shape.dim[0] && image.columns == expected->shape.dim[1]);
        double sum = 0;
        for (size_t k = 0; k < expected->bytes; k++)
            sum += abs(image.pixels[k] - ((const uint8_t *)expected->data)[k]);
        double most = is_jpeg(names[i]) && !jpeg_built ? 1.5 : 0, mean = sum / (double)expected->bytes;
        if (mean > most)
            fail_msg("%s: pixels are off by %g levels on average", names[i], mean);
        ursa_image_free(&image);
    }
}

/* Channels as they are in the file, and grey made of colours. */
static void channels(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int channels;
    } expected[] = {{"grey.jpg", 1},       {"grey.png", 1},  {"bits.png", 1},      {"deep_grey.png", 1},
                    {"grey_alpha.png", 1}, {"cmyk.jpg", 3},  {"large_420.jpg", 3}, {"alpha.png", 3},
                    {"palette.png", 3},    {"colour.bmp", 3}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        ursa_image image, grey, colour;
        assert_true(ursa_image_read(path_of(expected[i].name), 0, &image));
        assert_int_equal(image.channels, expected[i].channels);
        assert_true(ursa_image_read(path_of(expected[i].name), 1, &grey));
        assert_true(ursa_image_read(path_of(expected[i].name), 3, &colour));
        for (int k = 0; k < image.rows * image.columns; k++) {
            const uint8_t *p = colour.pixels + 3 * k;
            int luma = (int)lround(0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]);
            /* JPEG files hold luma itself, which colours, rounded and cut off at 255, need not give back. */
            assert_true(abs(grey.pixels[k] - luma) <= (is_jpeg(expected[i].name) ? 8 : 1));
        }
        ursa_image_free(&image);
        ursa_image_free(&grey);
        ursa_image_free(&colour);
    }
    ursa_image image;
    assert_false(ursa_image_read(path_of("grey.png"), 2, &image));
    ursa_clear_error();
}

static void broken_files(void **state)
{
    (void)state;
    ursa_image image;
    assert_false(ursa_image_read(path_of("truncated.jpg"), 3, &image));
    assert_non_null(strstr(ursa_error(), "truncated.jpg: not an image that can be read"));
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_FORMAT);
    ursa_clear_error();
    if (jpeg_built) {
        assert_true(ursa_image_read(path_of("no_end.jpg"), 3, &image)); /* only the mark of the end is missing */
        ursa_image_free(&image);
    }
    assert_false(ursa_image_read(path_of("none.jpg"), 3, &image));
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_IO);
    ursa_clear_error();
}

/* A part that is read by itself is the same part of the whole. */
static void parts(void **state)
{
    (void)state;
    ursa_rng rng = ursa_rng_new(3, URSA_PURPOSE_USER, 0);
    for (int i = 0; i < NAMES; i++) {
        ursa_image whole;
        assert_true(ursa_image_read(path_of(names[i]), 3, &whole));
        for (int trial = 0; trial < 20; trial++) {
            struct ursa_picture_part part = {.channels = 3};
            part.columns = 1 + (int)ursa_rng_below(&rng, (uint64_t)whole.columns);
            part.rows = 1 + (int)ursa_rng_below(&rng, (uint64_t)whole.rows);
            part.left = (int)ursa_rng_below(&rng, (uint64_t)(whole.columns - part.columns) + 1);
            part.top = (int)ursa_rng_below(&rng, (uint64_t)(whole.rows - part.rows) + 1);
            struct ursa_picture picture;
            struct ursa_box box;
            ursa_image cut;
            assert_true(ursa_picture_open(&picture, path_of(names[i])));
            assert_true(ursa_picture_read(&picture, &part, &cut, &box));
            ursa_image_free(&cut);
            assert_true(ursa_picture_read(&picture, &part, &cut, &box)); /* and again */
            ursa_picture_close(&picture);
            assert_true(box.left == 0 && box.top == 0 && box.right == part.columns && box.bottom == part.rows);
            for (int row = 0; row < part.rows; row++)
                if (memcmp(cut.pixels + (size_t)row * (size_t)part.columns * 3,
                           whole.pixels + ((size_t)(part.top + row) * (size_t)whole.columns + (size_t)part.left) * 3,
                           (size_t)part.columns * 3) != 0)
                    fail_msg("%s: row %d of %d × %d at %d, %d differs", names[i], row, part.columns, part.rows,
                             part.left, part.top);
            ursa_image_free(&cut);
        }
        ursa_image_free(&whole);
    }
    struct ursa_picture picture;
    struct ursa_box box;
    ursa_image cut;
    assert_true(ursa_picture_open(&picture, path_of("grey.png")));
    assert_false(ursa_picture_read(
        &picture, &(struct ursa_picture_part){.left = 20, .columns = 20, .rows = 2, .channels = 1}, &cut, &box));
    ursa_picture_close(&picture);
    ursa_clear_error();
}

/* Reduced within the cosine transform or not, a small picture looks the same. */
static void reduction(void **state)
{
    (void)state;
    ursa_image whole, expected;
    assert_true(ursa_image_read(path_of("large_420.jpg"), 3, &whole));
    assert_true(ursa_image_resize(&whole, 9, 12, &expected));
    uint8_t square[8 * 8 * 3];
    assert_true(ursa_read_square(path_of("large_420.jpg"), 8, 3, square));
    ursa_value value;
    assert_true(ursa_image_value(path_of("large_420.jpg"), 3, &value));
    ursa_rng rng = {0};
    ursa_transform list[URSA_TRANSFORMS] = {ursa_resize(9, .columns = 12, .method = URSA_SQUISH)};
    assert_true(ursa_transform_item(list, &value, NULL, false, &rng));
    double sum = 0;
    int worst = 0;
    for (int i = 0; i < 9 * 12 * 3; i++) {
        int distance = abs(((uint8_t *)value.data)[i] - expected.pixels[i]);
        sum += distance;
        worst = distance > worst ? distance : worst;
    }
    assert_true(sum / (9 * 12 * 3) < 1);
    assert_true(worst <= 4);
    ursa_value_clear(&value);
    ursa_image_free(&whole);
    ursa_image_free(&expected);
}

/* ---- resampling ---------------------------------------------------------------------------- */

/* In double precision, from the definition. */
static double expected_pixel(const ursa_image *image, double row, double column, double down, double along, int c)
{
    double sum = 0, weights = 0, high = fmax(down, 1), wide = fmax(along, 1);
    for (int y = 0; y < image->rows; y++)
        for (int x = 0; x < image->columns; x++) {
            double weight = fmax(0, 1 - fabs(y + 0.5 - row) / high) * fmax(0, 1 - fabs(x + 0.5 - column) / wide);
            weights += weight;
            sum += weight * image->pixels[(y * image->columns + x) * image->channels + c];
        }
    return sum / weights;
}

static void resampling(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {5, 31}, {40, 7}, {17, 23}, {33, 64}, {100, 3}};
    for (int kind = 0; kind < 12; kind++) {
        ursa_image image, out;
        int rows = sizes[kind % 6][0], columns = sizes[kind % 6][1];
        assert_true(ursa_image_read(path_of(kind < 6 ? "colour.png" : "grey.png"), 0, &image));
        assert_true(ursa_image_resize(&image, rows, columns, &out));
        double down = (double)image.rows / rows, along = (double)image.columns / columns;
        for (int i = 0; i < rows * columns * image.channels; i++) {
            int c = i % image.channels, x = i / image.channels % columns, y = i / image.channels / columns;
            double exact = expected_pixel(&image, (y + 0.5) * down, (x + 0.5) * along, down, along, c);
            /* Half a level of rounding; sums of floats are off by far less. */
            assert_true(fabs(exact - out.pixels[i]) <= 0.501);
        }
        ursa_image_free(&image);
        ursa_image_free(&out);
    }
    ursa_image image = {.rows = 4, .columns = 4, .channels = 1, .pixels = (uint8_t[16]){0}}, out;
    assert_false(ursa_image_resize(&image, 0, 4, &out));
    ursa_clear_error();
}

/* ---- EXIF ------------------------------------------------------------------------------------ */

static void exif(void **state)
{
    (void)state;
    uint8_t little[26] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0};
    uint8_t big[26] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 8};
    assert_int_equal(ursa_exif_orientation(little, sizeof little), 6);
    assert_int_equal(ursa_exif_orientation(big, sizeof big), 8);
    for (size_t size = 0; size < 20; size++)
        assert_int_equal(ursa_exif_orientation(little, size), 1); /* cut off */
    little[18] = 9;
    assert_int_equal(ursa_exif_orientation(little, sizeof little), 1);
    little[4] = 0xFF; /* a directory beyond the end */
    assert_int_equal(ursa_exif_orientation(little, sizeof little), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds), cmocka_unit_test(channels),  cmocka_unit_test(broken_files),
        cmocka_unit_test(parts),     cmocka_unit_test(reduction), cmocka_unit_test(resampling),
        cmocka_unit_test(exif),
    };
    return run_unit_tests("vision_pictures", tests);
}

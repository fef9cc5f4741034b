/* test_augment.c — what is random about transforms: how it is distributed, and
 * that it depends on the item's stream alone.
 */
#include "../unit.h"

#include <ursa/ursa.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS = 4000 };

static ursa_rng stream(int64_t item)
{
    return ursa_rng_new(17, URSA_PURPOSE_AUGMENT, (uint64_t)item);
}

/* ---- distributions ---------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov: the largest distance of the share of values below a
 * number from what it should be, 0 … 1. Of `count` values, it is above
 * 1.95 / sqrt(count) once in a thousand. The seed is fixed: a test that passes
 * goes on passing. */
static void assert_uniform(const char *what, double *values, int count, double low, double high)
{
    qsort(values, (size_t)count, sizeof *values, ascending);
    double worst = 0;
    for (int i = 0; i < count; i++) {
        double expected = (values[i] - low) / (high - low);
        double below = fabs(expected - (double)i / count), above = fabs(expected - (double)(i + 1) / count);
        double distance = below > above ? below : above; /* gcc 12 for Arm cannot compile a reduction by fmax() */
        if (distance > worst)
            worst = distance;
    }
    if (!(values[0] >= low - 1e-9 && values[count - 1] <= high + 1e-9 && worst < 1.95 / sqrt(count)))
        fail_msg("%s: %d values from %g to %g, %g away from uniform %g … %g", what, count, values[0], values[count - 1],
                 worst, low, high);
}

/* A share of trials, within four deviations. */
static void assert_share(const char *what, int count, int total, double p)
{
    if (fabs(count - total * p) > 4 * sqrt(total * p * (1 - p)) + 1e-9)
        fail_msg("%s: %d of %d, expected a share of %g", what, count, total, p);
}

static void draw_maps(ursa_transform transform, double (*maps)[9])
{
    static const double identity[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    for (int i = 0; i < ITEMS; i++) {
        ursa_rng rng = stream(i);
        memcpy(maps[i], identity, sizeof identity);
        assert_true(transform.class->geometry(&transform, true, 100, 100, &rng, maps[i]));
    }
}

static bool is_identity(const double map[9])
{
    for (int i = 0; i < 9; i++)
        if (fabs(map[i] - (i % 4 == 0)) > 1e-12)
            return false;
    return true;
}

static void geometry(void **state)
{
    (void)state;
    double(*maps)[9] = malloc(ITEMS * sizeof *maps), *values = malloc(2 * ITEMS * sizeof *values);
    int changed = 0;
    draw_maps(ursa_flip_tfm(), maps);
    for (int i = 0; i < ITEMS; i++)
        changed += maps[i][0] < 0 && maps[i][4] > 0;
    assert_share("flip", changed, ITEMS, 0.5);

    int kinds[8] = {0};
    draw_maps(ursa_dihedral(.p = 1), maps);
    for (int i = 0; i < ITEMS; i++)
        kinds[(fabs(maps[i][0]) < 0.5) * 4 + (maps[i][0] + maps[i][1] < 0) * 2 + (maps[i][3] + maps[i][4] < 0)]++;
    for (int k = 0; k < 8; k++)
        assert_share("dihedral", kinds[k], ITEMS, 1.0 / 8);

    changed = 0;
    draw_maps(ursa_rotate(.max_deg = 25, .p = 0.3), maps);
    for (int i = 0; i < ITEMS; i++)
        if (!is_identity(maps[i]))
            values[changed++] = atan2(maps[i][1], maps[i][0]) * 180 / M_PI;
    assert_share("rotate", changed, ITEMS, 0.3);
    assert_uniform("rotate", values, changed, -25, 25);

    changed = 0;
    draw_maps(ursa_zoom(.max_zoom = 1.5), maps);
    for (int i = 0; i < ITEMS; i++)
        if (!is_identity(maps[i]))
            values[changed++] = 1 / maps[i][0];
    assert_share("zoom", changed, ITEMS, 0.5);
    assert_uniform("zoom", values, changed, 1, 1.5);
    int places = 0;
    for (int i = 0; i < ITEMS; i++)
        if (!is_identity(maps[i])) /* where the middle of what is seen is, of where it may be */
            values[places++] = maps[i][2] / (1 - maps[i][0]);
    assert_uniform("zoom's place", values, places, -1, 1);

    /* The right edge of the result is at x = 1 of the source where (m0 - m6) x + (m1 - m7) y + m2 - m8 = 0: its ends
     * are y to either side. */
    draw_maps(ursa_warp(.magnitude = 0.3, .p = 1), maps);
    for (int i = 0; i < ITEMS; i++) {
        const double *m = maps[i];
        double a = m[0] - m[6], b = m[1] - m[7], c = m[2] - m[8];
        values[i] = (b - c) / a - (-b - c) / a;
    }
    qsort(values, ITEMS, sizeof *values, ascending);
    assert_true(values[0] > -1 && values[0] < -0.4 && values[ITEMS - 1] > 0.4 && values[ITEMS - 1] < 1);
    assert_true(fabs(values[ITEMS / 2]) < 0.03); /* to either side alike */

    draw_maps(ursa_random_resized_crop_batch(50, .min_scale = 0.25, .ratio = {1, 1}), maps);
    for (int i = 0; i < ITEMS; i++) {
        double side = maps[i][0] * 99 + 1;
        values[i] = side * side / 10000;
        assert_true(fabs(maps[i][2]) <= 1 - maps[i][0] + 1e-9 && fabs(maps[i][5]) <= 1 - maps[i][4] + 1e-9);
    }
    /* Sides are whole pixels: areas are uniform but for those steps, of up to 2 %. */
    qsort(values, ITEMS, sizeof *values, ascending);
    assert_true(values[0] >= 0.25 && values[ITEMS - 1] <= 1 && fabs(values[ITEMS / 2] - 0.625) < 0.03);
    free(maps);
    free(values);
}

static void draw_light(ursa_transform transform, double (*maps)[12])
{
    for (int i = 0; i < ITEMS; i++) {
        ursa_rng rng = stream(i);
        memset(maps[i], 0, sizeof maps[i]);
        maps[i][0] = maps[i][5] = maps[i][10] = 1;
        assert_true(transform.class->light(&transform, &rng, maps[i]));
    }
}

static void light(void **state)
{
    (void)state;
    double(*maps)[12] = malloc(ITEMS * sizeof *maps), *values = malloc(ITEMS * sizeof *values);
    int changed = 0;
    draw_light(ursa_brightness(.max_lighting = 0.4), maps);
    for (int i = 0; i < ITEMS; i++)
        if (maps[i][3] != 0)
            values[changed++] = 1 / (1 + exp(-maps[i][3]));
    assert_share("brightness", changed, ITEMS, 0.75);
    assert_uniform("brightness", values, changed, 0.3, 0.7);

    changed = 0;
    draw_light(ursa_contrast(.max_lighting = 0.4, .p = 0.5), maps);
    for (int i = 0; i < ITEMS; i++)
        if (maps[i][0] != 1)
            values[changed++] = log(maps[i][0]);
    assert_share("contrast", changed, ITEMS, 0.5);
    assert_uniform("contrast", values, changed, log(0.6), -log(0.6));

    draw_light(ursa_saturation(.max_lighting = 0.2, .p = 1), maps);
    for (int i = 0; i < ITEMS; i++)
        values[i] = log(maps[i][0] - maps[i][4]); /* what is left of a difference of channels */
    assert_uniform("saturation", values, ITEMS, log(0.8), -log(0.8));
    free(maps);
    free(values);
}

/* A picture whose pixels say where they are: of 200 × 200, columns in the first channel, rows in the second. */
static ursa_value places(void)
{
    ursa_value out = {
        .kind = URSA_KIND_IMAGE, .dtype = URSA_U8, .shape = ursa_shape(200, 200, 3), .data = malloc(200 * 200 * 3)};
    for (int i = 0; i < 200 * 200; i++)
        memcpy((uint8_t *)out.data + 3 * i, (uint8_t[]){(uint8_t)(i % 200), (uint8_t)(i / 200), 0}, 3);
    return out;
}

static void crops(void **state)
{
    (void)state;
    enum { TRIALS = 500, SIZE = 40 };
    double lefts[TRIALS], tops[TRIALS], areas[TRIALS], ratios[TRIALS];
    ursa_transform random_crop[URSA_TRANSFORMS] = {ursa_random_crop(SIZE)};
    ursa_transform resized[URSA_TRANSFORMS] = {ursa_random_resized_crop(SIZE, .min_scale = 0.2)};
    for (int i = 0; i < TRIALS; i++) {
        ursa_rng rng = stream(i);
        ursa_value x = places();
        assert_true(ursa_transform_item(random_crop, &x, NULL, true, &rng));
        assert_true(x.shape.dim[0] == SIZE && x.shape.dim[1] == SIZE);
        lefts[i] = ((uint8_t *)x.data)[0] + ursa_rng_uniform(&rng); /* between whole numbers, to be uniform */
        tops[i] = ((uint8_t *)x.data)[1] + ursa_rng_uniform(&rng);
        ursa_value_clear(&x);
        x = places();
        rng = stream(i);
        assert_true(ursa_transform_item(resized, &x, NULL, true, &rng));
        const uint8_t *first = (uint8_t *)x.data + 3 * (10 * SIZE + 10), *last = first + 3 * (20 * SIZE + 20);
        double columns = (last[0] - first[0]) * 2.0, rows = (last[1] - first[1]) * 2.0;
        areas[i] = columns * rows / 40000;
        ratios[i] = columns / rows;
        ursa_value_clear(&x);
    }
    assert_uniform("random_crop", lefts, TRIALS, 0, 161);
    assert_uniform("random_crop", tops, TRIALS, 0, 161);
    qsort(areas, TRIALS, sizeof *areas, ascending);
    qsort(ratios, TRIALS, sizeof *ratios, ascending);
    /* Measured to whole grey levels over half the side, and not quite uniform: what does not fit is drawn again. */
    assert_true(areas[0] > 0.16 && areas[0] < 0.25 && areas[TRIALS - 1] > 0.85 && areas[TRIALS - 1] <= 1.05);
    assert_true(areas[TRIALS / 2] > 0.5 && areas[TRIALS / 2] < 0.65);
    assert_true(ratios[0] > 0.7 && ratios[0] < 0.8 && ratios[TRIALS - 1] > 1.25 && ratios[TRIALS - 1] < 1.43);
    assert_true(fabs(log(ratios[TRIALS / 2])) < 0.05);
}

/* ---- batches ---------------------------------------------------------------------------- */

enum { BATCH = 6, SIDE = 24 };

static void fill(uint8_t *pixels)
{
    for (int i = 0; i < BATCH * SIDE * SIDE * 3; i++)
        pixels[i] = (uint8_t)(i * 37 % 251);
}

static void run(const ursa_transform *list, const uint8_t *pixels, int first, int count, float *out)
{
    ursa_scope *scope = ursa_scope_begin();
    ursa_rng rngs[BATCH];
    for (int i = 0; i < count; i++)
        rngs[i] = stream(first + i);
    ursa_transform_batch batch = {
        .x = ursa_from(pixels + first * SIDE * SIDE * 3, ursa_shape(count, SIDE, SIDE, 3), .dtype = URSA_U8),
        .x_kind = URSA_KIND_IMAGE,
        .count = count,
        .rngs = rngs};
    if (!ursa_transform_run_batch(list, true, &batch))
        fail_msg("%s", ursa_error());
    assert_true(ursa_read(batch.x, URSA_F32, out, count * SIDE * SIDE * 3));
    ursa_scope_end(scope);
}

/* An item comes out the same in a batch of any size. */
static void batches_do_not_matter(void **state)
{
    (void)state;
    static uint8_t pixels[BATCH * SIDE * SIDE * 3];
    static float together[BATCH * SIDE * SIDE * 3], alone[BATCH * SIDE * SIDE * 3];
    fill(pixels);
    const ursa_transform list[URSA_TRANSFORMS] = {ursa_aug_transforms(.flip_vert = true), ursa_saturation(), ursa_hue(),
                                                  ursa_normalize(ursa_imagenet_stats), ursa_random_erasing(.p = 1)};
    run(list, pixels, 0, BATCH, together);
    for (int i = 0; i < BATCH; i++)
        run(list, pixels, i, 1, alone + i * SIDE * SIDE * 3);
    /* Products of matrices may add in another order. */
    for (int i = 0; i < BATCH * SIDE * SIDE * 3; i++)
        assert_true(fabsf(together[i] - alone[i]) <= 1e-4f);
}

static void erasing(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    const ursa_transform list[URSA_TRANSFORMS] = {ursa_random_erasing(.sh = 0.2)};
    uint8_t *pixels = malloc(COUNT * SIDE * SIDE * 3);
    float *out = malloc(COUNT * SIDE * SIDE * 3 * sizeof *out);
    memset(pixels, 255, COUNT * SIDE * SIDE * 3);
    double sum = 0, squares = 0;
    int64_t erased = 0, changed = 0;
    for (int i = 0; i < COUNT; i++) {
        int before = (int)erased;
        run(list, pixels, i, 1, out);
        for (int k = 0; k < SIDE * SIDE * 3; k++)
            if (out[k] != 1) {
                erased++;
                sum += (double)out[k];
                squares += (double)out[k] * (double)out[k];
            }
        changed += erased > before;
    }
    double n = (double)erased, mean = sum / n, area = n / (double)(changed * SIDE * SIDE * 3);
    assert_share("erasing", (int)changed, COUNT, 0.5);
    /* Noise of mean 0 and deviation 1, over a tenth of the picture on average. */
    assert_true(fabs(mean) < 4 / sqrt(n) && fabs(squares / n - mean * mean - 1) < 4 * sqrt(2 / n));
    assert_true(area > 0.08 && area < 0.12);
    free(pixels);
    free(out);
}

/* Below zero means none; and validation changes nothing. */
static void nothing(void **state)
{
    (void)state;
    static uint8_t pixels[BATCH * SIDE * SIDE * 3];
    static float out[BATCH * SIDE * SIDE * 3];
    fill(pixels);
    const ursa_transform list[URSA_TRANSFORMS] = {
        ursa_aug_transforms(.no_flip = true, .max_rotate = -1, .max_zoom = 1, .max_lighting = -1, .max_warp = -1)};
    run(list, pixels, 0, BATCH, out);
    for (int i = 0; i < BATCH * SIDE * SIDE * 3; i++)
        assert_float_equal(out[i], (float)pixels[i] / 255, 1e-6f);
    ursa_scope *scope = ursa_scope_begin();
    ursa_rng rngs[BATCH] = {{0}};
    const ursa_transform usual[URSA_TRANSFORMS] = {ursa_aug_transforms(), ursa_random_erasing(.p = 1)};
    ursa_transform_batch batch = {.x = ursa_from(pixels, ursa_shape(BATCH, SIDE, SIDE, 3), .dtype = URSA_U8),
                                  .x_kind = URSA_KIND_IMAGE,
                                  .count = BATCH,
                                  .rngs = rngs};
    assert_true(ursa_transform_run_batch(usual, false, &batch));
    assert_true(ursa_read(batch.x, URSA_F32, out, BATCH * SIDE * SIDE * 3));
    for (int i = 0; i < BATCH * SIDE * SIDE * 3; i++)
        assert_float_equal(out[i], (float)pixels[i] / 255, 1e-6f);
    ursa_scope_end(scope);
}

/* Bytes as they are uploaded, and back; with three statistics, and one for all channels. */
static void normalisation(void **state)
{
    (void)state;
    static uint8_t pixels[BATCH * SIDE * SIDE * 3];
    static float out[BATCH * SIDE * SIDE * 3];
    fill(pixels);
    for (int kind = 0; kind < 2; kind++) {
        ursa_image_stats stats = kind ? ursa_mnist_stats : ursa_cifar_stats;
        const ursa_transform list[URSA_TRANSFORMS] = {ursa_normalize(stats)};
        run(list, pixels, 0, BATCH, out);
        for (int i = 0; i < BATCH * SIDE * SIDE * 3; i++) {
            int c = i % stats.channels;
            assert_float_equal(out[i], ((float)pixels[i] / 255 - stats.mean[c]) / stats.std[c], 1e-5f);
        }
        ursa_scope *scope = ursa_scope_begin();
        ursa_tensor *x = ursa_from(out, ursa_shape(BATCH, SIDE, SIDE, 3));
        assert_true(ursa_read(ursa_transform_decode(list, x), URSA_F32, out, BATCH * SIDE * SIDE * 3));
        for (int i = 0; i < BATCH * SIDE * SIDE * 3; i++)
            assert_float_equal(out[i], (float)pixels[i] / 255, 1e-5f);
        ursa_scope_end(scope);
    }
}

/* Of all batches, the statistics of all pixels. */
static void statistics(void **state)
{
    (void)state;
    const int64_t count = BATCH * SIDE * SIDE * 3;
    uint8_t *pixels = malloc((size_t)count);
    int64_t *labels = calloc(BATCH, sizeof *labels);
    fill(pixels);
    double sum[3] = {0}, squares[3] = {0}, n = (double)count / 3;
    for (int64_t i = 0; i < count; i++) {
        double value = pixels[i] / 255.0;
        sum[i % 3] += value / n;
        squares[i % 3] += value * value / n;
    }
    ursa_item_layout layout = {.x_shape = ursa_shape(SIDE, SIDE, 3),
                               .x_dtype = URSA_U8,
                               .y_dtype = URSA_I64,
                               .x_kind = URSA_KIND_IMAGE,
                               .y_kind = URSA_KIND_CATEGORY};
    ursa_dataloader *loader = ursa_dataloader_new(ursa_array_dataset(pixels, labels, BATCH, &layout), .batch_size = 4);
    ursa_image_stats stats;
    assert_true(ursa_image_stats_of(loader, 10, &stats));
    assert_int_equal(stats.channels, 3);
    for (int c = 0; c < 3; c++) {
        assert_float_equal(stats.mean[c], (float)sum[c], 1e-5f);
        assert_float_equal(stats.std[c], (float)sqrt(squares[c] - sum[c] * sum[c]), 1e-5f);
    }
    ursa_dataloader_free(loader);
}

static void errors(void **state)
{
    (void)state;
    const ursa_transform wrong[] = {ursa_zoom(.min_zoom = 2),
                                    ursa_brightness(.max_lighting = 1),
                                    ursa_random_erasing(.sh = 2),
                                    ursa_normalize((ursa_image_stats){3, {0}, {0}}),
                                    ursa_normalize((ursa_image_stats){2, {0}, {1, 1}}),
                                    ursa_resize(12),
                                    ursa_random_resized_crop_batch(9, .min_scale = 3)};
    static uint8_t pixels[BATCH * SIDE * SIDE * 3];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ursa_scope *scope = ursa_scope_begin();
        ursa_rng rngs[BATCH] = {{0}};
        ursa_transform list[URSA_TRANSFORMS] = {wrong[i]};
        ursa_transform_batch batch = {.x = ursa_from(pixels, ursa_shape(BATCH, SIDE, SIDE, 3), .dtype = URSA_U8),
                                      .x_kind = URSA_KIND_IMAGE,
                                      .count = BATCH,
                                      .rngs = rngs};
        assert_false(ursa_transform_run_batch(list, true, &batch));
        assert_int_equal(strncmp(ursa_error(), wrong[i].class->name, strlen(wrong[i].class->name)), 0);
        ursa_clear_error();
        ursa_scope_end(scope);
    }
}

/* Every class is found by its name, once, and names its arguments. */
static void classes(void **state)
{
    (void)state;
    int count;
    const ursa_transform_class *const *list = ursa_vision_transform_classes(&count);
    assert_true(count >= 17);
    for (int i = 0; i < count; i++) {
        int names = 0;
        while (list[i]->arguments[names])
            names++;
        assert_true(names > 0 && names <= URSA_TRANSFORM_ARGUMENTS);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(list[i]->name, list[k]->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(geometry),      cmocka_unit_test(light),
        cmocka_unit_test(crops),         cmocka_unit_test(batches_do_not_matter),
        cmocka_unit_test(erasing),       cmocka_unit_test(nothing),
        cmocka_unit_test(normalisation), cmocka_unit_test(statistics),
        cmocka_unit_test(errors),        cmocka_unit_test(classes),
    };
    return run_unit_tests("vision_augment", tests);
}

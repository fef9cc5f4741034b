/* test_transforms.c — transforms of batches and items against what fastai makes
 * of the same pictures; see make_transform_fixtures.py.
 */
#include "golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- comparing ----------------------------------------------------------------------- */

static const ursa_stored_tensor *stored(const char *format, const char *name)
{
    char full[100];
    snprintf(full, sizeof full, format, name);
    return ursa_safetensors_find(fixtures(), full);
}

static void assert_shape(const char *name, ursa_dims expected, ursa_dims found)
{
    assert_int_equal(expected.ndim, found.ndim);
    for (int axis = 0; axis < expected.ndim; axis++)
        if (expected.dim[axis] != found.dim[axis])
            fail_msg("%s: axis %d has %lld, expected %lld", name, axis, (long long)found.dim[axis],
                     (long long)expected.dim[axis]);
}

static void assert_floats(const char *name, const ursa_stored_tensor *expected, ursa_tensor *found, double tolerance)
{
    if (!expected || !found)
        fail_msg("%s: %s", name, expected ? ursa_error() : "not in the fixtures");
    assert_shape(name, expected->shape, ursa_dims_of(found));
    int64_t count = ursa_count(found);
    float *values = malloc((size_t)count * sizeof *values);
    assert_true(ursa_read(found, URSA_F32, values, count));
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)((const float *)expected->data)[i] - (double)values[i]) <= tolerance))
            fail_msg("%s[%lld]: expected %g, found %g", name, (long long)i, (double)((const float *)expected->data)[i],
                     (double)values[i]);
    free(values);
}

/* ---- batches ---------------------------------------------------------------------------- */

#define CHANGES 5

/* fastai draws what these are told to draw; p = 1. */
static const struct batch_case {
    const char *name, *source;
    bool validation;
    ursa_transform list[CHANGES];
} * cases(int *count)
{
#define CASE(case_name, picture, ...)                                                                                  \
    {                                                                                                                  \
        .name = case_name, .source = picture, .list = { __VA_ARGS__ }                                                  \
    }
    static struct batch_case list[40];
    const struct batch_case all[] = {
        CASE("flip", "wide", ursa_flip_tfm(.p = 1)),
        CASE("dihedral_1", "wide", ursa_dihedral(.p = 1, .draw = 1)),
        CASE("dihedral_2", "wide", ursa_dihedral(.p = 1, .draw = 2)),
        CASE("dihedral_3", "wide", ursa_dihedral(.p = 1, .draw = 3)),
        CASE("dihedral_4", "wide", ursa_dihedral(.p = 1, .draw = 4)),
        CASE("dihedral_5", "wide", ursa_dihedral(.p = 1, .draw = 5)),
        CASE("dihedral_6", "wide", ursa_dihedral(.p = 1, .draw = 6)),
        CASE("dihedral_7", "wide", ursa_dihedral(.p = 1, .draw = 7)),
        CASE("dihedral_2", "wide", ursa_flip_tfm(.p = 1, .vertical = true)),
        CASE("rotate", "wide", ursa_rotate(.p = 1, .draw = 30)),
        CASE("rotate_zeros", "wide", ursa_rotate(.p = 1, .draw = -50, .pad_mode = URSA_PAD_ZEROS)),
        CASE("rotate_border", "wide", ursa_rotate(.p = 1, .draw = 75, .pad_mode = URSA_PAD_BORDER)),
        CASE("zoom", "wide", ursa_zoom(.p = 1, .draw = 1.35, .draw_x = 0.2, .draw_y = 0.9)),
        CASE("warp", "wide", ursa_warp(.p = 1, .draw_x = 0.15, .draw_y = -0.1)),
        CASE("warp_other", "square", ursa_warp(.p = 1, .draw_x = -0.2, .draw_y = 0.2)),
        CASE("resized", "wide", ursa_rotate(.p = 1, .draw = 20, .rows = 19, .columns = 41)),
        CASE("reduced", "square", ursa_rotate(.p = 1, .draw = 20, .rows = 7)),
        {.name = "validation",
         .source = "wide",
         .validation = true,
         .list = {ursa_flip_tfm(.p = 1, .rows = 20), ursa_rotate(.p = 1, .draw = 20)}},
        CASE("composed", "square", ursa_flip_tfm(.p = 1), ursa_rotate(.p = 1, .draw = 12),
             ursa_zoom(.p = 1, .draw = 1.08, .draw_x = 0.7, .draw_y = 0.3),
             ursa_warp(.p = 1, .draw_x = 0.1, .draw_y = 0.05)),
        CASE("brightness", "wide", ursa_brightness(.p = 1, .draw = 0.63)),
        CASE("contrast", "wide", ursa_contrast(.p = 1, .draw = 1.4)),
        CASE("saturation", "wide", ursa_saturation(.p = 1, .draw = 0.4)),
        CASE("light", "wide", ursa_brightness(.p = 1, .draw = 0.42), ursa_contrast(.p = 1, .draw = 0.8),
             ursa_saturation(.p = 1, .draw = 1.7)),
        CASE("hue", "wide", ursa_hue(.p = 1, .draw = 0.07)),
        CASE("hue_far", "wide", ursa_hue(.p = 1, .draw = 0.6)),
        CASE("normalize", "wide", ursa_normalize(ursa_imagenet_stats)),
    };
    *count = (int)(sizeof all / sizeof *all);
    memcpy(list, all, sizeof all);
    return list;
#undef CASE
}

static ursa_transform_batch open_batch(const struct batch_case *this, ursa_rng *rngs)
{
    return (ursa_transform_batch){.x = fixture(this->source),
                                  .x_kind = URSA_KIND_IMAGE,
                                  .count = ursa_dim(fixture(this->source), 0),
                                  .rngs = rngs};
}

static void run(const struct batch_case *this, ursa_transform_batch *batch)
{
    ursa_transform list[URSA_TRANSFORMS] = {{0}};
    memcpy(list, this->list, sizeof this->list);
    if (!ursa_transform_run_batch(list, !this->validation, batch))
        fail_msg("%s: %s", this->name, ursa_error());
}

static void assert_mask(const struct batch_case *this, ursa_rng *rngs)
{
    const ursa_stored_tensor *expected = stored("%s.mask", this->name);
    if (!expected)
        return;
    ursa_transform_batch batch = open_batch(this, rngs);
    batch.y = fixture("mask");
    batch.y_kind = URSA_KIND_MASK;
    run(this, &batch);
    assert_shape(this->name, expected->shape, ursa_dims_of(batch.y));
    int64_t count = ursa_count(batch.y), different = 0;
    int64_t *classes = malloc((size_t)count * sizeof *classes);
    assert_true(ursa_read(batch.y, URSA_I64, classes, count));
    for (int64_t i = 0; i < count; i++)
        different += classes[i] != ((const int64_t *)expected->data)[i];
    free(classes);
    /* Places half-way between pixels are rounded either way; a turn by 30° has next to none. */
    if (different > (strcmp(this->name, "rotate") == 0 ? count / 200 : 0))
        fail_msg("%s: %lld of %lld pixels of the mask differ", this->name, (long long)different, (long long)count);
}

/* The fixtures hold points from -1 to 1, which pixels are the other way around. */
static void assert_points(const struct batch_case *this, ursa_rng *rngs)
{
    const ursa_stored_tensor *expected = stored("%s.points", this->name);
    if (!expected)
        return;
    ursa_transform_batch batch = open_batch(this, rngs);
    float size[2] = {(float)ursa_dim(batch.x, 2) / 2, (float)ursa_dim(batch.x, 1) / 2};
    batch.y = ursa_mul(ursa_add_scalar(fixture("points"), 1), ursa_from(size, ursa_shape(2)));
    batch.y_kind = URSA_KIND_POINTS;
    run(this, &batch);
    /* fastai counts its points between edges and its pixels between centres, and does not mind the difference, which is
     * there where the sides differ: a share of a pixel, 1/17 - 1/24, at most 0.6 of it in a coordinate. */
    bool turned = strcmp(this->name, "flip") != 0 && strcmp(this->name, "dihedral_1") != 0 &&
                  strcmp(this->name, "dihedral_2") != 0 && strcmp(this->name, "dihedral_4") != 0;
    assert_floats(this->name, expected, batch.y, turned ? 0.03 : 1e-5);
}

static void batches(void **state)
{
    (void)state;
    int count;
    const struct batch_case *all = cases(&count);
    for (int i = 0; i < count; i++) {
        ursa_scope *scope = ursa_scope_begin();
        ursa_rng rngs[2] = {ursa_rng_new(1, URSA_PURPOSE_AUGMENT, 0), ursa_rng_new(1, URSA_PURPOSE_AUGMENT, 1)};
        ursa_transform_batch batch = open_batch(&all[i], rngs);
        run(&all[i], &batch);
        assert_floats(all[i].name, stored("%s.x", all[i].name), batch.x, 1e-4);
        assert_mask(&all[i], rngs);
        assert_points(&all[i], rngs);
        ursa_scope_end(scope);
    }
}

/* ---- items --------------------------------------------------------------------------------- */

static ursa_value points_value(void)
{
    const ursa_stored_tensor *points = stored("%s", "item.points");
    ursa_value out = {
        .kind = URSA_KIND_POINTS, .dtype = URSA_F32, .shape = points->shape, .data = malloc(points->bytes)};
    memcpy(out.data, points->data, points->bytes);
    return out;
}

static void assert_bytes(const char *name, const ursa_stored_tensor *expected, const ursa_value *found, int tolerance)
{
    if (!expected)
        fail_msg("%s: not in the fixtures", name);
    assert_shape(name, expected->shape, found->shape);
    for (size_t i = 0; i < expected->bytes; i++) {
        int want = ((const uint8_t *)expected->data)[i], have = ((const uint8_t *)found->data)[i];
        if (abs(want - have) > tolerance)
            fail_msg("%s[%zu]: expected %d, found %d", name, i, want, have);
    }
}

static void assert_item(const char *name, ursa_transform transform)
{
    ursa_transform list[URSA_TRANSFORMS] = {transform};
    ursa_rng rng = ursa_rng_new(1, URSA_PURPOSE_AUGMENT, 0);
    ursa_value x, mask, points = points_value();
    assert_true(ursa_image_value(PICTURES "/item.png", 3, &x) && ursa_mask_value(PICTURES "/item_mask.png", &mask));
    if (!ursa_transform_item(list, &x, &mask, false, &rng))
        fail_msg("%s: %s", name, ursa_error());
    assert_bytes(name, stored("item.%s.x", name), &x, 2);
    assert_bytes(name, stored("item.%s.mask", name), &mask, 0);
    ursa_value_clear(&x);
    assert_true(ursa_image_value(PICTURES "/item.png", 3, &x));
    assert_true(ursa_transform_item(list, &x, &points, false, &rng));
    const ursa_stored_tensor *expected = stored("item.%s.points", name);
    float *found = points.data;
    for (int64_t i = 0; expected && i < expected->shape.dim[0] * 2; i++) {
        double size = (double)x.shape.dim[i % 2 ? 0 : 1], at = (double)found[i] * 2 / size - 1;
        if (!(fabs(at - (double)((const float *)expected->data)[i]) <= 1e-5))
            fail_msg("%s: point[%lld] is at %g, expected %g", name, (long long)i, at,
                     (double)((const float *)expected->data)[i]);
    }
    ursa_value_clear(&x);
    ursa_value_clear(&mask);
    ursa_value_clear(&points);
}

static void items(void **state)
{
    (void)state;
    static const char *const methods[] = {"crop", "squish", "pad"};
    static const int sizes[][2] = {{32, 32}, {20, 50}, {66, 30}};
    static const char *const texts[] = {"32", "20x50", "66x30"};
    for (int method = 0; method < 3; method++)
        for (int size = 0; size < 3; size++) {
            char name[32];
            snprintf(name, sizeof name, "%s_%s", methods[method], texts[size]);
            assert_item(name,
                        ursa_resize(sizes[size][0], .columns = sizes[size][1], .method = (ursa_resize_method)method));
        }
    assert_item("pad_zeros", ursa_resize(40, .columns = 30, .method = URSA_PAD, .pad_mode = URSA_PAD_ZEROS));
    assert_item("pad_border", ursa_resize(40, .columns = 30, .method = URSA_PAD, .pad_mode = URSA_PAD_BORDER));
    assert_item("crop_pad_small", ursa_crop_pad(32));
    assert_item("crop_pad_large", ursa_crop_pad(60, .columns = 80));
    assert_item("crop_pad_reflection", ursa_crop_pad(50, .columns = 40, .pad_mode = URSA_PAD_REFLECTION));
    assert_item("random_crop", ursa_random_crop(30, .columns = 41));
    assert_item("random_resized_crop", ursa_random_resized_crop(24, .columns = 32));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(batches), cmocka_unit_test(items)};
    return run_unit_tests("golden_transforms", tests);
}

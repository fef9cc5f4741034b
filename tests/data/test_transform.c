/* test_transform.c — lists of transforms: their order, what is left out, and
 * geometry that moves images, masks and points alike. */
#include "../unit.h"

#include <ursa/ursa.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- transforms to test with ---------------------------------------------------- */

/* The geometry of argument[0 … 8] as it is. */
static bool map_geometry(const ursa_transform *transform, bool training, int64_t rows, int64_t columns, ursa_rng *rng,
                         double map[9])
{
    (void)rng, (void)training;
    assert_true(rows > 0 && columns > 0);
    double out[9];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            out[3 * i + j] = 0;
            for (int k = 0; k < 3; k++)
                out[3 * i + j] += map[3 * i + k] * transform->argument[3 * k + j];
        }
    memcpy(map, out, sizeof out);
    return true;
}

/* argument[9] × argument[10] pixels, argument[11] the border. */
static void map_sampling(const ursa_transform *transform, ursa_sampling *sampling)
{
    if (!sampling->rows && transform->argument[9] > 0) {
        sampling->rows = (int64_t)transform->argument[9];
        sampling->columns = (int64_t)transform->argument[10];
    }
    if (sampling->border < 0)
        sampling->border = (int)transform->argument[11];
}

static const ursa_transform_class map_class = {
    .name = "map", .order = 30, .geometry = map_geometry, .sampling = map_sampling, .training_only = true};

static bool affine_batch(const ursa_transform *transform, ursa_transform_batch *batch)
{
    batch->x = ursa_add_scalar(ursa_mul_scalar(batch->x, transform->argument[0]), transform->argument[1]);
    return batch->x;
}

static ursa_tensor *affine_decode(const ursa_transform *transform, ursa_tensor *x)
{
    return ursa_mul_scalar(ursa_add_scalar(x, -transform->argument[1]), 1 / transform->argument[0]);
}

static const ursa_transform_class late_class = {
    .name = "late", .order = 90, .batch = affine_batch, .decode = affine_decode};
static const ursa_transform_class early_class = {
    .name = "early", .order = 40, .batch = affine_batch, .training_only = true};

static int pair_expand(const ursa_transform *transform, ursa_transform *out)
{
    out[0] = (ursa_transform){&late_class, {1, transform->argument[0]}};
    out[1] = (ursa_transform){&early_class, {transform->argument[1]}};
    return 2;
}

static const ursa_transform_class pair_class = {.name = "pair", .expand = pair_expand};

static bool double_item(const ursa_transform *transform, ursa_value *x, ursa_value *y, bool training, ursa_rng *rng)
{
    (void)rng, (void)transform;
    assert_true(ursa_value_decode(x));
    for (int i = 0; i < 3; i++)
        ((uint8_t *)x->data)[i] = (uint8_t)(((uint8_t *)x->data)[i] * 2 + training);
    if (y)
        *(int64_t *)y->data += 1;
    return true;
}

static const ursa_transform_class double_class = {.name = "double", .item = double_item};

/* ---- values and items -------------------------------------------------------------- */

static bool read_three(ursa_value *value)
{
    value->data = malloc(3);
    memcpy(value->data, (uint8_t[]){1, 2, 3}, 3);
    return true;
}

static void items(void **state)
{
    (void)state;
    ursa_value x = {.kind = URSA_KIND_IMAGE, .dtype = URSA_U8, .shape = ursa_shape(1, 1, 3), .decode = read_three};
    ursa_value y = {.kind = URSA_KIND_CATEGORY, .dtype = URSA_I64, .data = calloc(1, 8)};
    ursa_rng rng = ursa_rng_new(1, URSA_PURPOSE_AUGMENT, 0);
    ursa_transform list[URSA_TRANSFORMS] = {{&double_class}, {&double_class}};
    assert_true(ursa_transform_item(NULL, &x, &y, true, &rng)); /* reads it, and no more */
    assert_memory_equal(x.data, ((uint8_t[]){1, 2, 3}), 3);
    assert_true(ursa_transform_item(list, &x, &y, false, &rng));
    assert_memory_equal(x.data, ((uint8_t[]){4, 8, 12}), 3);
    assert_int_equal(*(int64_t *)y.data, 2);
    assert_true(ursa_transform_item(list, &x, NULL, true, &rng));
    assert_memory_equal(x.data, ((uint8_t[]){19, 35, 51}), 3);
    ursa_transform wrong[URSA_TRANSFORMS] = {{&late_class}};
    assert_false(ursa_transform_item(wrong, &x, &y, true, &rng));
    assert_string_equal(ursa_error(), "late: a transform of batches among those of items");
    ursa_clear_error();
    ursa_value_clear(&x);
    ursa_value_clear(&y);
    ursa_value nothing = {.kind = URSA_KIND_IMAGE, .shape = ursa_shape(1, 1, 3)};
    assert_false(ursa_value_decode(&nothing));
    ursa_clear_error();
}

/* ---- batches ------------------------------------------------------------------------- */

static void order_and_decode(void **state)
{
    (void)state;
    ursa_scope *scope = ursa_scope_begin();
    uint8_t pixels[2] = {0, 255};
    float out[2];
    ursa_rng rngs[2] = {ursa_rng_new(1, URSA_PURPOSE_AUGMENT, 0), ursa_rng_new(1, URSA_PURPOSE_AUGMENT, 1)};
    /* Runs: early × 3, late × 2 + 0 and + 5, wherever they stand. */
    ursa_transform list[URSA_TRANSFORMS] = {{&late_class, {2, 0}}, {&pair_class, {5, 3}}};
    for (int training = 0; training < 2; training++) {
        ursa_tensor *x = ursa_from(pixels, ursa_shape(2, 1, 1, 1), .dtype = URSA_U8);
        ursa_transform_batch batch = {.x = x, .x_kind = URSA_KIND_IMAGE, .count = 2, .rngs = rngs};
        assert_true(ursa_transform_run_batch(list, training, &batch));
        assert_true(ursa_read(batch.x, URSA_F32, out, 2));
        assert_float_equal(out[0], 5, 1e-6);
        assert_float_equal(out[1], (training ? 11 : 7), 1e-6);
        assert_true(ursa_read(ursa_transform_decode(list, batch.x), URSA_F32, out, 2));
        assert_float_equal(out[1], (training ? 3 : 1), 1e-6);
        assert_true(ursa_read(x, URSA_F32, out, 2)); /* the caller's is left alone */
    }
    ursa_transform wrong[URSA_TRANSFORMS] = {{&double_class}};
    ursa_transform_batch batch = {.x = ursa_ones(ursa_shape(1, 1, 1, 1)), .count = 1, .rngs = rngs};
    assert_false(ursa_transform_run_batch(wrong, true, &batch));
    ursa_clear_error();
    ursa_scope_end(scope);
}

enum { ROWS = 40, COLUMNS = 60 };

/* A picture that is bright around (x, y), counted in pixels from the corner. */
static void draw_dot(uint8_t *pixels, double x, double y)
{
    for (int row = 0; row < ROWS; row++)
        for (int column = 0; column < COLUMNS; column++) {
            double square = pow(column + 0.5 - x, 2) + pow(row + 0.5 - y, 2);
            pixels[row * COLUMNS + column] = (uint8_t)lround(255 * exp(-square / 6));
        }
}

static void centre_of(const float *pixels, int rows, int columns, double at[2])
{
    double sum = 0;
    at[0] = at[1] = 0;
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++) {
            double weight = pixels[row * columns + column];
            sum += weight;
            at[0] += weight * (column + 0.5);
            at[1] += weight * (row + 0.5);
        }
    at[0] = at[0] / sum * 2 / columns - 1;
    at[1] = at[1] / sum * 2 / rows - 1;
}

static const ursa_transform turn = {&map_class, {0.9, -0.2, 0.05, 0.3, 0.8, -0.04, 0, 0, 1}};
static const ursa_transform warp = {&map_class, {1, 0.05, 0, -0.1, 1.1, 0, 0.1, -0.07, 1}};
static const ursa_transform larger = {&map_class, {1, 0, 0, 0, 1, 0, 0, 0, 1, 50, 110, URSA_BORDER}};

/* Where the dot is after the geometry is where its point is; and the mask agrees
 * with the picture. */
static void dots_points_and_masks(void **state)
{
    (void)state;
    static const double places[][2] = {{30, 20}, {22, 15}, {36.5, 24.2}};
    const ursa_transform lists[][URSA_TRANSFORMS] = {{turn}, {warp}, {turn, warp}, {warp, turn, larger}};
    for (size_t k = 0; k < 4; k++) {
        ursa_scope *scope = ursa_scope_begin();
        int rows = k == 3 ? 50 : ROWS, columns = k == 3 ? 110 : COLUMNS;
        uint8_t pixels[3 * ROWS * COLUMNS], mask[3 * ROWS * COLUMNS];
        float points[6];
        ursa_rng rngs[3] = {{0}};
        for (int n = 0; n < 3; n++) {
            draw_dot(pixels + n * ROWS * COLUMNS, places[n][0], places[n][1]);
            for (int i = 0; i < 2; i++)
                points[2 * n + i] = (float)places[n][i];
        }
        for (size_t i = 0; i < sizeof pixels; i++)
            mask[i] = pixels[i] > 100 ? 3 : 0;
        ursa_transform_batch with_points = {
            .x = ursa_from(pixels, ursa_shape(3, ROWS, COLUMNS, 1), .dtype = URSA_U8),
            .y = ursa_from(points, ursa_shape(3, 1, 2)),
            .x_kind = URSA_KIND_IMAGE,
            .y_kind = URSA_KIND_POINTS,
            .count = 3,
            .rngs = rngs,
        };
        ursa_transform_batch with_mask = with_points;
        with_mask.y = ursa_from(mask, ursa_shape(3, ROWS, COLUMNS), .dtype = URSA_U8);
        with_mask.y_kind = URSA_KIND_MASK;
        assert_true(ursa_transform_run_batch(lists[k], true, &with_points));
        assert_true(ursa_transform_run_batch(lists[k], true, &with_mask));
        assert_int_equal(ursa_dim(with_points.x, 1), rows);
        assert_int_equal(ursa_dim(with_points.x, 2), columns);
        assert_int_equal(ursa_dtype_of(with_mask.y), URSA_I64);
        float *moved = malloc(sizeof *moved * (size_t)(3 * rows * columns)), at[6];
        int64_t *classes = malloc(sizeof *classes * (size_t)(3 * rows * columns));
        assert_true(ursa_read(with_points.x, URSA_F32, moved, 3 * rows * columns));
        assert_true(ursa_read(with_points.y, URSA_F32, at, 6));
        assert_true(ursa_read(with_mask.y, URSA_I64, classes, 3 * rows * columns));
        for (int n = 0; n < 3; n++) {
            double dot[2];
            centre_of(moved + n * rows * columns, rows, columns, dot);
            /* A tenth of a pixel: the warped dot is a little lopsided. */
            assert_float_equal(dot[0], at[2 * n], 0.2 / COLUMNS);
            assert_float_equal(dot[1], at[2 * n + 1], 0.2 / ROWS);
        }
        /* Nearest and bilinear sampling agree but at the edge of the dot. */
        int64_t inside = 0, different = 0;
        for (int i = 0; i < 3 * rows * columns; i++) {
            assert_true(classes[i] == 0 || classes[i] == 3);
            inside += classes[i] == 3;
            different += (classes[i] == 3) != (moved[i] * 255 > 100);
        }
        assert_true(inside > 20 && different < inside / 3);
        free(moved);
        free(classes);
        ursa_scope_end(scope);
    }
}

/* Without training the geometry is left out, and points are only scaled. */
static void validation(void **state)
{
    (void)state;
    ursa_scope *scope = ursa_scope_begin();
    ursa_rng rng = {0};
    ursa_transform list[URSA_TRANSFORMS] = {turn};
    float points[2] = {15, 30}, out[2];
    ursa_transform_batch batch = {.x = ursa_zeros(ursa_shape(1, ROWS, COLUMNS, 3), .dtype = URSA_U8),
                                  .y = ursa_from(points, ursa_shape(1, 1, 2)),
                                  .x_kind = URSA_KIND_IMAGE,
                                  .y_kind = URSA_KIND_POINTS,
                                  .count = 1,
                                  .rngs = &rng};
    assert_true(ursa_transform_run_batch(list, false, &batch));
    assert_true(ursa_read(batch.y, URSA_F32, out, 2));
    assert_float_equal(out[0], -0.5, 1e-6);
    assert_float_equal(out[1], 0.5, 1e-6);
    ursa_scope_end(scope);
}

/* Averaged down first, a fine checkerboard becomes grey. */
static void shrinking(void **state)
{
    (void)state;
    ursa_scope *scope = ursa_scope_begin();
    enum { SIZE = 64 };
    uint8_t pixels[SIZE * SIZE];
    float out[8 * 8];
    ursa_rng rng = {0};
    for (int i = 0; i < SIZE * SIZE; i++)
        pixels[i] = (i / SIZE + i) % 2 ? 200 : 100;
    ursa_transform list[URSA_TRANSFORMS] = {{&map_class, {1, 0, 0, 0, 1, 0, 0, 0, 1, 8, 8, URSA_REFLECTION}}};
    ursa_transform_batch batch = {.x = ursa_from(pixels, ursa_shape(1, SIZE, SIZE, 1), .dtype = URSA_U8),
                                  .x_kind = URSA_KIND_IMAGE,
                                  .count = 1,
                                  .rngs = &rng};
    assert_true(ursa_transform_run_batch(list, true, &batch));
    assert_true(ursa_read(batch.x, URSA_F32, out, 64));
    for (int i = 0; i < 64; i++)
        assert_float_equal(out[i], 150.0 / 255, 1e-5);
    ursa_scope_end(scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items),      cmocka_unit_test(order_and_decode), cmocka_unit_test(dots_points_and_masks),
        cmocka_unit_test(validation), cmocka_unit_test(shrinking),
    };
    return run_unit_tests("data_transform", tests);
}

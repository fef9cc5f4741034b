/* test_predictions.c — losses as values, predictions, metrics of all outputs, and views. */
#include "task.h"

enum { ITEMS = 21, BATCH = 8 };

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-5 * (1 + fabs(b));
}

/* ---- losses as values ----------------------------------------------------------------- */

static void test_default_losses(void **state)
{
    (void)state;
    static const struct {
        ursa_kind kind;
        ursa_dtype dtype;
        const char *name;
    } cases[] = {
        {URSA_KIND_CATEGORY, URSA_I64, "cross_entropy"},
        {URSA_KIND_MASK, URSA_I64, "cross_entropy"},
        {URSA_KIND_MULTI_CATEGORY, URSA_F32, "bce"},
        {URSA_KIND_POINTS, URSA_F32, "mse"},
        {URSA_KIND_REGRESSION, URSA_F32, "mse"},
        {URSA_KIND_TENSOR, URSA_I64, "cross_entropy"},
        {URSA_KIND_TENSOR, URSA_F32, "mse"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(ursa_loss_for(cases[i].kind, cases[i].dtype).class->name, cases[i].name);
}

static void test_loss_by_name(void **state)
{
    (void)state;
    ursa_loss loss;
    assert_true(ursa_loss_by_name("bce", 0.2, &loss));
    assert_true(loss.thresh == 0.2);
    assert_false(ursa_loss_by_name("hinge", 0, &loss));
    assert_string_equal(ursa_error(), "loss: there is no \"hinge\"; there are cross_entropy, focal, bce, mse and l1");
    ursa_clear_error();
}

static void test_activations_and_decisions(void **state)
{
    (void)state;
    const float numbers_in[] = {0, logf(3), 2, -1};
    float found[4];
    int64_t classes[2];
    ursa_tensor *raw = ursa_from(numbers_in, ursa_shape(2, 2));
    ursa_loss entropy = ursa_cross_entropy_loss(), bce = ursa_bce_loss(0.6), mse = ursa_mse_loss();
    ursa_tensor *chances = ursa_loss_activation(&entropy, raw);
    assert_true(ursa_read(chances, URSA_F32, found, 4));
    assert_true(near(found[0], 0.25) && near(found[1], 0.75));
    assert_true(ursa_read(ursa_loss_decode(&entropy, chances), URSA_I64, classes, 2));
    assert_true(classes[0] == 1 && classes[1] == 0);
    chances = ursa_loss_activation(&bce, raw);
    assert_true(ursa_read(chances, URSA_F32, found, 4));
    assert_true(near(found[0], 0.5) && near(found[1], 0.75));
    assert_true(ursa_read(ursa_loss_decode(&bce, chances), URSA_F32, found, 4));
    assert_true(found[0] == 0 && found[1] == 1 && found[2] == 1 && found[3] == 0);
    assert_ptr_equal(ursa_loss_activation(&mse, raw), raw);
    assert_ptr_equal(ursa_loss_decode(&mse, raw), raw);
}

/* Numbers of one shape and another, and a function of one's own, item by item. */
static ursa_tensor *largest_error(ursa_tensor *prediction, ursa_tensor *target)
{
    return ursa_max(ursa_abs(ursa_sub(prediction, target)), ursa_axes(), false);
}

static void test_item_losses(void **state)
{
    (void)state;
    const float a[] = {1, 2, 3, 4}, b[] = {0, 2, 5, 4};
    float found[4];
    ursa_loss mse = ursa_mse_loss(), l1 = ursa_l1_loss(), own = ursa_loss_of(largest_error);
    ursa_tensor *row = ursa_from(a, ursa_shape(4, 1)), *line = ursa_from(b, ursa_shape(4));
    assert_true(near(ursa_item(ursa_loss_value(&mse, row, line, URSA_MEAN)), 1.25));
    assert_true(near(ursa_item(ursa_loss_value(&l1, row, line, URSA_SUM)), 3));
    ursa_tensor *x = ursa_from(a, ursa_shape(2, 2)), *y = ursa_from(b, ursa_shape(2, 2));
    assert_true(ursa_read(ursa_loss_value(&own, x, y, URSA_EACH), URSA_F32, found, 2));
    assert_true(found[0] == 1 && found[1] == 2);
}

/* ---- predictions ---------------------------------------------------------------------------- */

static void test_classes(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders_of(halves(ITEMS), halves(ITEMS), BATCH);
    ursa_learner *learner = ursa_learner_new(&data, ursa_nn_linear(2, 2), .metrics = {ursa_accuracy});
    assert_true(ursa_fit(learner, 3, 0.1));
    ursa_outputs *outputs = ursa_get_preds(learner, NULL);
    assert_non_null(outputs);
    assert_int_equal(outputs->count, ITEMS);
    assert_int_equal(outputs->size, 2);
    assert_int_equal(outputs->target_size, 1);
    assert_null(outputs->values);
    double right = 0, loss = 0, results[2];
    for (int i = 0; i < ITEMS; i++) {
        const float *raw = outputs->raw + 2 * i, *chance = outputs->predictions + 2 * i;
        assert_true(near(chance[0], 1 / (1 + exp(raw[1] - raw[0]))));
        assert_int_equal(outputs->decoded[i], chance[1] > chance[0]);
        assert_true(near(outputs->losses[i], -log(chance[outputs->classes[i]])));
        assert_int_equal(outputs->indices[i], i);
        assert_int_equal(outputs->classes[i], cosf(0.1f * (float)i) > 0);
        right += outputs->decoded[i] == outputs->classes[i];
        loss += outputs->losses[i];
    }
    assert_true(ursa_validate(learner, results, 2));
    assert_true(near(results[0], loss / ITEMS) && near(results[1], right / ITEMS));
    ursa_outputs_free(outputs);
    ursa_learner_free(learner);
    free_loaders(&data);
}

/* Of a shuffled loader: in its order, which the indices tell. */
static void test_indices(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders_of(halves(ITEMS), halves(ITEMS), BATCH);
    ursa_learner *learner = ursa_learner_new(&data, ursa_nn_linear(2, 2));
    ursa_outputs *outputs = ursa_get_preds(learner, data.train);
    bool seen[ITEMS] = {false}, moved = false;
    for (int i = 0; i < ITEMS; i++) {
        seen[outputs->indices[i]] = true;
        moved = moved || outputs->indices[i] != i;
        assert_int_equal(outputs->classes[i], cosf(0.1f * (float)outputs->indices[i]) > 0);
    }
    assert_true(moved);
    for (int i = 0; i < ITEMS; i++)
        assert_true(seen[i]);
    ursa_outputs_free(outputs);
    ursa_learner_free(learner);
    free_loaders(&data);
}

static void test_several_classes(void **state)
{
    (void)state;
    ursa_dataloaders data =
        loaders_of(numbers(ITEMS, 3, URSA_KIND_MULTI_CATEGORY), numbers(ITEMS, 3, URSA_KIND_MULTI_CATEGORY), BATCH);
    ursa_learner *learner = ursa_learner_new(&data, ursa_nn_linear(2, 3));
    assert_string_equal(ursa_learner_loss(learner)->class->name, "bce");
    ursa_outputs *outputs = ursa_get_preds(learner, NULL);
    assert_null(outputs->decoded);
    for (int i = 0; i < ITEMS; i++) {
        double loss = 0;
        for (int j = 0; j < 3; j++) {
            double chance = outputs->predictions[3 * i + j], target = outputs->values[3 * i + j];
            assert_true(near(chance, 1 / (1 + exp(-outputs->raw[3 * i + j]))));
            assert_true(outputs->decoded_values[3 * i + j] == (chance > 0.5));
            loss -= (target * log(chance) + (1 - target) * log(1 - chance)) / 3;
        }
        assert_true(near(outputs->losses[i], loss));
    }
    ursa_outputs_free(outputs);
    ursa_learner_free(learner);
    free_loaders(&data);
}

static void test_numbers(void **state)
{
    (void)state;
    ursa_dataloaders data =
        loaders_of(numbers(ITEMS, 2, URSA_KIND_REGRESSION), numbers(ITEMS, 2, URSA_KIND_REGRESSION), BATCH);
    ursa_learner *learner = ursa_learner_new(&data, ursa_nn_linear(2, 2));
    ursa_outputs *outputs = ursa_get_preds(learner, NULL);
    assert_null(outputs->decoded);
    assert_null(outputs->decoded_values);
    assert_memory_equal(outputs->raw, outputs->predictions, ITEMS * 2 * sizeof(float));
    for (int i = 0; i < ITEMS; i++) {
        double a = outputs->raw[2 * i] - outputs->values[2 * i],
               b = outputs->raw[2 * i + 1] - outputs->values[2 * i + 1];
        assert_true(near(outputs->losses[i], (a * a + b * b) / 2));
    }
    ursa_outputs_free(outputs);
    ursa_learner_free(learner);
    free_loaders(&data);
}

/* ---- metrics of all outputs --------------------------------------------------------------------- */

static double count_and_scale(const ursa_metric *metric, const ursa_outputs *all)
{
    double sum = 0;
    for (int64_t i = 0; i < all->count; i++)
        sum += (double)all->classes[i] + (all->raw[2 * i] == all->raw[2 * i]); /* raw is there, and no NaN */
    return sum * metric->argument[0] * *(const double *)metric->context;
}

static void test_metric_of_all(void **state)
{
    (void)state;
    static const double three = 3;
    ursa_dataloaders data = loaders_of(halves(ITEMS), halves(ITEMS), BATCH);
    const ursa_metric own = {.name = "own", .compute = count_and_scale, .argument = {2}, .context = &three};
    ursa_learner *learner = ursa_learner_new(&data, ursa_nn_linear(2, 2), .metrics = {own, ursa_accuracy});
    double results[3], ones = 0;
    for (int i = 0; i < ITEMS; i++)
        ones += cosf(0.1f * (float)i) > 0;
    assert_true(ursa_validate(learner, results, 3));
    assert_true(results[1] == 6 * (ITEMS + ones));
    assert_true(results[2] >= 0 && results[2] <= 1);
    ursa_learner_free(learner);
    free_loaders(&data);
}

/* ---- views ------------------------------------------------------------------------------------------ */

/* Items whose x is [1, 0], or [1, r] with a random r in training. */
struct wobbly {
    bool training;
};

static int64_t wobbly_count(void *self)
{
    (void)self;
    return ITEMS;
}

static bool wobbly_get(void *self, int64_t index, ursa_rng *rng, void *x, void *y)
{
    ((float *)x)[0] = 1;
    ((float *)x)[1] = ((struct wobbly *)self)->training ? (float)ursa_rng_uniform(rng) : 0;
    *(int64_t *)y = index % 2;
    return true;
}

static ursa_dataset *make_wobbly(bool training);

static ursa_dataset *wobbly_with_training(void *self, bool training)
{
    (void)self;
    return make_wobbly(training);
}

static const ursa_dataset_class wobbly_class = {
    .count = wobbly_count, .get = wobbly_get, .free = free, .with_training = wobbly_with_training};

static ursa_dataset *make_wobbly(bool training)
{
    struct wobbly *wobbly = malloc(sizeof *wobbly);
    wobbly->training = training;
    ursa_item_layout layout = {
        .x_shape = ursa_shape(2), .x_dtype = URSA_F32, .y_shape = ursa_shape(), .y_dtype = URSA_I64};
    return ursa_dataset_new(&wobbly_class, wobbly, &layout);
}

/* The raw output is x itself, so that predictions tell what was drawn. */
static void test_views(void **state)
{
    (void)state;
    ursa_dataloaders data = loaders_of(make_wobbly(true), make_wobbly(false), BATCH);
    ursa_learner *learner = ursa_learner_new(&data, ursa_nn_identity(), .loss = ursa_bce_loss(0.6));
    ursa_outputs *plain = ursa_get_preds(learner, NULL);
    ursa_learner_free(learner);
    assert_null(plain); /* classes are no targets for BCE */
    ursa_clear_error();
    learner = ursa_learner_new(&data, ursa_nn_identity());
    plain = ursa_get_preds(learner, NULL);
    ursa_outputs *views = ursa_tta(learner, NULL), *none = ursa_tta(learner, NULL, .beta = 1);
    ursa_outputs *most = ursa_tta(learner, NULL, .use_max = true), *again = ursa_tta(learner, NULL);
    /* softmax([1, r]): the chance of class 1 is that of the plain view at least, and at most ½ */
    double sum = 0;
    for (int i = 0; i < ITEMS; i++) {
        float sure = plain->predictions[2 * i + 1], mixed = views->predictions[2 * i + 1];
        assert_true(near(sure, 1 / (1 + exp(1))));
        assert_true(mixed > sure && mixed < 0.5);
        assert_true(near(none->predictions[2 * i + 1], sure));
        assert_true(most->predictions[2 * i + 1] > mixed && near(most->predictions[2 * i], 1 - sure));
        assert_int_equal(views->decoded[i], 0);
        sum += (mixed - 0.25 * sure) / 0.75; /* the mean of the four views */
    }
    /* ∫ σ(r - 1) dr over 0 … 1 = log 2 - log(1 + 1/e) = 0.3799; the mean of 84 draws deviates by 0.007 */
    assert_true(fabs(sum / ITEMS - 0.3799) < 0.03);
    assert_memory_equal(views->predictions, again->predictions, ITEMS * 2 * sizeof(float));
    ursa_outputs_free(plain);
    ursa_outputs_free(views);
    ursa_outputs_free(none);
    ursa_outputs_free(most);
    ursa_outputs_free(again);
    ursa_learner_free(learner);
    free_loaders(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_losses),
        cmocka_unit_test(test_loss_by_name),
        cmocka_unit_test(test_activations_and_decisions),
        cmocka_unit_test(test_item_losses),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_indices),
        cmocka_unit_test(test_several_classes),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_metric_of_all),
        cmocka_unit_test(test_views),
    };
    return run_unit_tests("predictions", tests);
}

/* test_scaling.c — a training in f16 with a dynamic loss scale against PyTorch's GradScaler; see make_scaling.py. */
#include "golden.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 8, EPOCHS = 3, MOST = 64 };

/* A sum that is rounded to f16 the other way, since it was computed in float and not in double, moves what follows by
 * 2^-11 of it. */
#define ROUNDING 0x1p-10

static void *copy_of(const char *name, int64_t *count)
{
    const ursa_stored_tensor *stored = ursa_safetensors_find(fixtures(), name);
    assert_non_null(stored);
    void *copy = malloc(stored->bytes);
    memcpy(copy, stored->data, stored->bytes);
    *count = stored->shape.dim[0];
    return copy;
}

static ursa_module *layer(void)
{
    ursa_module *model = ursa_nn_linear(4, 2);
    const ursa_parameter *list;
    int count = ursa_parameters(model, &list);
    assert_int_equal(count, 2);
    ursa_no_grad_begin();
    for (int i = 0; i < count; i++)
        assert_true(ursa_copy_(list[i].tensor, fixture(i ? "bias.start" : "weight.start")));
    ursa_no_grad_end();
    return model;
}

struct watch {
    ursa_callback callback;
    int steps;
    double losses[MOST], scales[MOST];
};

static ursa_verdict on_watch(ursa_callback *callback, ursa_learner *learner, ursa_event event)
{
    struct watch *watch = (struct watch *)callback;
    if (event != URSA_AFTER_BATCH)
        return URSA_CONTINUE;
    assert_true(watch->steps < MOST);
    watch->losses[watch->steps] = ursa_item(ursa_learner_training(learner)->loss);
    watch->scales[watch->steps++] = ursa_loss_scale(learner, NULL);
    return URSA_CONTINUE;
}

static void assert_near(const char *name, const float *expected, const double *found, int64_t count, double tolerance)
{
    for (int64_t i = 0; i < count; i++)
        if (!(fabs(found[i] - (double)expected[i]) <= tolerance * fmax(1, fabs((double)expected[i]))))
            fail_msg("%s %lld is %.9g, PyTorch's %.9g", name, (long long)i, found[i], (double)expected[i]);
}

static void assert_parameter(ursa_tensor *found, const char *name)
{
    float values[8];
    double wide[8];
    int64_t count = ursa_count(found);
    assert_true(ursa_read(found, URSA_F32, values, count));
    for (int64_t i = 0; i < count; i++)
        wide[i] = (double)values[i];
    assert_near(name, ursa_safetensors_find(fixtures(), name)->data, wide, count, ROUNDING);
}

static void steps_are_skipped_and_the_scale_moves_as_in_pytorch(void **state)
{
    (void)state;
    int64_t count, steps = ursa_safetensors_find(fixtures(), "loss")->shape.dim[0], skipped;
    ursa_item_layout layout = {.x_shape = ursa_shape(4), .y_shape = ursa_shape(2)};
    void *x = copy_of("x", &count), *y = copy_of("y", &count);
    ursa_dataloaders data = {.train =
                                 ursa_dataloader_new(ursa_array_dataset(x, y, count, &layout), .batch_size = BATCH)};
    ursa_learner *learner =
        ursa_to_fp16(ursa_learner_new(&data, layer(), .loss = ursa_mse_loss(), .optimizer = URSA_SGD,
                                      .optimizer_set = true, .hyper = {.momentum = 0.9}),
                     .interval = 4);
    assert_non_null(learner);
    struct watch watch = {.callback = {.name = "watch", .order = URSA_ORDER_WATCHING, .on = on_watch}};
    assert_true(ursa_add_callback(learner, &watch.callback));
    assert_true(ursa_fit(learner, EPOCHS, 0.02));
    assert_int_equal(watch.steps, steps);
    assert_near("scale", ursa_safetensors_find(fixtures(), "scale")->data, watch.scales, steps, 0);
    assert_near("loss", ursa_safetensors_find(fixtures(), "loss")->data, watch.losses, steps, ROUNDING);
    ursa_loss_scale(learner, &skipped);
    assert_int_equal(skipped, 9); /* three batches of every epoch */
    const ursa_parameter *list;
    assert_int_equal(ursa_parameters(ursa_learner_model(learner), &list), 2);
    assert_parameter(list[0].tensor, "weight");
    assert_parameter(list[1].tensor, "bias");
    ursa_learner_free(learner);
    ursa_dataloader_free(data.train);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(steps_are_skipped_and_the_scale_moves_as_in_pytorch)};
    return run_unit_tests("scaling", tests);
}

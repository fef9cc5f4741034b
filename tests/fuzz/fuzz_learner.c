/* fuzz_learner.c — files of learners, and checkpoints that training is resumed from. */
#include "fuzz.h"

#include <sys/stat.h>

enum { ITEMS = 6, BATCH = 2 };

static ursa_dataloader *loader(void)
{
    float *x = calloc(ITEMS * 2, sizeof *x);
    int64_t *y = calloc(ITEMS, sizeof *y);
    ursa_item_layout layout = {
        .x_shape = ursa_shape(2), .x_dtype = URSA_F32, .y_shape = ursa_shape(), .y_dtype = URSA_I64};
    return ursa_dataloader_new(ursa_array_dataset(x, y, ITEMS, &layout), .batch_size = BATCH);
}

/* The bytes as the newest checkpoint of a folder. */
static const char *checkpoint_folder(const uint8_t *data, size_t size)
{
    static char folder[64], to[128];
    const char *from = fuzz_file(data, size);
    snprintf(folder, sizeof folder, "%s-folder", from);
    snprintf(to, sizeof to, "%s/step-000000000001.safetensors", folder);
    mkdir(folder, 0700);
    if (rename(from, to) != 0)
        abort();
    return folder;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ursa_scope *scope = ursa_scope_begin();
    ursa_dataloaders loaders = {.train = loader()};
    ursa_learner *learner = ursa_learner_new(&loaders, ursa_nn_linear(2, 2));
    ursa_learner_load(learner, fuzz_file(data, size));
    ursa_clear_error();
    ursa_callback *checkpoints =
        ursa_save_checkpoints(checkpoint_folder(data, size), .every_epochs = 1000, .resume = true);
    ursa_fit(learner, 2, 1e-3, .callbacks = {checkpoints});
    ursa_clear_error();
    ursa_learner_free(learner);
    ursa_dataloader_free(loaders.train);
    ursa_scope_end(scope);
    return 0;
}

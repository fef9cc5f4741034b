/* fuzz_checkpoint.c — files of PyTorch's, zip and legacy, and what they hand out. */
#include "fuzz.h"

/* Whatever is read goes here, so that it has to be read. */
static volatile uint8_t seen;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ursa_module *module;
    if (!module)
        module = ursa_nn_sequential(ursa_named("conv", ursa_nn_conv2d(3, 2, 2)));
    ursa_scope *scope = ursa_scope_begin();
    ursa_checkpoint *file = ursa_checkpoint_open(fuzz_file(data, size));
    for (int i = 0; i < ursa_checkpoint_count(file); i++) {
        const ursa_stored_tensor *tensor = ursa_checkpoint_at(file, i);
        for (size_t byte = 0; byte < tensor->bytes; byte++)
            seen = seen ^ ((const uint8_t *)tensor->data)[byte];
        if (!ursa_checkpoint_find(file, tensor->name))
            abort();
    }
    ursa_load_checkpoint(module, file, .adapt_channels = true);
    ursa_checkpoint_close(file);
    ursa_scope_end(scope);
    ursa_clear_error();
    return 0;
}

/* checkpoint.h — the inside of a checkpoint: what each format fills in. */
#ifndef URSA_IO_CHECKPOINT_H
#define URSA_IO_CHECKPOINT_H

#include "mapped.h"
#include "torch_file.h"
#include <ursa/io.h>

/* How images' weights lie: [O, H, W, I] is ours, [O, I, H, W] PyTorch's. */
typedef enum ursa_weight_layout { URSA_LAYOUT_OURS, URSA_LAYOUT_TORCH, URSA_LAYOUT_UNKNOWN } ursa_weight_layout;

struct ursa_checkpoint {
    char *path;
    const char *format;
    ursa_weight_layout layout;
    ursa_safetensors *safetensors; /* NULL: a file of PyTorch's */
    ursa_mapped mapped;
    ursa_torch_file *torch;
    const ursa_stored_tensor *tensors;
    int count;
    const ursa_stored_tensor **by_name; /* sorted */
};

#endif

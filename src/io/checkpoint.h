/* checkpoint.h — the inside of a checkpoint: what each format fills in. */
#ifndef URSA_IO_CHECKPOINT_H
#define URSA_IO_CHECKPOINT_H

#include <ursa/io.h>

/* How images' weights lie: [O, H, W, I] is ours, [O, I, H, W] PyTorch's. */
typedef enum ursa_weight_layout { URSA_LAYOUT_OURS, URSA_LAYOUT_TORCH, URSA_LAYOUT_UNKNOWN } ursa_weight_layout;

struct ursa_checkpoint {
    char *path;
    const char *format;
    ursa_weight_layout layout;
    ursa_safetensors *safetensors; /* one of the formats; NULL for the others */
};

#endif

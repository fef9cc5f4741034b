/* vision_data.h — blocks of images and masks, and loaders of images in one call. */
#ifndef URSA_VISION_DATA_H
#define URSA_VISION_DATA_H

#include <ursa/datablock.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- blocks ------------------------------------------------------------------ */

/* A picture from a file, or from memory: u8 [H, W, C]. Options: .channels. */
URSA_API extern const ursa_block_class ursa_image_block_class;
#define ursa_image_block(...) ((ursa_block){.class = &ursa_image_block_class, __VA_ARGS__})

/* A class per pixel from an image file, its grey levels or palette entries taken
 * as numbers: u8 [H, W]. Options: .vocab, the names of the classes. */
URSA_API extern const ursa_block_class ursa_mask_block_class;
#define ursa_mask_block(...) ((ursa_block){.class = &ursa_mask_block_class, __VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif

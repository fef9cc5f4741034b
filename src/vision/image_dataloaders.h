/* image_dataloaders.h — what the makers of image loaders share. */
#ifndef URSA_VISION_IMAGE_DATALOADERS_H
#define URSA_VISION_IMAGE_DATALOADERS_H

#include <ursa/vision_data.h>

/* Loaders of a source's images. Of `block` the getters, the lister and the
 * splitter are used; blocks and transforms come from the options. Takes over the
 * source's memory. */
ursa_dataloaders *ursa_image_dataloaders_make(const ursa_source *source, const ursa_datablock_options *block,
                                              const ursa_image_dataloaders_options *options);
/* The random splitter that the options ask for. */
ursa_splitter ursa_image_random_splitter(const ursa_image_dataloaders_options *options);

bool ursa_has_idx_files(const char *path);

#endif

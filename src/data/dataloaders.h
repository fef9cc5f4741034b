/* dataloaders.h — making loaders that belong together. */
#ifndef URSA_DATA_DATALOADERS_H
#define URSA_DATA_DATALOADERS_H

#include <ursa/data.h>

/* Loaders of datasets, and the block they came from, all taken over, whatever
 * happens; freed by ursa_finish() at the latest. */
ursa_dataloaders *ursa_dataloaders_make(ursa_dataset *train, ursa_dataset *valid, ursa_datablock *block,
                                        const ursa_transform *batch_tfms, const ursa_dataloaders_options *options);

/* The batch size of loaders that need no gradients. */
int ursa_valid_batch_size(const ursa_dataloaders_options *options);

#endif

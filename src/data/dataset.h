/* dataset.h — the inside of a dataset. */
#ifndef URSA_DATA_DATASET_H
#define URSA_DATA_DATASET_H

#include <ursa/data.h>

struct ursa_dataset {
    const ursa_dataset_class *class;
    void *self;
    ursa_item_layout layout;
    char **classes;
    int class_count;
    int references; /* subsets hold one; all on the thread that made it */
};

ursa_dataset *ursa_dataset_retain(ursa_dataset *dataset);

/* Bytes of one input and of one target. */
size_t ursa_x_bytes(const ursa_item_layout *layout);
size_t ursa_y_bytes(const ursa_item_layout *layout);

#endif

/* order.h — which items an epoch has, and in which order. */
#ifndef URSA_DATA_ORDER_H
#define URSA_DATA_ORDER_H

#include <ursa/data.h>

typedef struct ursa_order {
    int64_t count;     /* of an epoch */
    int64_t *index;    /* [count] */
    uint64_t *stream;  /* [count] names the random streams of what is done to it: no two of a training are the same */
    int64_t items;     /* of the dataset */
    double *sums;      /* weights: running sums; else NULL */
    int64_t *class_of; /* balance: of every item; else NULL */
    int64_t classes, largest;
    int64_t *seen; /* [items] how often an item came so far, where it may come twice; else NULL */
} ursa_order;

bool ursa_order_make(ursa_order *order, const ursa_dataset *dataset, const ursa_dataloader_options *options);
/* Fills index and stream for an epoch. */
bool ursa_order_draw(ursa_order *order, const ursa_dataloader_options *options, int64_t epoch);
void ursa_order_clear(ursa_order *order);

#endif

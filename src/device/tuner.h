/* tuner.h — measuring which of the ways to compute a product is the fastest on a
 * device, and keeping the answer: what `ursa tune` asks of a backend. */
#ifndef URSA_DEVICE_TUNER_H
#define URSA_DEVICE_TUNER_H

#include "ops.h"

/* A kind of product: its name, and two ways to compute it with their seconds. */
struct ursa_tuned {
    char name[96], before[64], after[64];
    double before_seconds, after_seconds;
    int tried; /* ways that ran */
};

struct ursa_tuner {
    /* From now on, kinds of products that operators compute are remembered; what was seen before is not. */
    void (*watch)(ursa_device *device);
    /* How many were seen; ends the watch. */
    int (*seen)(ursa_device *device);
    /* How kind number `index` is computed: "tiles 64×64×16 8×8 4×4" for rows × columns × terms of a tile,
     * work items and the block of each, or the name of another method. */
    void (*way)(ursa_device *device, int index, char text[64]);
    /* Measures the ways to compute kind number `index`, `most` of them at most, and keeps the fastest, which is used
     * from then on by every process. False with an error. */
    bool (*tune)(ursa_device *device, int index, int most, struct ursa_tuned *result);
    /* What is kept, entry by entry: false behind the last. */
    bool (*kept)(ursa_device *device, int index, struct ursa_tuned *entry);
    bool (*forget)(ursa_device *device);
};

#endif

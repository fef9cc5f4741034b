/* light.h — colours of batches: several transforms, one pass over the pixels. */
#ifndef URSA_DATA_LIGHT_H
#define URSA_DATA_LIGHT_H

#include <ursa/transform.h>

/* Runs `count` transforms of class->light, one after the other, on the images of
 * the batch; targets stay. */
bool ursa_light_run(const ursa_transform *list, int count, ursa_transform_batch *batch);

#endif

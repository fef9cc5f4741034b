/* geometry.h — geometry of batches: several transforms, one interpolation. */
#ifndef URSA_DATA_GEOMETRY_H
#define URSA_DATA_GEOMETRY_H

#include <ursa/transform.h>

/* Runs `count` transforms of class->geometry, one after the other, on images,
 * masks and points of the batch. Tensors that are replaced stay with their
 * scope. */
bool ursa_geometry_run(const ursa_transform *list, int count, bool training, ursa_transform_batch *batch);

#endif

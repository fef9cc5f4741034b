/* transform_list.h — lists of transforms as options hold them. */
#ifndef URSA_DATA_TRANSFORM_LIST_H
#define URSA_DATA_TRANSFORM_LIST_H

#include <ursa/transform.h>

/* Up to the first without a class. */
int ursa_transforms_count(const ursa_transform list[URSA_TRANSFORMS]);
/* False, with an error, when the list is full. */
bool ursa_transforms_append(ursa_transform list[URSA_TRANSFORMS], ursa_transform added);

#endif

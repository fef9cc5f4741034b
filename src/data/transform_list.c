/* transform_list.c — lists of transforms as options hold them. */
#include "transform_list.h"

int ursa_transforms_count(const ursa_transform list[URSA_TRANSFORMS])
{
    int count = 0;
    while (count < URSA_TRANSFORMS && list[count].class)
        count++;
    return count;
}

bool ursa_transforms_append(ursa_transform list[URSA_TRANSFORMS], ursa_transform added)
{
    int count = ursa_transforms_count(list);
    if (!added.class)
        return ursa_fail(URSA_ERROR_ARGUMENT, "the transform to add has no class");
    if (count == URSA_TRANSFORMS)
        return ursa_fail(URSA_ERROR_ARGUMENT, "\"%s\" cannot be added: a list holds %d transforms", added.class->name,
                         URSA_TRANSFORMS);
    list[count] = added;
    return true;
}

/* tile.h — which tiles a product is cut into: the options of cl/tile.cl. */
#ifndef URSA_DEVICE_OPENCL_TILE_H
#define URSA_DEVICE_OPENCL_TILE_H

#include "device/opencl/runtime.h"

struct ursa_cl_tile {
    int rows, columns, depth; /* of the result, and terms at a time */
    int lanes;                /* floats of a vector */
    int items;                /* work items of a group */
    char options[192];        /* for cl/tile.cl */
};

/* For a product of m rows, n columns and k terms; `along_k`: the left factor
 * is read along its terms. Chosen by the shape and the kind of device. */
struct ursa_cl_tile ursa_cl_tile_for(const struct ursa_cl_device *device, int64_t m, int64_t n, int64_t k,
                                     bool along_k);

/* `x` × `y` × `z` groups. */
ursa_cl_grid ursa_cl_tile_grid(const struct ursa_cl_tile *tile, int64_t x, int64_t y, int64_t z);

/* "-DBIAS -DACTIVATION=unary_relu", as far as they are there. */
typedef struct ursa_cl_text {
    char text[64];
} ursa_cl_text;
ursa_cl_text ursa_cl_finish_options(const ursa_array *bias, const ursa_activation *activation);

/* The widest vector, in floats, that divides `count` and suits the device. */
int ursa_cl_lanes(const struct ursa_cl_device *device, int64_t count);

static inline int64_t ursa_cl_tiles(int64_t extent, int64_t size)
{
    return (extent + size - 1) / size;
}

#endif

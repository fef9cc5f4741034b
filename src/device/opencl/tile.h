/* tile.h — which tiles a product is cut into: the options of cl/tile.cl. */
#ifndef URSA_DEVICE_OPENCL_TILE_H
#define URSA_DEVICE_OPENCL_TILE_H

#include "device/opencl/runtime.h"

struct ursa_cl_tile {
    int rows, columns, depth; /* of the result, and terms at a time */
    int lanes;                /* floats of a vector */
    int items;                /* work items of a group */
    char options[208];        /* for cl/tile.cl */
};

/* For a product of m rows and n columns; `along_k`: the left factor
 * is read along its terms. Chosen by the shape and the kind of device. */
struct ursa_cl_tile ursa_cl_tile_for(const struct ursa_cl_device *device, int64_t m, int64_t n, bool along_k);

/* `x` × `y` × `z` groups. */
ursa_cl_grid ursa_cl_tile_grid(const struct ursa_cl_tile *tile, int64_t x, int64_t y, int64_t z);

/* Activations: the kernels of products add the bias and know ReLU, by the option
 * ursa_cl_fused(); any other is a pass of its own behind them, since a variant of
 * every kernel for each would take long to compile. */
const char *ursa_cl_fused(const ursa_activation *activation);
bool ursa_cl_finish_unfused(struct ursa_cl_device *device, const ursa_activation *activation, const ursa_array *out);

/* out = activation(out + bias), where a product did neither. */
bool ursa_cl_finish(struct ursa_cl_device *device, const ursa_array *bias, const ursa_activation *activation,
                    const ursa_array *out);

/* The widest vector, in floats, that divides `count` and suits the device. */
int ursa_cl_lanes(const struct ursa_cl_device *device, int64_t count);

static inline int64_t ursa_cl_tiles(int64_t extent, int64_t size)
{
    return (extent + size - 1) / size;
}

#endif

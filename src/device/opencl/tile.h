/* tile.h — how products are compiled and launched: the options of cl/tile.cl and
 * cl/cpu_tile.cl, and what comes before and after the products themselves.
 */
#ifndef URSA_DEVICE_OPENCL_TILE_H
#define URSA_DEVICE_OPENCL_TILE_H

#include "device/opencl/tuning.h"

/* One of the arrays of a product, as tiles are loaded from it or stored to it. */
struct ursa_cl_side {
    ursa_dtype type;
    int lanes;    /* elements of a vector: ursa_cl_vector() */
    bool along_k; /* factors: contiguous along the terms */
};

/* What a factor is rounded to: the half type among the two, or f32. */
ursa_dtype ursa_cl_factor(const ursa_array *x, const ursa_array *y);

/* The elements of the widest vector of at most `bytes` bytes, and as few elements, that
 * tiles an array with these properties: each must be a multiple of it. 1, 4 or 8. */
int ursa_cl_vector(ursa_dtype type, int bytes, int64_t offset, int64_t extent, int64_t stride, int64_t batch_stride);

/* Elements of the widest vector that suits the device and divides the channels and the offsets of the
 * arrays: all that cl/lanes.cl reads and writes. */
int ursa_cl_lanes_of(const struct ursa_cl_device *device, int64_t channels, int count, const ursa_array *const *arrays);
#define ursa_cl_lanes(device, channels, ...)                                                                           \
    ursa_cl_lanes_of(device, channels,                                                                                 \
                     (int)(sizeof((const ursa_array *[]){__VA_ARGS__}) / sizeof(const ursa_array *)),                  \
                     (const ursa_array *[]){__VA_ARGS__})

/* Kernel `name` of cl/<file>.cl, or of cl/cpu_<file>.cl on processors. */
struct ursa_cl_kernel *ursa_cl_product_kernel(struct ursa_cl_device *device, const char *file, const char *name,
                                              const char *options, const struct ursa_cl_choice *choice,
                                              const struct ursa_cl_side *left, const struct ursa_cl_side *right,
                                              const struct ursa_cl_side *out, ursa_dtype factor);

/* Launches it on x × y × z groups. The last argument, the types, is for the kernels of
 * processors, which are compiled for all of them. */
struct ursa_cl_types {
    cl_int left, right, out, factor;
};
bool ursa_cl_product_launch(struct ursa_cl_device *device, struct ursa_cl_kernel *kernel,
                            const struct ursa_cl_tile *tile, int64_t x, int64_t y, int64_t z, int count,
                            const ursa_cl_arg *args);

/* The right factor as tiles read it; the twin of pack_shape in cl/product.cl, where the fields are
 * explained. */
struct ursa_cl_pack {
    cl_int groups, columns, taps[2], depth;
    cl_int start, group, tap[2], row, column;
    cl_int tile, terms;
    cl_int run; /* 0: 1 */
    cl_int type, factor;
};

/* Completes `pack` for a product's tiles and packs x into a buffer to release, as `type`; NULL with
 * an error. */
ursa_buffer *ursa_cl_pack(struct ursa_cl_device *device, const ursa_array *x, struct ursa_cl_pack *pack,
                          ursa_dtype type);

/* The columns that are packed together, and the elements of one such tile of
 * the packed factor; `terms` are those that exist. */
int ursa_cl_pack_columns(const struct ursa_cl_device *device, const struct ursa_cl_tile *tile);
int ursa_cl_pack_terms(const struct ursa_cl_device *device, const struct ursa_cl_tile *tile, int terms);

/* Activations: the kernels of products add the bias and know ReLU; any other is a pass of its own behind
 * them, since a variant of every kernel for each would take long to compile. The product then goes into
 * floats, so that the result is rounded once. */
bool ursa_cl_is_fused(const ursa_activation *activation);

/* Where a product puts its sums: `out` itself, or floats that ursa_cl_finish() will turn into it. */
struct ursa_cl_target {
    ursa_array sums;
    ursa_buffer *scratch; /* or NULL */
};
bool ursa_cl_target(struct ursa_cl_device *device, const ursa_array *out, bool direct, struct ursa_cl_target *target);

/* out = activation(sums + bias); releases the target. `ok`: whether the product went well. */
bool ursa_cl_finish(struct ursa_cl_device *device, struct ursa_cl_target *target, const ursa_array *bias,
                    const ursa_activation *activation, const ursa_array *out, bool ok);

static inline int64_t ursa_cl_tiles(int64_t extent, int64_t size)
{
    return (extent + size - 1) / size;
}

#endif

/* tile.c — the choice of tiles, and options that several operators share. */
#include "device/opencl/tile.h"
#include <stdio.h>

/* How a tile is divided among work items and their registers. */
struct split {
    int rows, columns;
    int items_down, items_across;
    int block_rows, block_vectors;
};

/* One item walks over the tile in blocks of 6 rows × 16 columns, which fill the
 * 16 vector registers of most processors. Blocks beyond the result are skipped,
 * so that one tile does for every shape. */
static const struct split split_for_cpu = {96, 64, 1, 1, 6, 2};

static struct split split_for_gpu(const struct ursa_cl_device *device, int64_t m, int64_t n)
{
    if (device->max_group < 256)
        return (struct split){32, 32, 8, 8, 4, 1};
    if (n <= 16)
        return (struct split){128, 16, 32, 4, 4, 1};
    if (n <= 32)
        return (struct split){128, 32, 32, 8, 4, 1};
    if (m <= 32)
        return (struct split){32, 64, 8, 16, 4, 1};
    /* Large tiles read less, but need many of them to keep all units busy. */
    if (ursa_cl_tiles(m, 128) * ursa_cl_tiles(n, 128) >= 4 * (int64_t)device->units)
        return (struct split){128, 128, 16, 16, 8, 2};
    return (struct split){64, 64, 16, 16, 4, 1};
}

struct ursa_cl_tile ursa_cl_tile_for(const struct ursa_cl_device *device, int64_t m, int64_t n, bool along_k)
{
    struct split s = device->is_cpu ? split_for_cpu : split_for_gpu(device, m, n);
    struct ursa_cl_tile tile = {.rows = s.rows, .columns = s.columns};
    tile.lanes = device->is_cpu ? 8 : 4;
    tile.items = s.items_down * s.items_across;
    tile.depth = !device->is_cpu ? 16 : device->local_memory >= 64 << 10 ? 64 : 32; /* two tiles in local memory */
    int left_term = !along_k ? s.rows : device->is_cpu ? 1 : s.rows + 1;
    snprintf(tile.options, sizeof tile.options,
             "-DROWS=%d -DCOLUMNS=%d -DDEPTH=%d -DLANES=%d -DITEMS_DOWN=%d -DITEMS_ACROSS=%d -DBLOCK_ROWS=%d "
             "-DBLOCK_VECTORS=%d -DLEFT_TERM=%d %s",
             s.rows, s.columns, tile.depth, tile.lanes, s.items_down, s.items_across, s.block_rows, s.block_vectors,
             left_term, device->is_cpu ? "-DPARTIAL" : "");
    return tile;
}

ursa_cl_grid ursa_cl_tile_grid(const struct ursa_cl_tile *tile, int64_t x, int64_t y, int64_t z)
{
    return (ursa_cl_grid){.dims = 3,
                          .global = {(size_t)x * (size_t)tile->items, (size_t)y, (size_t)z},
                          .local = {(size_t)tile->items, 1, 1}};
}

const char *ursa_cl_fused(const ursa_activation *activation)
{
    return activation->used && activation->kind == URSA_UNARY_relu ? "-DRELU" : "";
}

bool ursa_cl_finish(struct ursa_cl_device *device, const ursa_array *bias, const ursa_activation *activation,
                    const ursa_array *out)
{
    if (!bias->buffer && !activation->used)
        return true;
    cl_int count = (cl_int)ursa_array_count(out);
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "product", "product_finish", "-DACTIVATION=unary_%s",
                                                   activation->used ? ursa_cl_unary_name(activation->kind) : "none");
    return ursa_cl_launch(device, kernel, ursa_cl_items(device, count), ursa_cl_array(bias), ursa_cl_array(out),
                          ursa_cl_int((cl_int)out->shape[out->ndim - 1]), ursa_cl_int(count),
                          ursa_cl_float(activation->a), ursa_cl_float(activation->b));
}

bool ursa_cl_finish_unfused(struct ursa_cl_device *device, const ursa_activation *activation, const ursa_array *out)
{
    static const ursa_array no_bias;
    bool fused = !activation->used || activation->kind == URSA_UNARY_relu;
    return fused || ursa_cl_finish(device, &no_bias, activation, out);
}

int ursa_cl_lanes(const struct ursa_cl_device *device, int64_t count)
{
    return device->is_cpu && count % 8 == 0 ? 8 : count % 4 == 0 ? 4 : 1;
}

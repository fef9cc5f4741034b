/* tile.c — the choice of tiles, and options that several operators share. */
#include "device/opencl/tile.h"
#include <stdio.h>

/* How a tile is divided among work items and their registers. */
struct split {
    int rows, columns;
    int items_down, items_across;
    int block_rows, block_vectors;
};

/* The size whose tiles cover `extent` at the least cost: what they compute, and
 * a little for each tile. */
static int cheapest(int64_t extent, const int *sizes, int count)
{
    int best = sizes[0];
    for (int i = 1; i < count; i++)
        if (ursa_cl_tiles(extent, sizes[i]) * (sizes[i] + 8) < ursa_cl_tiles(extent, best) * (best + 8))
            best = sizes[i];
    return best;
}

/* One item walks over the tile in blocks of 4 or 6 rows × 16 columns, which
 * fill the 16 vector registers of most processors. */
static struct split split_for_cpu(int64_t m, int64_t n)
{
    static const int rows[] = {96, 64, 32, 16}, columns[] = {64, 48, 32, 16};
    struct split s = {.items_down = 1, .items_across = 1};
    s.rows = cheapest(m, rows, 4);
    s.columns = cheapest(n, columns, 4);
    s.block_rows = s.rows % 6 == 0 ? 6 : 4;
    s.block_vectors = 2;
    return s;
}

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

struct ursa_cl_tile ursa_cl_tile_for(const struct ursa_cl_device *device, int64_t m, int64_t n, int64_t k, bool along_k)
{
    struct split s = device->is_cpu ? split_for_cpu(m, n) : split_for_gpu(device, m, n);
    struct ursa_cl_tile tile = {.rows = s.rows, .columns = s.columns};
    tile.lanes = device->is_cpu ? 8 : 4;
    tile.items = s.items_down * s.items_across;
    tile.depth = !device->is_cpu || k <= 16 ? 16 : k <= 32 ? 32 : 64;
    int left_term = !along_k ? s.rows : device->is_cpu ? 1 : s.rows + 1;
    snprintf(tile.options, sizeof tile.options,
             "-DROWS=%d -DCOLUMNS=%d -DDEPTH=%d -DLANES=%d -DITEMS_DOWN=%d -DITEMS_ACROSS=%d -DBLOCK_ROWS=%d "
             "-DBLOCK_VECTORS=%d -DLEFT_TERM=%d",
             s.rows, s.columns, tile.depth, tile.lanes, s.items_down, s.items_across, s.block_rows, s.block_vectors,
             left_term);
    return tile;
}

ursa_cl_grid ursa_cl_tile_grid(const struct ursa_cl_tile *tile, int64_t x, int64_t y, int64_t z)
{
    return (ursa_cl_grid){.dims = 3,
                          .global = {(size_t)x * (size_t)tile->items, (size_t)y, (size_t)z},
                          .local = {(size_t)tile->items, 1, 1}};
}

ursa_cl_text ursa_cl_finish_options(const ursa_array *bias, const ursa_activation *activation)
{
    ursa_cl_text options;
    snprintf(options.text, sizeof options.text, "%s%s%s", bias->buffer ? "-DBIAS " : "",
             activation->used ? "-DACTIVATION=unary_" : "",
             activation->used ? ursa_cl_unary_name(activation->kind) : "");
    return options;
}

int ursa_cl_lanes(const struct ursa_cl_device *device, int64_t count)
{
    return device->is_cpu && count % 8 == 0 ? 8 : count % 4 == 0 ? 4 : 1;
}

/* tile.c — compiling and launching products, packing their right factors,
 * finishing what they do not finish themselves.
 */
#include "device/opencl/tile.h"
#include "device/opencl/matrix.h"
#include <stdio.h>
#include <string.h>

/* Columns of a strip of the right factor in cl/cpu_tile.cl. */
enum { STRIP = 16 };

static bool is_cpu(const struct ursa_cl_device *device)
{
    return ursa_cl_family(device) == URSA_CL_CPU;
}

ursa_dtype ursa_cl_factor(const ursa_array *x, const ursa_array *y)
{
    return ursa_half_type(x, y, NULL);
}

int ursa_cl_vector(ursa_dtype type, int bytes, int64_t offset, int64_t extent, int64_t stride, int64_t batch_stride)
{
    int64_t together = offset | extent | stride | batch_stride;
    int most = bytes / (type == URSA_F32 ? 4 : 2);
    return most >= 8 && together % 8 == 0 ? 8 : most >= 4 && together % 4 == 0 ? 4 : 1;
}

int ursa_cl_lanes_of(const struct ursa_cl_device *device, int64_t channels, int count, const ursa_array *const *arrays)
{
    int64_t together = channels;
    for (int i = 0; i < count; i++)
        together |= arrays[i]->offset;
    return is_cpu(device) && together % 8 == 0 ? 8 : together % 4 == 0 ? 4 : 1;
}

/* Terms that the inner loop takes at once (cl/tile.cl). The gradient to the weights keeps more beside the sums of large
 * blocks: at 8, only half as many of its groups find registers on a multiprocessor of NVIDIA's. */
static int unroll_of(const struct ursa_cl_device *device, const char *kernel, const struct ursa_cl_tile *tile)
{
    enum ursa_cl_family family = ursa_cl_family(device);
    bool is_full = tile->block_rows * tile->block_columns >= 64 && strcmp(kernel, "conv_grad_weight") == 0;
    if (family == URSA_CL_GCN || family == URSA_CL_RDNA)
        return 1;
    return family == URSA_CL_NVIDIA && is_full ? 2 : 8;
}

struct ursa_cl_kernel *ursa_cl_product_kernel(struct ursa_cl_device *device, const char *file, const char *name,
                                              const char *options, const struct ursa_cl_choice *choice,
                                              const struct ursa_cl_side *left, const struct ursa_cl_side *right,
                                              const struct ursa_cl_side *out, ursa_dtype factor)
{
    const struct ursa_cl_tile *tile = &choice->tile;
    char text[448], cpu_file[32];
    int used = snprintf(text, sizeof text, "%s -DROWS=%d -DCOLUMNS=%d -DDEPTH=%d%s", options, tile->rows, tile->columns,
                        tile->depth, left->along_k ? " -DLEFT_ALONG_K" : "");
    if (is_cpu(device)) {
        snprintf(cpu_file, sizeof cpu_file, "cpu_%s", file);
        return ursa_cl_kernel(device, cpu_file, name, "%s", text);
    }
    if (choice->method == URSA_CL_MATRIX) {
        struct ursa_cl_mma mma = ursa_cl_mma_unchecked(device, factor);
        used += snprintf(text + used, sizeof text - (size_t)used, " -DMMA=%d%s -DSHARE_ROWS=%d -DSHARE_COLUMNS=%d",
                         (int)mma.instruction, mma.twin ? " -DMMA_TWIN" : "", tile->block_rows, tile->block_columns);
    }
    snprintf(text + used, sizeof text - (size_t)used,
             " -DUNROLL=%d -DITEMS_DOWN=%d -DITEMS_ACROSS=%d -DLEFT_TYPE=%d -DLEFT_V=%d -DRIGHT_TYPE=%d -DRIGHT_V=%d%s "
             "-DOUT_TYPE=%d "
             "-DOUT_V=%d -DFACTOR=%d",
             unroll_of(device, name, tile), tile->items_down, tile->items_across, (int)left->type, left->lanes,
             (int)right->type, right->lanes, right->along_k ? " -DRIGHT_ALONG_K" : "", (int)out->type, out->lanes,
             (int)factor);
    return ursa_cl_kernel(device, file, name, "%s", text);
}

bool ursa_cl_product_launch(struct ursa_cl_device *device, struct ursa_cl_kernel *kernel,
                            const struct ursa_cl_tile *tile, int64_t x, int64_t y, int64_t z, int count,
                            const ursa_cl_arg *args)
{
    size_t items = (size_t)tile->items_down * (size_t)tile->items_across;
    ursa_cl_grid grid = {.dims = 3, .global = {(size_t)x * items, (size_t)y, (size_t)z}, .local = {items, 1, 1}};
    return ursa_cl_run(device, kernel, grid, is_cpu(device) ? count : count - 1, args);
}

/* ---- packing ---------------------------------------------------------------- */

int ursa_cl_pack_columns(const struct ursa_cl_device *device, const struct ursa_cl_tile *tile)
{
    return is_cpu(device) ? STRIP : tile->columns;
}

int ursa_cl_pack_terms(const struct ursa_cl_device *device, const struct ursa_cl_tile *tile, int terms)
{
    return is_cpu(device) ? terms : (int)ursa_cl_tiles(terms, tile->depth) * tile->depth;
}

ursa_buffer *ursa_cl_pack(struct ursa_cl_device *device, const ursa_array *x, struct ursa_cl_pack *pack,
                          ursa_dtype type)
{
    int64_t count = ursa_cl_tiles(pack->columns, pack->tile) * pack->tile * pack->terms * pack->groups;
    ursa_buffer *packed = ursa_buffer_new(&device->base, type, count);
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(device, "product", "factor_pack", "%s", "");
    pack->type = (cl_int)x->dtype;
    pack->run = pack->run > 0 ? pack->run : 1;
    if (packed && ursa_cl_launch(device, kernel, ursa_cl_items(device, count), ursa_cl_array(x), ursa_cl_buffer(packed),
                                 ursa_cl_struct(pack), ursa_cl_int((cl_int)type), ursa_cl_int((cl_int)count)))
        return packed;
    ursa_buffer_release(packed);
    return NULL;
}

/* ---- bias and activation behind a product ------------------------------------- */

bool ursa_cl_is_fused(const ursa_activation *activation)
{
    return !activation->used || activation->kind == URSA_UNARY_relu;
}

bool ursa_cl_target(struct ursa_cl_device *device, const ursa_array *out, bool direct, struct ursa_cl_target *target)
{
    *target = (struct ursa_cl_target){.sums = *out};
    if (direct || out->dtype == URSA_F32)
        return true;
    target->scratch = ursa_buffer_new(&device->base, URSA_F32, ursa_array_count(out));
    target->sums.buffer = target->scratch;
    target->sums.dtype = URSA_F32;
    target->sums.offset = 0;
    return target->scratch != NULL;
}

bool ursa_cl_finish(struct ursa_cl_device *device, struct ursa_cl_target *target, const ursa_array *bias,
                    const ursa_activation *activation, const ursa_array *out, bool ok)
{
    if (ok && (bias->buffer || activation->used || target->scratch)) {
        cl_int count = (cl_int)ursa_array_count(out);
        struct ursa_cl_kernel *kernel =
            ursa_cl_kernel(device, "product", "product_finish", "-DACTIVATION=unary_%s",
                           activation->used ? ursa_cl_unary_name(activation->kind) : "none");
        ok = ursa_cl_launch(device, kernel, ursa_cl_items(device, count), ursa_cl_array(&target->sums),
                            ursa_cl_array(bias), ursa_cl_array(out), ursa_cl_int((cl_int)out->dtype),
                            ursa_cl_int((cl_int)out->shape[out->ndim - 1]), ursa_cl_int(count),
                            ursa_cl_float(activation->a), ursa_cl_float(activation->b));
    }
    ursa_buffer_release(target->scratch);
    return ok;
}

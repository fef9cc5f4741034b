/* gemm.c — the batched matrix product: by the tiles of cl/gemm.cl, or by CLBlast
 * where it is installed and chosen.
 */
#include "base/error.h"
#include "device/opencl/tile.h"
#include <stdlib.h>

/* The twin of gemm_shape in cl/gemm.cl. */
struct gemm_shape {
    cl_int m, n, k;
    cl_int x_stride, y_stride;
    cl_int x_batch, y_batch;
};

/* One factor: [batch, rows, columns], in memory along its columns or, where it
 * is not `across`, along its rows. */
struct factor {
    bool across;
    int64_t stride; /* of the other axis */
    int64_t batch;
};

static struct factor factor_of(const ursa_array *a)
{
    bool across = a->stride[2] == 1 || a->shape[2] == 1;
    return (struct factor){across, across ? a->stride[1] : a->stride[2], a->shape[0] > 1 ? a->stride[0] : 0};
}

static bool fits(const ursa_array *a)
{
    int64_t reach = 0;
    for (int axis = 0; axis < 3; axis++)
        reach += a->shape[axis] > 1 ? llabs(a->stride[axis]) * (a->shape[axis] - 1) : 0;
    return reach <= INT32_MAX || ursa_fail(URSA_ERROR_UNSUPPORTED,
                                           "gemm: a factor whose elements lie up to %lld apart; OpenCL kernels take "
                                           "up to 2147483647",
                                           (long long)reach);
}

/* ---- CLBlast ------------------------------------------------------------- */

static bool is_f32(const struct ursa_gemm_args *args)
{
    return args->x.dtype == URSA_F32 && args->y.dtype == URSA_F32 && args->out.dtype == URSA_F32;
}

static bool clblast_takes(const struct ursa_gemm_args *args, const struct factor *x, const struct factor *y)
{
    int64_t m = args->out.shape[1], n = args->out.shape[2], k = args->x.shape[2];
    if (!is_f32(args) || args->out.shape[0] < 1 || m < 1 || n < 1 || k < 1)
        return false;
    return x->stride >= (x->across ? k : m) && y->stride >= (y->across ? n : k) && x->batch >= 0 && y->batch >= 0;
}

static bool by_clblast(struct ursa_cl_device *device, const struct ursa_gemm_args *args, const struct factor *x,
                       const struct factor *y)
{
    const struct ursa_clblast_api *api = ursa_clblast();
    const ursa_array *out = &args->out;
    size_t m = (size_t)out->shape[1], n = (size_t)out->shape[2], k = (size_t)args->x.shape[2];
    CLBlastTranspose x_order = x->across ? CLBlastTransposeNo : CLBlastTransposeYes;
    CLBlastTranspose y_order = y->across ? CLBlastTransposeNo : CLBlastTransposeYes;
    cl_event event = NULL, *wanted = device->measures ? &event : NULL;
    CLBlastStatusCode code;
    if (out->shape[0] == 1)
        code = api->Sgemm(CLBlastLayoutRowMajor, x_order, y_order, m, n, k, args->alpha, args->x.buffer->handle,
                          (size_t)args->x.offset, (size_t)x->stride, args->y.buffer->handle, (size_t)args->y.offset,
                          (size_t)y->stride, args->beta, out->buffer->handle, (size_t)out->offset, n, &device->queue,
                          wanted);
    else
        code = api->SgemmStridedBatched(CLBlastLayoutRowMajor, x_order, y_order, m, n, k, args->alpha,
                                        args->x.buffer->handle, (size_t)args->x.offset, (size_t)x->stride,
                                        (size_t)x->batch, args->y.buffer->handle, (size_t)args->y.offset,
                                        (size_t)y->stride, (size_t)y->batch, args->beta, out->buffer->handle,
                                        (size_t)out->offset, n, m * n, (size_t)out->shape[0], &device->queue, wanted);
    if (event)
        ursa_cl_time(device, event, "clblast", false);
    return code == CLBlastSuccess ||
           ursa_fail(URSA_ERROR_DEVICE, "gemm: CLBlast on %s: error %d", device->base.info.name, (int)code);
}

/* ---- the kernels of our own ----------------------------------------------- */

static struct ursa_cl_side side_of(const ursa_array *a, const struct factor *f, bool along_k)
{
    int64_t extent = a->shape[f->across ? 2 : 1];
    return (struct ursa_cl_side){.type = a->dtype,
                                 .lanes = ursa_cl_vector(a->dtype, 16, a->offset, extent, f->stride, f->batch),
                                 .along_k = along_k};
}

/* For processors: y in strips, and how they lie. */
static ursa_buffer *pack_y(struct ursa_cl_device *device, const struct ursa_gemm_args *args, const struct factor *y,
                           const struct ursa_cl_tile *tile, ursa_dtype factor, struct gemm_shape *shape)
{
    struct ursa_cl_pack pack = {.groups = y->batch ? (cl_int)args->out.shape[0] : 1,
                                .columns = shape->n,
                                .taps = {1, 1},
                                .depth = shape->k,
                                .group = (cl_int)y->batch,
                                .row = (cl_int)(y->across ? y->stride : 1),
                                .column = (cl_int)(y->across ? 1 : y->stride),
                                .tile = ursa_cl_pack_columns(device, tile),
                                .terms = ursa_cl_pack_terms(device, tile, shape->k),
                                .factor = (cl_int)factor};
    shape->y_stride = pack.tile * pack.terms;
    shape->y_batch = y->batch ? (cl_int)ursa_cl_tiles(shape->n, pack.tile) * shape->y_stride : 0;
    return ursa_cl_pack(device, &args->y, &pack, URSA_F32);
}

static bool by_tiles(struct ursa_cl_device *device, const struct ursa_gemm_args *args, const struct factor *x,
                     const struct factor *y, const struct ursa_cl_choice *choice)
{
    const struct ursa_cl_tile *tile = &choice->tile;
    struct gemm_shape shape = {.m = (cl_int)args->out.shape[1],
                               .n = (cl_int)args->out.shape[2],
                               .k = (cl_int)args->x.shape[2],
                               .x_stride = (cl_int)x->stride,
                               .y_stride = (cl_int)y->stride,
                               .x_batch = (cl_int)x->batch,
                               .y_batch = (cl_int)y->batch};
    ursa_dtype factor = ursa_cl_factor(&args->x, &args->y);
    struct ursa_cl_side left = side_of(&args->x, x, x->across), right = side_of(&args->y, y, !y->across);
    struct ursa_cl_side out = {.type = args->out.dtype,
                               .lanes = ursa_cl_vector(URSA_F32, 16, args->out.offset, shape.n, 0, 0)};
    struct ursa_cl_types types = {(cl_int)left.type, (cl_int)right.type, (cl_int)out.type, (cl_int)factor};
    struct ursa_cl_kernel *kernel =
        ursa_cl_product_kernel(device, "gemm", "gemm", "", choice, &left, &right, &out, factor);
    ursa_buffer *packed = NULL;
    bool packs = ursa_cl_family(device) == URSA_CL_CPU && shape.k > 0;
    if (!kernel || (packs && !(packed = pack_y(device, args, y, tile, factor, &shape))))
        return false;
    const ursa_cl_arg all[] = {ursa_cl_array(&args->x),    packed ? ursa_cl_buffer(packed) : ursa_cl_array(&args->y),
                               ursa_cl_array(&args->bias), ursa_cl_array(&args->out),
                               ursa_cl_struct(&shape),     ursa_cl_float(args->alpha),
                               ursa_cl_float(args->beta),  ursa_cl_int(args->activation.used),
                               ursa_cl_struct(&types)};
    bool ok = ursa_cl_product_launch(device, kernel, tile, ursa_cl_tiles(shape.m, tile->rows),
                                     ursa_cl_tiles(shape.n, tile->columns), args->out.shape[0], 9, all);
    ursa_buffer_release(packed);
    return ok;
}

/* The sums in floats first, then the rest. */
static bool in_two_passes(struct ursa_cl_device *device, const struct ursa_gemm_args *args, const struct factor *x,
                          const struct factor *y, const struct ursa_cl_choice *choice)
{
    static const ursa_array no_bias;
    struct ursa_cl_target target;
    struct ursa_gemm_args sums = *args;
    bool clblast = choice->method == URSA_CL_CLBLAST;
    if (!ursa_cl_target(device, &args->out, false, &target))
        return false;
    if (target.scratch && args->beta != 0.0f &&
        !ursa_opencl_copy(&device->base, &(struct ursa_copy_args){.x = args->out, .out = target.sums})) {
        ursa_buffer_release(target.scratch);
        return false;
    }
    sums.out = target.sums;
    sums.activation.used = false;
    bool ok = clblast ? by_clblast(device, &sums, x, y) : by_tiles(device, &sums, x, y, choice);
    return ursa_cl_finish(device, &target, clblast ? &args->bias : &no_bias, &args->activation, &args->out, ok);
}

bool ursa_opencl_gemm(ursa_device *base, const struct ursa_gemm_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    if (!fits(&args->x) || !fits(&args->y) || ursa_cl_count("gemm", &args->out) < 0)
        return false;
    if (ursa_array_count(&args->out) == 0)
        return true;
    struct factor x = factor_of(&args->x), y = factor_of(&args->y);
    struct ursa_cl_product product = {.kind = URSA_CL_GEMM,
                                      .type = ursa_cl_factor(&args->x, &args->y),
                                      .batch = args->out.shape[0],
                                      .m = args->out.shape[1],
                                      .n = args->out.shape[2],
                                      .k = args->x.shape[2],
                                      .x_across = x.across,
                                      .y_across = y.across};
    struct ursa_cl_choice choice = ursa_cl_choose(device, &product);
    if (choice.method == URSA_CL_CLBLAST && !clblast_takes(args, &x, &y))
        choice.method = URSA_CL_TILES;
    if (choice.method == URSA_CL_CLBLAST || !ursa_cl_is_fused(&args->activation))
        return in_two_passes(device, args, &x, &y, &choice);
    return by_tiles(device, args, &x, &y, &choice);
}

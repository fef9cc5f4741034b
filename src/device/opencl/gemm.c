/* gemm.c — the batched matrix product: by CLBlast where it is installed and
 * worth its start, else, and on processors always, by cl/gemm.cl.
 */
#include "base/error.h"
#include "device/opencl/tile.h"
#include "device/through_float.h"
#include <stdlib.h>
#include <string.h>

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

/* Below this many multiplications its own kernels and copies cost more. */
#define CLBLAST_WORK (64.0 * 64.0 * 64.0)

/* URSA_CLBLAST=1 uses it on every device, for comparison; 0 on none (loader.c). */
static bool clblast_takes(const struct ursa_cl_device *device, const struct ursa_gemm_args *args,
                          const struct factor *x, const struct factor *y)
{
    const char *forced = getenv("URSA_CLBLAST");
    bool always = forced && strcmp(forced, "1") == 0;
    int64_t m = args->out.shape[1], n = args->out.shape[2], k = args->x.shape[2];
    if (!ursa_clblast() || args->out.shape[0] < 1 || m < 1 || n < 1 || k < 1)
        return false;
    if (x->stride < (x->across ? k : m) || y->stride < (y->across ? n : k) || x->batch < 0 || y->batch < 0)
        return false;
    return always || (!device->is_cpu && (double)m * (double)n * (double)k >= CLBLAST_WORK);
}

static bool by_clblast(struct ursa_cl_device *device, const struct ursa_gemm_args *args, const struct factor *x,
                       const struct factor *y)
{
    const struct ursa_clblast_api *api = ursa_clblast();
    const ursa_array *out = &args->out;
    size_t m = (size_t)out->shape[1], n = (size_t)out->shape[2], k = (size_t)args->x.shape[2];
    CLBlastTranspose x_order = x->across ? CLBlastTransposeNo : CLBlastTransposeYes;
    CLBlastTranspose y_order = y->across ? CLBlastTransposeNo : CLBlastTransposeYes;
    CLBlastStatusCode code;
    if (out->shape[0] == 1)
        code = api->Sgemm(CLBlastLayoutRowMajor, x_order, y_order, m, n, k, args->alpha, args->x.buffer->handle,
                          (size_t)args->x.offset, (size_t)x->stride, args->y.buffer->handle, (size_t)args->y.offset,
                          (size_t)y->stride, args->beta, out->buffer->handle, (size_t)out->offset, n, &device->queue,
                          NULL);
    else
        code = api->SgemmStridedBatched(CLBlastLayoutRowMajor, x_order, y_order, m, n, k, args->alpha,
                                        args->x.buffer->handle, (size_t)args->x.offset, (size_t)x->stride,
                                        (size_t)x->batch, args->y.buffer->handle, (size_t)args->y.offset,
                                        (size_t)y->stride, (size_t)y->batch, args->beta, out->buffer->handle,
                                        (size_t)out->offset, n, m * n, (size_t)out->shape[0], &device->queue, NULL);
    return code == CLBlastSuccess ||
           ursa_fail(URSA_ERROR_DEVICE, "gemm: CLBlast on %s: error %d", device->base.info.name, (int)code);
}

/* ---- the kernel of our own ----------------------------------------------- */

static bool by_tiles(struct ursa_cl_device *device, const struct ursa_gemm_args *args, const struct factor *x,
                     const struct factor *y)
{
    struct gemm_shape shape = {.m = (cl_int)args->out.shape[1],
                               .n = (cl_int)args->out.shape[2],
                               .k = (cl_int)args->x.shape[2],
                               .x_stride = (cl_int)x->stride,
                               .y_stride = (cl_int)y->stride,
                               .x_batch = (cl_int)x->batch,
                               .y_batch = (cl_int)y->batch};
    struct ursa_cl_tile tile = ursa_cl_tile_for(device, shape.m, shape.n, x->across);
    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "gemm", "gemm", "%s %s %s %s", tile.options, x->across ? "-DX_ACROSS" : "",
                       y->across ? "-DY_ACROSS" : "", ursa_cl_fused(&args->activation));
    ursa_cl_grid grid = ursa_cl_tile_grid(&tile, ursa_cl_tiles(shape.m, tile.rows),
                                          ursa_cl_tiles(shape.n, tile.columns), args->out.shape[0]);
    return ursa_cl_launch(device, kernel, grid, ursa_cl_array(&args->x), ursa_cl_array(&args->y),
                          ursa_cl_array(&args->bias), ursa_cl_array(&args->out), ursa_cl_struct(&shape),
                          ursa_cl_float(args->alpha), ursa_cl_float(args->beta)) &&
           ursa_cl_finish_unfused(device, &args->activation, &args->out);
}

bool ursa_opencl_gemm(ursa_device *base, const struct ursa_gemm_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    if (ursa_half_type(&args->x, &args->y, &args->out) != URSA_F32)
        return ursa_gemm_through_float(base, args);
    if (!fits(&args->x) || !fits(&args->y) || ursa_cl_count("gemm", &args->out) < 0)
        return false;
    struct factor x = factor_of(&args->x), y = factor_of(&args->y);
    if (clblast_takes(device, args, &x, &y))
        return by_clblast(device, args, &x, &y) && ursa_cl_finish(device, &args->bias, &args->activation, &args->out);
    return by_tiles(device, args, &x, &y);
}

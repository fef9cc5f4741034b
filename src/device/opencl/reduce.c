/* reduce.c — reductions, moments, positions of extremes. */
#include "base/error.h"
#include "device/opencl/lines.h"
#include <math.h>

struct reduction {
    const char *op, *combine, *map, *finish;
    float divisor;
    const ursa_buffer *center; /* [lines], f32, for map "spread" */
};

/* How a stage cuts lines into chunks. */
struct cut {
    bool by_item;
    cl_int chunk, chunks;
};

static cl_int divided_up(cl_int a, cl_int b)
{
    return a / b + (a % b != 0);
}

/* By shape alone, so that results are the same on all devices that have the
 * same size of group. Lines side by side are read well by a work item each;
 * others by a group each. */
static struct cut plan_cut(const struct ursa_cl_lines *lines)
{
    enum { ENOUGH_ITEMS = 32768, SHORT = 64, LONG = 32768 };
    cl_int count = lines->shape.lines, extent = lines->shape.extent;
    struct cut cut = {.by_item = extent <= SHORT || (lines->side_by_side && count >= 16), .chunk = extent, .chunks = 1};
    if (cut.by_item && extent > SHORT && count < ENOUGH_ITEMS) {
        cl_int chunks = ENOUGH_ITEMS / count < 256 ? ENOUGH_ITEMS / count : 256;
        cut.chunk = divided_up(extent, chunks) > SHORT ? divided_up(extent, chunks) : SHORT;
    }
    if (!cut.by_item && extent > LONG)
        cut.chunk = divided_up(extent, 1024) > LONG / 4 ? divided_up(extent, 1024) : LONG / 4;
    if (cut.chunk > 0)
        cut.chunks = divided_up(extent, cut.chunk);
    return cut;
}

static bool run_stage(struct ursa_cl_device *device, const struct reduction *r, const struct ursa_cl_lines *lines,
                      struct cut cut, ursa_dtype in, ursa_dtype out, ursa_cl_arg x, ursa_cl_arg result)
{
    struct ursa_cl_kernel *kernel =
        ursa_cl_kernel(device, "reduce", cut.by_item ? "reduce_items" : "reduce_groups",
                       "-DIN=%s -DOUT=%s -DCOMBINE=%s -DMAP=%s -DFINISH=%s -DAXES=%d %s -D%s", ursa_cl_type(in),
                       ursa_cl_type(out), r->combine, r->map, r->finish, lines->axes,
                       ursa_dtype_is_float(in) ? "-DIN_IS_FLOAT" : "", cut.by_item ? "BY_ITEM" : "BY_GROUP");
    const struct ursa_cl_lines_shape *shape = &lines->shape;
    if (cut.by_item)
        return ursa_cl_launch(device, kernel, ursa_cl_items2(device, shape->lines, cut.chunks), x,
                              ursa_cl_buffer(r->center), result, ursa_cl_struct(shape), ursa_cl_int(cut.chunk),
                              ursa_cl_int(cut.chunks), ursa_cl_float(r->divisor));
    size_t size = ursa_cl_group_size(kernel, 256);
    return ursa_cl_launch(device, kernel, ursa_cl_groups((int64_t)shape->lines * cut.chunks, size), x,
                          ursa_cl_buffer(r->center), result, ursa_cl_struct(shape), ursa_cl_int(cut.chunk),
                          ursa_cl_int(cut.chunks), ursa_cl_float(r->divisor), ursa_cl_local(size * 8));
}

/* out: [lines]. With chunks, their results are an array [chunks, lines] that a
 * second stage reduces. */
static bool reduce_lines(struct ursa_cl_device *device, const struct reduction *r, const struct ursa_cl_lines *lines,
                         const ursa_array *x, ursa_dtype dtype, ursa_cl_arg out)
{
    struct cut cut = plan_cut(lines);
    if (cut.chunks == 1)
        return run_stage(device, r, lines, cut, x->dtype, dtype, ursa_cl_array(x), out);
    ursa_dtype between = ursa_dtype_is_float(x->dtype) ? URSA_F32 : x->dtype;
    cl_int count = lines->shape.lines;
    ursa_array parts = {.buffer = ursa_buffer_new(&device->base, between, (int64_t)cut.chunks * count),
                        .dtype = between,
                        .ndim = 2,
                        .shape = {cut.chunks, count},
                        .stride = {count, 1}};
    struct reduction first = *r, second = *r;
    first.finish = "itself";
    second.map = "itself";
    second.center = NULL;
    struct ursa_cl_lines across;
    bool ok = parts.buffer &&
              run_stage(device, &first, lines, cut, x->dtype, between, ursa_cl_array(x), ursa_cl_array(&parts)) &&
              ursa_cl_lines_plan(r->op, &across, &parts, 1);
    struct cut whole = {.by_item = count >= 64 || cut.chunks <= 32, .chunk = cut.chunks, .chunks = 1};
    ok = ok && run_stage(device, &second, &across, whole, between, dtype, ursa_cl_array(&parts), out);
    ursa_buffer_release(parts.buffer);
    return ok;
}

/* The axes along which `out` is shorter than x. */
static unsigned reduced_axes(const ursa_array *x, const ursa_array *out)
{
    unsigned axes = 0;
    for (int i = 0; i < x->ndim; i++)
        axes |= (unsigned)(out->shape[i] != x->shape[i]) << i;
    return axes;
}

bool ursa_opencl_reduce(ursa_device *base, const struct ursa_reduce_args *args)
{
    static const struct reduction kinds[URSA_REDUCE_COUNT] = {
        [URSA_REDUCE_SUM] = {"reduce", "add", "itself", "itself", 1, NULL},
        [URSA_REDUCE_MEAN] = {"reduce", "add", "itself", "mean", 1, NULL},
        [URSA_REDUCE_PROD] = {"reduce", "multiply", "itself", "itself", 1, NULL},
        [URSA_REDUCE_MIN] = {"reduce", "smallest", "itself", "itself", 1, NULL},
        [URSA_REDUCE_MAX] = {"reduce", "largest", "itself", "itself", 1, NULL},
        [URSA_REDUCE_L1] = {"reduce", "add", "absolute", "itself", 1, NULL},
        [URSA_REDUCE_L2] = {"reduce", "add", "squared", "root", 1, NULL},
    };
    struct reduction reduction = kinds[args->kind];
    struct ursa_cl_lines lines;
    if (!ursa_cl_lines_plan("reduce", &lines, &args->x, reduced_axes(&args->x, &args->out)))
        return false;
    reduction.divisor = (float)lines.shape.extent;
    return reduce_lines(ursa_cl_device(base), &reduction, &lines, &args->x, args->out.dtype, ursa_cl_array(&args->out));
}

/* ---- moments: the mean, then the squared distances from it ------------------- */

bool ursa_opencl_moments(ursa_device *base, const struct ursa_moments_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    const ursa_array *like = args->mean.buffer ? &args->mean : &args->var;
    struct ursa_cl_lines lines;
    if (!ursa_cl_lines_plan("moments", &lines, &args->x, reduced_axes(&args->x, like)))
        return false;
    /* Nothing has no mean, and no variance whatever the correction. */
    float count = lines.shape.extent ? (float)lines.shape.extent : NAN;
    ursa_array center = *like;
    center.dtype = URSA_F32;
    center.offset = 0;
    center.buffer = ursa_buffer_new(base, URSA_F32, lines.shape.lines);
    if (!center.buffer)
        return false;
    struct reduction mean = {"moments", "add", "itself", "mean", count, NULL};
    struct reduction var = {"moments", "add", "spread", "mean", count - (float)args->correction, center.buffer};
    bool ok = reduce_lines(device, &mean, &lines, &args->x, URSA_F32, ursa_cl_array(&center));
    if (ok && args->mean.buffer)
        ok = ursa_opencl_copy(base, &(struct ursa_copy_args){.x = center, .out = args->mean});
    if (ok && args->var.buffer)
        ok = reduce_lines(device, &var, &lines, &args->x, args->var.dtype, ursa_cl_array(&args->var));
    ursa_buffer_release(center.buffer);
    return ok;
}

/* ---- positions ----------------------------------------------------------------- */

bool ursa_opencl_arg_reduce(ursa_device *base, const struct ursa_arg_reduce_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    struct ursa_cl_lines lines;
    if (!ursa_cl_lines_plan("arg_reduce", &lines, &args->x, 1u << args->axis))
        return false;
    bool by_item = ursa_cl_lines_by_item(device, &lines);
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(
        device, "position", by_item ? "position_items" : "position_groups", "-DT=%s -DAXES=%d -D%s %s %s",
        ursa_cl_type(args->x.dtype), lines.axes, by_item ? "BY_ITEM" : "BY_GROUP",
        ursa_dtype_is_float(args->x.dtype) ? "-DT_IS_FLOAT" : "", args->max ? "-DLARGEST" : "");
    if (by_item)
        return ursa_cl_launch(device, kernel, ursa_cl_items(device, lines.shape.lines), ursa_cl_array(&args->x),
                              ursa_cl_array(&args->out), ursa_cl_struct(&lines.shape));
    size_t size = ursa_cl_group_size(kernel, 256);
    return ursa_cl_launch(device, kernel, ursa_cl_groups(lines.shape.lines, size), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->out), ursa_cl_struct(&lines.shape),
                          ursa_cl_local(size * sizeof(cl_int)));
}

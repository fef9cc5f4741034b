/* order.c — running sums and sorting. */
#include "base/error.h"
#include "device/opencl/lines.h"

/* The elements after `axis`. */
static cl_int inner_of(const ursa_array *x, int axis)
{
    int64_t inner = 1;
    for (int i = axis + 1; i < x->ndim; i++)
        inner *= x->shape[i];
    return (cl_int)inner;
}

bool ursa_opencl_cumsum(ursa_device *base, const struct ursa_cumsum_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    struct ursa_cl_lines lines;
    if (!ursa_cl_lines_plan("cumsum", &lines, &args->x, 1u << args->axis))
        return false;
    bool by_item = ursa_cl_lines_by_item(device, &lines);
    struct ursa_cl_kernel *kernel = ursa_cl_kernel(
        device, "scan", by_item ? "scan_items" : "scan_groups", "-DT=%s -DAXES=%d -D%s %s", ursa_cl_type(args->x.dtype),
        lines.axes, by_item ? "BY_ITEM" : "BY_GROUP", ursa_dtype_is_float(args->x.dtype) ? "-DT_IS_FLOAT" : "");
    cl_int inner = inner_of(&args->x, args->axis);
    if (by_item)
        return ursa_cl_launch(device, kernel, ursa_cl_items(device, lines.shape.lines), ursa_cl_array(&args->x),
                              ursa_cl_array(&args->out), ursa_cl_struct(&lines.shape), ursa_cl_int(inner),
                              ursa_cl_int(args->reverse));
    size_t size = ursa_cl_group_size(kernel, 256);
    return ursa_cl_launch(device, kernel, ursa_cl_groups(lines.shape.lines, size), ursa_cl_array(&args->x),
                          ursa_cl_array(&args->out), ursa_cl_struct(&lines.shape), ursa_cl_int(inner),
                          ursa_cl_int(args->reverse), ursa_cl_local(size * 8));
}

/* ---- sorting --------------------------------------------------------------------- */

enum {
    BLOCK = 256,       /* what is sorted by counting, at BLOCK comparisons per element */
    LONGEST = 1 << 30, /* the width of a merged run is an int */
};

static struct ursa_cl_kernel *sort_kernel(struct ursa_cl_device *device, const char *name,
                                          const struct ursa_sort_args *args, const struct ursa_cl_lines *lines)
{
    return ursa_cl_kernel(device, "sort", name, "-DT=%s -DAXES=%d %s %s", ursa_cl_type(args->x.dtype), lines->axes,
                          ursa_dtype_is_float(args->x.dtype) ? "-DT_IS_FLOAT" : "",
                          args->descending ? "-DDESCENDING" : "");
}

/* Leaves the sorted positions in *order, after as many merges as it takes. */
static bool sort_positions(struct ursa_cl_device *device, const struct ursa_sort_args *args,
                           const struct ursa_cl_lines *lines, ursa_buffer **order, ursa_buffer **spare)
{
    cl_int extent = lines->shape.extent;
    ursa_cl_grid grid = ursa_cl_items2(device, extent, lines->shape.lines);
    if (!ursa_cl_launch(device, sort_kernel(device, "rank_blocks", args, lines), grid, ursa_cl_array(&args->x),
                        ursa_cl_buffer(*order), ursa_cl_struct(&lines->shape), ursa_cl_int(BLOCK)))
        return false;
    for (int64_t width = BLOCK; width < extent; width *= 2) {
        if (!ursa_cl_launch(device, sort_kernel(device, "merge_runs", args, lines), grid, ursa_cl_array(&args->x),
                            ursa_cl_buffer(*order), ursa_cl_buffer(*spare), ursa_cl_struct(&lines->shape),
                            ursa_cl_int((cl_int)width)))
            return false;
        ursa_buffer *swap = *order;
        *order = *spare;
        *spare = swap;
    }
    return true;
}

bool ursa_opencl_sort(ursa_device *base, const struct ursa_sort_args *args)
{
    struct ursa_cl_device *device = ursa_cl_device(base);
    struct ursa_cl_lines lines;
    if (!ursa_cl_lines_plan("sort", &lines, &args->x, 1u << args->axis))
        return false;
    if (lines.shape.extent > LONGEST)
        return ursa_fail(URSA_ERROR_UNSUPPORTED, "sort: %d elements along axis %d; OpenCL kernels sort up to %d",
                         lines.shape.extent, args->axis, LONGEST);
    int64_t count = (int64_t)lines.shape.lines * lines.shape.extent;
    bool merges = lines.shape.extent > BLOCK;
    ursa_buffer *order = ursa_buffer_new(base, URSA_I32, count);
    ursa_buffer *spare = merges && order ? ursa_buffer_new(base, URSA_I32, count) : NULL;
    bool ok = order && (spare || !merges) && sort_positions(device, args, &lines, &order, &spare);
    const ursa_array *like = args->values.buffer ? &args->values : &args->indices;
    cl_int k = (cl_int)like->shape[args->axis], inner = inner_of(&args->x, args->axis);
    ok = ok && ursa_cl_launch(device, sort_kernel(device, "sorted", args, &lines),
                              ursa_cl_items2(device, lines.shape.lines, k), ursa_cl_array(&args->x),
                              ursa_cl_buffer(order), ursa_cl_array(&args->values), ursa_cl_array(&args->indices),
                              ursa_cl_struct(&lines.shape), ursa_cl_int(k), ursa_cl_int(inner));
    ursa_buffer_release(order);
    ursa_buffer_release(spare);
    return ok;
}

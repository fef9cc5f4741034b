/* pool.cl — maximum (-DMAX) and average over windows, and their gradients.
 * A work item handles LANES channels of a pixel; images are of type -DT. The gradients gather: every
 * input pixel asks the windows that cover it.
 */
#include "common.cl"
#include "lanes.cl"

/* The twin of struct pool_shape in pool.c; channels in vectors. */
typedef struct pool_shape {
    int images, in[2], out[2], vectors;
    int window[2], stride[2], pad[2];
    int adaptive, count_pad;
} pool_shape;

/* Rows (axis 0) or columns (1) under cell o of the output: [first, end), and
 * how many of them count in an average. */
typedef struct span {
    int first, end, counted;
} span;

static inline span span_of(pool_shape s, int axis, int o)
{
    if (s.adaptive) {
        int first = o * s.in[axis] / s.out[axis], end = ((o + 1) * s.in[axis] + s.out[axis] - 1) / s.out[axis];
        return (span){first, end, end - first};
    }
    int first = o * s.stride[axis] - s.pad[axis], end = first + s.window[axis];
    int padded = min(end, s.in[axis] + s.pad[axis]) - first;
    first = max(first, 0);
    end = min(end, s.in[axis]);
    return (span){first, end, s.count_pad ? padded : end - first};
}

/* The cells of the output whose windows cover row or column i: [first, end). */
static inline span cells_over(pool_shape s, int axis, int i)
{
    if (s.adaptive)
        return (span){i * s.out[axis] / s.in[axis],
                      min(((i + 1) * s.out[axis] + s.in[axis] - 1) / s.in[axis], s.out[axis]), 0};
    int behind = i + s.pad[axis] - s.window[axis] + 1;
    return (span){behind > 0 ? (behind + s.stride[axis] - 1) / s.stride[axis] : 0,
                  min((i + s.pad[axis]) / s.stride[axis] + 1, s.out[axis]), 0};
}

#define index_load(p)     (*(global const lanes_int *)(p))
#define index_store(v, p) (*(global lanes_int *)(p) = (v))

kernel void pool2d(INPUT(T, x), OUTPUT(T, out), OUTPUT(i32, indices), pool_shape s)
{
    LOCATE(x);
    LOCATE(out);
    LOCATE(indices);
    int i = (int)get_global_id(0), pixel = i / s.vectors, c = (i - pixel * s.vectors) * LANES;
    int row = pixel / s.out[1], column = pixel - row * s.out[1], image = row / s.out[0];
    if (image >= s.images)
        return;
    span ys = span_of(s, 0, row - image * s.out[0]), xs = span_of(s, 1, column);
    int channels = s.vectors * LANES;
    x += image * s.in[0] * s.in[1] * channels + c;
#ifdef MAX
    lanes best = (lanes)(-INFINITY);
    bool empty = ys.first >= ys.end || xs.first >= xs.end; /* all padding: no winner */
    lanes_int where = (lanes_int)(empty ? -1 : ys.first * s.in[1] + xs.first);
    for (int h = ys.first; h < ys.end; h++)
        for (int w = xs.first; w < xs.end; w++) {
            lanes v = elems_load(T, x, (h * s.in[1] + w) * channels);
            lanes_int better = (v > best) | ((v != v) & (best == best));
            best = select(best, v, better);
            where = select(where, (lanes_int)(h * s.in[1] + w), better);
        }
    elems_store(T, best, out, i * LANES);
    if (indices)
        index_store(where, indices + i * LANES);
#else
    lanes sum = (lanes)(0.0f);
    for (int h = ys.first; h < ys.end; h++)
        for (int w = xs.first; w < xs.end; w++)
            sum += elems_load(T, x, (h * s.in[1] + w) * channels);
    elems_store(T, sum / (float)(ys.counted * xs.counted), out, i * LANES);
#endif
}

kernel void pool2d_grad(INPUT(T, dy), INPUT(i32, indices), OUTPUT(T, dx), pool_shape s)
{
    LOCATE(dy);
    LOCATE(indices);
    LOCATE(dx);
    int i = (int)get_global_id(0), pixel = i / s.vectors, c = (i - pixel * s.vectors) * LANES;
    int row = pixel / s.in[1], w = pixel - row * s.in[1], image = row / s.in[0], h = row - image * s.in[0];
    if (image >= s.images)
        return;
    span rows = cells_over(s, 0, h), columns = cells_over(s, 1, w);
    int channels = s.vectors * LANES;
    lanes sum = (lanes)(0.0f);
    for (int oh = rows.first; oh < rows.end; oh++)
        for (int ow = columns.first; ow < columns.end; ow++) {
            int at = ((image * s.out[0] + oh) * s.out[1] + ow) * channels + c;
            lanes d = elems_load(T, dy, at);
#ifdef MAX
            sum += select((lanes)(0.0f), d, index_load(indices + at) == (lanes_int)(h * s.in[1] + w));
#else
            sum += d / (float)(span_of(s, 0, oh).counted * span_of(s, 1, ow).counted);
#endif
        }
    elems_store(T, sum, dx, i * LANES);
}

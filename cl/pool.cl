/* pool.cl — maximum (-DMAX) and average over windows, and their gradients.
 * A work item handles LANES channels of a pixel; images are of type -DT, winners of -DWINNER, u8 or i32.
 * The gradients gather: every input pixel asks the windows that cover it.
 */
#include "common.cl"
#include "lanes.cl"

/* The twin of struct pool_shape in pool.c; channels in vectors. */
typedef struct pool_shape {
    int images, in[2], out[2], vectors;
    int window[2], stride[2], pad[2];
    int adaptive, count_pad;
    int across; /* columns of the largest window */
} pool_shape;

/* The first row (axis 0) or column (1) under cell o of the output, in the padding or not. */
static inline int first_of(pool_shape s, int axis, int o)
{
    return s.adaptive ? o * s.in[axis] / s.out[axis] : o * s.stride[axis] - s.pad[axis];
}

/* Those of them in the image: [first, end), and how many count in an average. */
typedef struct span {
    int first, end, counted;
} span;

static inline span span_of(pool_shape s, int axis, int o)
{
    int first = first_of(s, axis, o);
    if (s.adaptive) {
        int end = ((o + 1) * s.in[axis] + s.out[axis] - 1) / s.out[axis];
        return (span){first, end, end - first};
    }
    int end = first + s.window[axis];
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

#ifdef MAX
/* Where a pixel stands in the window of a cell: how many come before it. */
static inline int place_of(pool_shape s, int oh, int ow, int h, int w)
{
    return (h - first_of(s, 0, oh)) * s.across + w - first_of(s, 1, ow);
}

#define winners_load  PASTE(winners_load_, WINNER)
#define winners_store PASTE(winners_store_, WINNER)

static inline lanes_int winners_load_u8(global const uchar *p, int i)
{
    return lanes_as_ints(*(global const lanes_bytes *)(p + i));
}

static inline void winners_store_u8(lanes_int v, global uchar *p, int i)
{
    *(global lanes_bytes *)(p + i) = lanes_as_bytes(v);
}

static inline lanes_int winners_load_i32(global const int *p, int i)
{
    return *(global const lanes_int *)(p + i);
}

static inline void winners_store_i32(lanes_int v, global int *p, int i)
{
    *(global lanes_int *)(p + i) = v;
}
#endif

kernel void pool2d(INPUT(T, x), OUTPUT(T, out), OUTPUT(WINNER, winners), pool_shape s)
{
    LOCATE(x);
    LOCATE(out);
    LOCATE(winners);
    int i = (int)get_global_id(0), pixel = i / s.vectors, c = (i - pixel * s.vectors) * LANES;
    int row = pixel / s.out[1], column = pixel - row * s.out[1], image = row / s.out[0];
    if (image >= s.images)
        return;
    int oh = row - image * s.out[0];
    span ys = span_of(s, 0, oh), xs = span_of(s, 1, column);
    int channels = s.vectors * LANES;
    x += image * s.in[0] * s.in[1] * channels + c;
#ifdef MAX
    lanes best = (lanes)(-INFINITY);
    lanes_int where = (lanes_int)(place_of(s, oh, column, ys.first, xs.first));
    for (int h = ys.first; h < ys.end; h++)
        for (int w = xs.first; w < xs.end; w++) {
            lanes v = elems_load(T, x, (h * s.in[1] + w) * channels);
            lanes_int better = (v > best) | ((v != v) & (best == best));
            best = select(best, v, better);
            where = select(where, (lanes_int)(place_of(s, oh, column, h, w)), better);
        }
    elems_store(T, best, out, i * LANES);
    if (winners)
        winners_store(where, winners, i * LANES);
#else
    lanes sum = (lanes)(0.0f);
    for (int h = ys.first; h < ys.end; h++)
        for (int w = xs.first; w < xs.end; w++)
            sum += elems_load(T, x, (h * s.in[1] + w) * channels);
    elems_store(T, sum / (float)(ys.counted * xs.counted), out, i * LANES);
#endif
}

kernel void pool2d_grad(INPUT(T, dy), INPUT(WINNER, winners), OUTPUT(T, dx), pool_shape s)
{
    LOCATE(dy);
    LOCATE(winners);
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
            sum += select((lanes)(0.0f), d, winners_load(winners, at) == (lanes_int)(place_of(s, oh, ow, h, w)));
#else
            sum += d / (float)(span_of(s, 0, oh).counted * span_of(s, 1, ow).counted);
#endif
        }
    elems_store(T, sum, dx, i * LANES);
}

/* pool.c — maximum and average over windows of an image, and their gradients. */
#include "reference64.h"
#include "view.h"

/* One axis of a window: where it begins, in the padding or not, its input rows
 * [begin, end), and how many rows it counts for in an average. */
typedef struct span {
    int64_t first, begin, end, counted;
} span;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Window `o` of `outputs` over `extent` rows. Padding counts up to the padded
 * extent only, as in PyTorch, where rounding up may let a window stick out. */
static span window_of(const ursa_pool_geometry *g, int axis, int64_t o, int64_t outputs, int64_t extent)
{
    span s;
    if (g->adaptive) {
        s.first = s.begin = o * extent / outputs;
        s.end = ((o + 1) * extent + outputs - 1) / outputs;
        s.counted = s.end - s.begin;
        return s;
    }
    int64_t begin = o * g->stride[axis] - g->pad[axis];
    int64_t end = smaller(begin + g->window[axis], extent + g->pad[axis]);
    s.first = begin;
    s.begin = begin < 0 ? 0 : begin;
    s.end = smaller(end, extent);
    s.counted = g->count_pad ? end - begin : s.end - s.begin;
    return s;
}

static int64_t pixel(const ursa_array *image, int64_t n, int64_t h, int64_t w, int64_t c)
{
    return ((n * image->shape[1] + h) * image->shape[2] + w) * image->shape[3] + c;
}

/* As long as the rows in which winners are counted: the largest window's. */
static int64_t columns_at_most(const ursa_pool_geometry *g, int64_t outputs, int64_t extent)
{
    if (!g->adaptive)
        return g->window[1];
    return extent % outputs == 0 ? extent / outputs : extent / outputs + 2;
}

static double maximum(const ursa_array *x, span rows, span columns, int64_t across, int64_t n, int64_t c,
                      int64_t *winner)
{
    double best = -INFINITY;
    *winner = -1;
    for (int64_t h = rows.begin; h < rows.end; h++)
        for (int64_t w = columns.begin; w < columns.end; w++) {
            double value = get(x, pixel(x, n, h, w, c));
            if (*winner < 0 || value > best) {
                best = value;
                *winner = (h - rows.first) * across + w - columns.first;
            }
        }
    return best;
}

static double average(const ursa_array *x, span rows, span columns, int64_t n, int64_t c)
{
    double sum = 0;
    for (int64_t h = rows.begin; h < rows.end; h++)
        for (int64_t w = columns.begin; w < columns.end; w++)
            sum += get(x, pixel(x, n, h, w, c));
    return sum / (double)(rows.counted * columns.counted);
}

bool reference64_pool2d(ursa_device *device, const struct ursa_pool2d_args *args)
{
    (void)device;
    const ursa_array *x = &args->x, *out = &args->out;
    int64_t across = columns_at_most(&args->geometry, out->shape[2], x->shape[2]);
    for (int64_t n = 0; n < out->shape[0]; n++)
        for (int64_t oh = 0; oh < out->shape[1]; oh++)
            for (int64_t ow = 0; ow < out->shape[2]; ow++)
                for (int64_t c = 0; c < out->shape[3]; c++) {
                    span rows = window_of(&args->geometry, 0, oh, out->shape[1], x->shape[1]);
                    span columns = window_of(&args->geometry, 1, ow, out->shape[2], x->shape[2]);
                    int64_t to = pixel(out, n, oh, ow, c), winner;
                    if (args->kind == URSA_POOL_AVG) {
                        put(out, to, average(x, rows, columns, n, c));
                        continue;
                    }
                    put(out, to, maximum(x, rows, columns, across, n, c, &winner));
                    if (present(&args->winners))
                        put_integer(&args->winners, to, winner);
                }
    return true;
}

static void add(const ursa_array *array, int64_t i, double value)
{
    put(array, i, get(array, i) + value);
}

bool reference64_pool2d_grad(ursa_device *device, const struct ursa_pool2d_grad_args *args)
{
    (void)device;
    const ursa_array *dx = &args->dx, *dy = &args->dy;
    int64_t count = count_of(dx), width = dx->shape[2];
    int64_t across = columns_at_most(&args->geometry, dy->shape[2], width);
    for (int64_t i = 0; i < count; i++)
        put(dx, i, 0);
    for (int64_t n = 0; n < dy->shape[0]; n++)
        for (int64_t oh = 0; oh < dy->shape[1]; oh++)
            for (int64_t ow = 0; ow < dy->shape[2]; ow++)
                for (int64_t c = 0; c < dy->shape[3]; c++) {
                    int64_t from = pixel(dy, n, oh, ow, c);
                    span rows = window_of(&args->geometry, 0, oh, dy->shape[1], dx->shape[1]);
                    span columns = window_of(&args->geometry, 1, ow, dy->shape[2], width);
                    if (args->kind == URSA_POOL_MAX) {
                        int64_t place = get_integer(&args->winners, from);
                        int64_t h = rows.first + place / across, w = columns.first + place % across;
                        add(dx, pixel(dx, n, h, w, c), get(dy, from));
                        continue;
                    }
                    double share = get(dy, from) / (double)(rows.counted * columns.counted);
                    for (int64_t h = rows.begin; h < rows.end; h++)
                        for (int64_t w = columns.begin; w < columns.end; w++)
                            add(dx, pixel(dx, n, h, w, c), share);
                }
    return true;
}

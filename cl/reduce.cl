/* reduce.cl — reductions over any axes.
 *
 *     -DIN -DOUT      types of x and out
 *     -DCOMBINE=...   add, multiply, smallest or largest
 *     -DMAP=...       what is done to an element first: itself, absolute,
 *                     squared, or spread (its squared distance from `center`)
 *     -DFINISH=...    what is done to the result: itself, mean or root
 *
 * A line too long for one work item or group is cut into chunks, whose results
 * another reduction takes together. The order of additions depends only on the
 * shape and the size of the group.
 */
#include "common.cl"
#include "lines.cl"

typedef CALC(IN) calc;

#ifdef IN_IS_FLOAT
#define LEAST      -INFINITY
#define MOST       INFINITY
#define PLUS(x, y) ((x) + (y))
#define TIMES(x, y) ((x) * (y))
#define UNORDERED(x) isnan(x)
#define FINISH_mean(v) ((v) / divisor)
#define FINISH_root(v) sqrt(v)
#else
#define LEAST (sizeof(calc) == 8 ? (calc)LONG_MIN : (calc)INT_MIN)
#define MOST  (sizeof(calc) == 8 ? (calc)LONG_MAX : (calc)INT_MAX)
/* Signed integers wrap only by way of their unsigned twins. */
#define PLUS(x, y)  ((calc)((ulong)(x) + (ulong)(y)))
#define TIMES(x, y) ((calc)((ulong)(x) * (ulong)(y)))
#define UNORDERED(x) false
#endif

#define NEUTRAL_add      ((calc)0)
#define NEUTRAL_multiply ((calc)1)
#define NEUTRAL_smallest ((calc)MOST)
#define NEUTRAL_largest  ((calc)LEAST)
#define COMBINE_add(a, b)      PLUS(a, b)
#define COMBINE_multiply(a, b) TIMES(a, b)
#define COMBINE_smallest(a, b) ((b) < (a) || UNORDERED(b) ? (b) : (a))
#define COMBINE_largest(a, b)  ((b) > (a) || UNORDERED(b) ? (b) : (a))
#define MAP_itself(v)   (v)
#define MAP_absolute(v) fabs(v)
#define MAP_squared(v)  ((v) * (v))
#define MAP_spread(v)   (((v) - middle) * ((v) - middle))
#define FINISH_itself(v) (v)

/* center: [lines], f32, with MAP_spread only. out: [chunks, lines]. */
#define ARGUMENTS                                                                                                      \
    INPUT(IN, x), INPUT(f32, center), OUTPUT(OUT, out), lines_t l, int chunk, int chunks, float divisor

/* What a work item sums up: elements first, first + step, … below end. */
static inline calc reduce_part(global const ELEM(IN) * x, const lines_t *l, int first, int step, int end, float middle)
{
    calc sum = PASTE(NEUTRAL_, COMBINE);
    for (int i = first; i < end; i += step) {
        calc v = LOAD(IN, x, along_line(l, i));
        v = PASTE(MAP_, MAP)(v);
        sum = PASTE(COMBINE_, COMBINE)(sum, v);
    }
    return sum;
}

#ifdef BY_ITEM
/* A work item per line and chunk, for lines that lie side by side or are
 * short. */
kernel void reduce_items(ARGUMENTS)
{
    LOCATE(x);
    LOCATE(center);
    LOCATE(out);
    int line = get_global_id(0), part = get_global_id(1);
    if (line >= l.lines || part >= chunks)
        return;
    int first = part * chunk, end = min(first + chunk, l.extent);
    float middle = center ? center[line] : 0.0f;
    calc sum = reduce_part(x + line_start(&l, line), &l, first, 1, end, middle);
    STORE(OUT, out, part * l.lines + line, PASTE(FINISH_, FINISH)(sum));
}
#endif

#ifdef BY_GROUP
/* A work group per line and chunk, for long lines. */
kernel void reduce_groups(ARGUMENTS, local calc *sums)
{
    LOCATE(x);
    LOCATE(center);
    LOCATE(out);
    int line = get_group_id(0) / chunks, part = get_group_id(0) % chunks;
    int me = get_local_id(0), size = get_local_size(0);
    int first = part * chunk, end = min(first + chunk, l.extent);
    float middle = center ? center[line] : 0.0f;
    sums[me] = reduce_part(x + line_start(&l, line), &l, first + me, size, end, middle);
    for (int half_size = size / 2; half_size > 0; half_size /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (me < half_size)
            sums[me] = PASTE(COMBINE_, COMBINE)(sums[me], sums[me + half_size]);
    }
    if (me == 0)
        STORE(OUT, out, part * l.lines + line, PASTE(FINISH_, FINISH)(sums[0]));
}
#endif

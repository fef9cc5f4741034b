/* position.cl — the position of the first extreme of every line. -DT, and
 * -DLARGEST for the maximum. */
#include "common.cl"
#include "lines.cl"

typedef CALC(T) calc;

#ifdef T_IS_FLOAT
#define UNORDERED(x) isnan(x)
#else
#define UNORDERED(x) false
#endif

/* Whether x is a strictly better extreme than y; NaN is the best there is. */
static inline bool beats(calc x, calc y)
{
    if (UNORDERED(x) || UNORDERED(y))
        return UNORDERED(x) && !UNORDERED(y);
#ifdef LARGEST
    return x > y;
#else
    return x < y;
#endif
}

static inline int best_of(global const ELEM(T) * x, const lines_t *l, int first, int step)
{
    int best = first;
    calc value = LOAD(T, x, along_line(l, first));
    for (int i = first + step; i < l->extent; i += step) {
        calc v = LOAD(T, x, along_line(l, i));
        if (beats(v, value)) {
            best = i;
            value = v;
        }
    }
    return best;
}

#ifdef BY_ITEM
kernel void position_items(INPUT(T, x), OUTPUT(i64, out), lines_t l)
{
    LOCATE(x);
    LOCATE(out);
    int line = get_global_id(0);
    if (line < l.lines)
        out[line] = best_of(x + line_start(&l, line), &l, 0, 1);
}
#endif

#ifdef BY_GROUP
/* Work items beyond the end of a short line have no element: -1. */
kernel void position_groups(INPUT(T, x), OUTPUT(i64, out), lines_t l, local int *best)
{
    LOCATE(x);
    LOCATE(out);
    int line = get_group_id(0), me = get_local_id(0), size = get_local_size(0);
    x += line_start(&l, line);
    best[me] = me < l.extent ? best_of(x, &l, me, size) : -1;
    for (int half_size = size / 2; half_size > 0; half_size /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (me < half_size && best[me + half_size] >= 0) {
            int mine = best[me], other = best[me + half_size];
            calc a = LOAD(T, x, along_line(&l, mine)), b = LOAD(T, x, along_line(&l, other));
            if (beats(b, a) || (!beats(a, b) && other < mine))
                best[me] = other;
        }
    }
    if (me == 0)
        out[line] = best[0];
}
#endif

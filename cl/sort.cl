/* sort.cl — a stable sort of every line: positions are ranked within blocks,
 * and the blocks merged, each element finding its place by binary search. Only
 * positions move; keys are read where they are. -DT, -DDESCENDING. */
#include "common.cl"
#include "lines.cl"

typedef CALC(T) calc;

/* Whether x goes strictly before y. NaN is larger than everything. */
static inline bool before(calc x, calc y)
{
#ifdef DESCENDING
    calc swap = x;
    x = y;
    y = swap;
#endif
#ifdef T_IS_FLOAT
    if (isnan(x) || isnan(y))
        return !isnan(x);
#endif
    return x < y;
}

/* order: [lines, extent]; runs of `block` positions come out sorted. */
kernel void rank_blocks(INPUT(T, x), OUTPUT(i32, order), lines_t l, int block)
{
    LOCATE(x);
    LOCATE(order);
    int i = get_global_id(0), line = get_global_id(1);
    if (i >= l.extent || line >= l.lines)
        return;
    x += line_start(&l, line);
    int first = i / block * block, end = min(first + block, l.extent), rank = first;
    calc mine = LOAD(T, x, along_line(&l, i));
    for (int j = first; j < end; j++) {
        calc other = LOAD(T, x, along_line(&l, j));
        rank += j < i ? !before(mine, other) : before(other, mine);
    }
    order[(long)line * l.extent + rank] = i;
}

/* Runs of `width` positions become runs of twice that. An element of the left
 * run goes before its equals in the right. */
kernel void merge_runs(INPUT(T, x), INPUT(i32, order), OUTPUT(i32, merged), lines_t l, int width)
{
    LOCATE(x);
    LOCATE(order);
    LOCATE(merged);
    int i = get_global_id(0), line = get_global_id(1);
    if (i >= l.extent || line >= l.lines)
        return;
    x += line_start(&l, line);
    order += (long)line * l.extent;
    merged += (long)line * l.extent;
    int first = i / (2 * width) * (2 * width), middle = min(first + width, l.extent);
    bool left = i < middle;
    int position = order[i];
    calc mine = LOAD(T, x, along_line(&l, position));
    /* How many of the other run go before this element. */
    int low = left ? middle : first, high = left ? min(middle + width, l.extent) : middle, start = low;
    while (low < high) {
        int probe = low + (high - low) / 2;
        calc other = LOAD(T, x, along_line(&l, order[probe]));
        bool goes_before = left ? before(other, mine) : !before(mine, other);
        if (goes_before)
            low = probe + 1;
        else
            high = probe;
    }
    int own = left ? i - first : i - middle;
    merged[first + own + (low - start)] = position;
}

/* values and indices: [outer, k, inner], either may be absent. */
kernel void sorted(INPUT(T, x), INPUT(i32, order), OUTPUT(T, values), OUTPUT(i64, indices), lines_t l, int k, int inner)
{
    LOCATE(x);
    LOCATE(order);
    LOCATE(values);
    LOCATE(indices);
    int line = get_global_id(0), i = get_global_id(1);
    if (i >= k || line >= l.lines)
        return;
    int position = order[(long)line * l.extent + i];
    int to = (line / inner * k + i) * inner + line % inner;
    if (values)
        STORE(T, values, to, LOAD(T, x, line_start(&l, line) + along_line(&l, position)));
    if (indices)
        indices[to] = position;
}

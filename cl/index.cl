/* index.cl — gather and scatter_add around an axis: x is [outer, A, inner]. A
 * plain index is [I]; with -DINDEX_ALONG it is [outer, I, inner]. */
#include "common.cl"

#ifdef INDEX_ALONG
#define INDEX_AT(o, i, n) (((o) * picked + (i)) * inner + (n))
#else
#define INDEX_AT(o, i, n) (i)
#endif

/* -DMOVE: any type of the element's size. `limit` is A. */
#ifdef MOVE
kernel void gather(INPUT(MOVE, x), INPUT(i64, index), OUTPUT(MOVE, out), int count, int picked, int inner,
                   FAULT_ARGUMENTS)
{
    LOCATE(x);
    LOCATE(index);
    LOCATE(out);
    int at = get_global_id(0);
    if (at >= count)
        return;
    int n = at % inner, i = at / inner % picked, o = at / inner / picked;
    long from = index[INDEX_AT(o, i, n)];
    out[at] = in_range(from, FAULT_PASS) ? x[(o * limit + (int)from) * inner + n] : (ELEM(MOVE))0;
}
#endif

/* A work item owns the places of a column (o, n) whose number is `part` modulo
 * `parts`, and takes what comes to them in order: no two work items write one
 * place, and sums do not depend on who is first. */
#ifdef ADD /* the type of out; X is that of x */
#ifdef ADD_IS_FLOAT
#define PLUS(x, y) ((x) + (y))
#else
#define PLUS(x, y) ((ELEM(ADD))((ulong)(x) + (ulong)(y)))
#endif
kernel void scatter_add(INPUT(X, x), INPUT(i64, index), OUTPUT(ADD, out), int columns, int picked, int inner,
                        int parts, FAULT_ARGUMENTS)
{
    LOCATE(x);
    LOCATE(index);
    LOCATE(out);
    int column = get_global_id(0), part = get_global_id(1);
    if (column >= columns || part >= parts)
        return;
    int n = column % inner, o = column / inner;
    for (int i = 0; i < picked; i++) {
        long to = index[INDEX_AT(o, i, n)];
        if (!in_range(to, FAULT_PASS) || (int)to % parts != part)
            continue;
        int at = (o * limit + (int)to) * inner + n;
        out[at] = PLUS(out[at], LOAD(X, x, (o * picked + i) * inner + n));
    }
}
#endif

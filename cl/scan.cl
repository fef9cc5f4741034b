/* scan.cl — running sums along lines. out is contiguous: a line's elements are
 * `inner` apart. */
#include "common.cl"
#include "lines.cl"

typedef CALC(T) calc;

#ifdef T_IS_FLOAT
#define PLUS(x, y) ((x) + (y))
#else
#define PLUS(x, y) ((calc)((ulong)(x) + (ulong)(y)))
#endif

static inline int out_start(const lines_t *l, int line, int inner)
{
    return line / inner * inner * l->extent + line % inner;
}

#ifdef BY_ITEM
kernel void scan_items(INPUT(T, x), OUTPUT(T, out), lines_t l, int inner, int reverse)
{
    LOCATE(x);
    LOCATE(out);
    int line = get_global_id(0);
    if (line >= l.lines)
        return;
    x += line_start(&l, line);
    out += out_start(&l, line, inner);
    calc sum = 0;
    for (int step = 0; step < l.extent; step++) {
        int i = reverse ? l.extent - 1 - step : step;
        sum = PLUS(sum, LOAD(T, x, along_line(&l, i)));
        STORE(T, out, i * inner, sum);
    }
}
#endif

#ifdef BY_GROUP
/* A group takes a line a tile at a time: the tile is scanned by doubling
 * distances (Hillis and Steele, 1986), and its last sum carried on. */
kernel void scan_groups(INPUT(T, x), OUTPUT(T, out), lines_t l, int inner, int reverse, local calc *sums)
{
    LOCATE(x);
    LOCATE(out);
    int line = get_group_id(0), me = get_local_id(0), size = get_local_size(0);
    x += line_start(&l, line);
    out += out_start(&l, line, inner);
    calc carry = 0;
    for (int tile = 0; tile < l.extent; tile += size) {
        int step = tile + me, i = reverse ? l.extent - 1 - step : step;
        sums[me] = step < l.extent ? LOAD(T, x, along_line(&l, i)) : (calc)0;
        for (int distance = 1; distance < size; distance *= 2) {
            barrier(CLK_LOCAL_MEM_FENCE);
            calc before = me >= distance ? sums[me - distance] : (calc)0;
            barrier(CLK_LOCAL_MEM_FENCE);
            sums[me] = PLUS(before, sums[me]);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        if (step < l.extent)
            STORE(T, out, i * inner, PLUS(carry, sums[me]));
        carry = PLUS(carry, sums[size - 1]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}
#endif

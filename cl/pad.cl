/* pad.cl — borders. -DKIND=<0 constant, 1 reflect, 2 replicate> -DDIMS=<axes>. */
#include "common.cl"

#define CONSTANT  0
#define REFLECT   1
#define REPLICATE 2

/* Twin of struct borders in pad.c: the padded shape, and within it that of
 * what is padded. */
typedef struct {
    int count; /* elements to make */
    int outer[6], inner[6], stride[6], before[6];
} borders_t;

/* -DMOVE: any integer type of the element's size; `bits` is the constant. */
#ifdef MOVE
kernel void pad(INPUT(MOVE, x), OUTPUT(MOVE, out), borders_t b, long bits)
{
    LOCATE(x);
    LOCATE(out);
    int me = get_global_id(0);
    if (me >= b.count)
        return;
    int rest = me, at = 0;
    bool inside = true;
#pragma unroll
    for (int axis = DIMS - 1; axis >= 0; axis--) {
        int next = rest / b.outer[axis], extent = b.inner[axis];
        int p = rest - next * b.outer[axis] - b.before[axis];
        rest = next;
#if KIND == CONSTANT
        inside = inside && p >= 0 && p < extent;
#elif KIND == REFLECT
        p = p < 0 ? -p : p >= extent ? 2 * (extent - 1) - p : p;
#else
        p = clamp(p, 0, extent - 1);
#endif
        at += p * b.stride[axis];
    }
    out[me] = inside ? x[at] : (ELEM(MOVE))bits;
}
#endif

/* Every element of dx sums up where it is shown, axis by axis: a product of
 * ranges (replicate) or of up to three places (reflect), in a fixed order. */
#ifdef T
static inline int shown_count(const borders_t *b, int axis, int p)
{
    int before = b->before[axis], extent = b->inner[axis], after = b->outer[axis] - extent - before;
#if KIND == REPLICATE
    return 1 + (p == 0 ? before : 0) + (p == extent - 1 ? after : 0);
#else
    return 1 + (p >= 1 && p <= before) + (p <= extent - 2 && p >= extent - 1 - after);
#endif
}

/* The k-th place of p in the padded axis. */
static inline int shown_at(const borders_t *b, int axis, int p, int k)
{
    int before = b->before[axis], extent = b->inner[axis];
#if KIND == REPLICATE
    return (p == 0 ? 0 : before + p) + k;
#else
    if (k == 0)
        return before + p;
    if (k == 1 && p >= 1 && p <= before)
        return before - p;
    return before + 2 * (extent - 1) - p;
#endif
}

kernel void pad_grad(INPUT(T, dy), OUTPUT(T, dx), borders_t b)
{
    LOCATE(dy);
    LOCATE(dx);
    int me = get_global_id(0);
    if (me >= b.count)
        return;
    int place[DIMS], shown[DIMS], all = 1, rest = me;
    for (int axis = DIMS - 1; axis >= 0; axis--) {
        place[axis] = rest % b.inner[axis];
        rest /= b.inner[axis];
        shown[axis] = shown_count(&b, axis, place[axis]);
        all *= shown[axis];
    }
    float sum = 0.0f;
    for (int k = 0; k < all; k++) {
        int at = 0, choice = k;
        for (int axis = DIMS - 1; axis >= 0; axis--) {
            at += shown_at(&b, axis, place[axis], choice % shown[axis]) * b.stride[axis];
            choice /= shown[axis];
        }
        sum += LOAD(T, dy, at);
    }
    STORE(T, dx, me, sum);
}
#endif

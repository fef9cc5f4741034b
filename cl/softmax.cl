/* softmax.cl — softmax, log-softmax and their gradients along one axis of
 * contiguous arrays [outer, extent, inner]. -DT, -DLOG for the logarithm,
 * -DBY_ITEM or -DBY_GROUP, -DGRADIENT. */
#include "common.cl"

#ifdef BY_ITEM
/* A work item per line: neighbours read side by side where inner > 1. */
#define FIRST 0
#define STEP 1
#define SETUP                                                                                                          \
    int line = get_global_id(0);                                                                                       \
    if (line >= lines)                                                                                                 \
        return;                                                                                                        \
    int start = line / inner * inner * extent + line % inner;
#define LARGEST_OF_ALL(v) (v)
#define SUM_OF_ALL(v) (v)
#else
/* A work group per line; `shared` has a float for every work item. */
#define FIRST ((int)get_local_id(0))
#define STEP ((int)get_local_size(0))
#define SETUP                                                                                                          \
    int line = get_group_id(0);                                                                                        \
    int start = line / inner * inner * extent + line % inner;
#define LARGEST_OF_ALL(v) combined(v, true, shared)
#define SUM_OF_ALL(v) combined(v, false, shared)

static inline float combined(float v, bool largest, local float *shared)
{
    int me = get_local_id(0);
    barrier(CLK_LOCAL_MEM_FENCE);
    shared[me] = v;
    for (int half_size = get_local_size(0) / 2; half_size > 0; half_size /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (me < half_size)
            shared[me] = largest ? fmax(shared[me], shared[me + half_size]) : shared[me] + shared[me + half_size];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    return shared[0];
}
#endif

#define EACH for (int i = FIRST; i < extent; i += STEP)
#define AT (start + i * inner)

#ifndef GRADIENT
kernel void softmax(INPUT(T, x), OUTPUT(T, out), int lines, int extent, int inner, local float *shared)
{
    LOCATE(x);
    LOCATE(out);
    SETUP
    float largest = -INFINITY, sum = 0.0f;
    EACH largest = fmax(largest, LOAD(T, x, AT));
    largest = LARGEST_OF_ALL(largest);
    EACH sum += exp(LOAD(T, x, AT) - largest);
    sum = SUM_OF_ALL(sum);
#ifdef LOG
    float log_sum = log(sum);
    EACH STORE(T, out, AT, LOAD(T, x, AT) - largest - log_sum);
#else
    EACH STORE(T, out, AT, exp(LOAD(T, x, AT) - largest) / sum);
#endif
}
#else
kernel void softmax_grad(INPUT(T, y), INPUT(T, dy), OUTPUT(T, dx), int lines, int extent, int inner,
                         local float *shared)
{
    LOCATE(y);
    LOCATE(dy);
    LOCATE(dx);
    SETUP
    float sum = 0.0f;
#ifdef LOG
    EACH sum += LOAD(T, dy, AT);
    sum = SUM_OF_ALL(sum);
    EACH STORE(T, dx, AT, LOAD(T, dy, AT) - exp(LOAD(T, y, AT)) * sum);
#else
    EACH sum += LOAD(T, dy, AT) * LOAD(T, y, AT);
    sum = SUM_OF_ALL(sum);
    EACH STORE(T, dx, AT, LOAD(T, y, AT) * (LOAD(T, dy, AT) - sum));
#endif
}
#endif

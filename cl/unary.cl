/* unary.cl — functions of one element and their gradients. */
#include "common.cl"
#include "functions.cl"

#ifdef FUNCTION
kernel void unary(INPUT(T, x), OUTPUT(T, out), loop_t loop, float a, float b)
{
    LOCATE(x);
    LOCATE(out);
    int i = get_global_id(0);
    if (i < loop.count)
        STORE(T, out, LOOP_INDEX(loop, 1, i), FUNCTION(LOAD(T, x, LOOP_INDEX(loop, 0, i)), a, b));
}
#endif

/* `saved` is x or y, whichever the function's slope is made from; without
 * -DSAVED it is made from neither. */
#ifdef SLOPE
kernel void unary_grad(INPUT(T, saved), INPUT(T, dy), OUTPUT(T, dx), loop_t loop, float a, float b)
{
    LOCATE(saved);
    LOCATE(dy);
    LOCATE(dx);
    int i = get_global_id(0);
    if (i >= loop.count)
        return;
#ifdef SAVED
    float s = LOAD(T, saved, LOOP_INDEX(loop, 0, i));
#else
    float s = 0.0f;
#endif
    STORE(T, dx, LOOP_INDEX(loop, 2, i), SLOPE(s, s, a, b) * LOAD(T, dy, LOOP_INDEX(loop, 1, i)));
}
#endif

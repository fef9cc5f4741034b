/* peak.cl — as many multiply-adds as the device can do: eight chains of VECTOR
 * that do not wait for one another. */
#ifdef FP_FAST_FMAF
#define MULTIPLY_ADD fma
#else
#define MULTIPLY_ADD mad
#endif
#define EACH(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7)
#define BEGIN(i) VECTOR sum##i = (VECTOR)(start + i);
#define STEP(i) sum##i = MULTIPLY_ADD(sum##i, x, y);

kernel void peak(global float *out, long out_offset, int rounds, float start)
{
    VECTOR x = (VECTOR)(0.999f), y = (VECTOR)(1e-4f);
    EACH(BEGIN)
    for (int round = 0; round < rounds; round++) {
        EACH(STEP)
        EACH(STEP)
        EACH(STEP)
        EACH(STEP)
    }
    VECTOR total = sum0 + sum1 + sum2 + sum3 + sum4 + sum5 + sum6 + sum7;
    out[get_global_id(0)] = total.x + total.y + total.z + total.w;
}

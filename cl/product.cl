/* product.cl — what surrounds the products of gemm.cl, conv.cl and CLBlast:
 * weights brought into the order of the tiles, partial gradients added up, bias
 * and activation.
 */
#include "common.cl"

/* out[g, term, o] = w[g, o, term]: neighbours in the result are channels of
 * the output. */
kernel void weight_pack(INPUT(f32, w), OUTPUT(f32, out), int groups, int width, int terms)
{
    LOCATE(w);
    LOCATE(out);
    int i = (int)get_global_id(0);
    if (i >= groups * width * terms)
        return;
    int o = i % width, t = i / width % terms, g = i / width / terms;
    out[i] = w[(g * width + o) * terms + t];
}

/* out[i] = Σ parts[p, i], in the order of p. */
kernel void weight_sum(INPUT(f32, parts), OUTPUT(f32, out), int count, int n)
{
    LOCATE(parts);
    LOCATE(out);
    int i = (int)get_global_id(0);
    if (i >= n)
        return;
    float sum = 0.0f;
    for (int p = 0; p < count; p++)
        sum += parts[p * n + i];
    out[i] = sum;
}

#ifdef ACTIVATION
#include "functions.cl"

static inline float unary_none(float x, float a, float b)
{
    return x;
}

/* out = activation(out + bias). */
kernel void product_finish(INPUT(f32, bias), OUTPUT(f32, out), int n, int count, float a, float b)
{
    int i = (int)get_global_id(0);
    if (i >= count)
        return;
    LOCATE(bias);
    LOCATE(out);
    float v = out[i];
    if (bias)
        v += bias[i % n];
    out[i] = ACTIVATION(v, a, b);
}
#endif

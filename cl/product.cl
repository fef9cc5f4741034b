/* product.cl — what surrounds the products of gemm.cl, conv.cl, their twins and
 * CLBlast: factors brought into the order of the tiles, partial gradients added
 * up, bias and activation. Types are arguments: there is little arithmetic.
 */
#include "common.cl"
#include "factor.cl"

/* The twin of struct ursa_cl_pack in tile.h. Term k of a factor is tap (a, b) and channel d:
 * k = (a taps[1] + b) depth + d. Its element in column c of group g is at
 *   start + g group + a tap[0] + b tap[1] + d row + c column. */
typedef struct pack_shape {
    int groups, columns, taps[2], depth;
    int start, group, tap[2], row, column;
    int tile, terms; /* columns of a tile; terms with those of zeros */
    int run;         /* terms of a column that are neighbours */
    int type, factor;
} pack_shape;

/* out[g, tile, run, column of the tile, term of the run]: the right factor of a product as its
 * tiles read it, rounded as it will be multiplied; zeros fill the tiles. */
kernel void factor_pack(ARRAY(x), RESULT(out), pack_shape s, int out_type, int count)
{
    int i = (int)get_global_id(0);
    if (i >= count)
        return;
    int tiles = (s.columns + s.tile - 1) / s.tile;
    int runs = s.terms / s.run, term = i % s.run, rest = i / s.run, c = rest % s.tile;
    rest /= s.tile;
    int k = rest % runs * s.run + term;
    rest /= runs;
    int g = rest / tiles, column = rest % tiles * s.tile + c;
    int tap = k / s.depth, d = k - tap * s.depth, a = tap / s.taps[1], b = tap - a * s.taps[1];
    float value = 0.0f;
    if (column < s.columns && a < s.taps[0]) {
        int at = s.start + g * s.group + a * s.tap[0] + b * s.tap[1] + d * s.row + column * s.column;
        value = rounded(element_load(x, (int)x_offset + at, s.type), s.type, s.factor);
    }
    element_store(out, (int)out_offset + i, out_type, value);
}

/* out[i] = Σ parts[p, i], in the order of p. */
kernel void weight_sum(INPUT(f32, parts), RESULT(out), int out_type, int count, int n)
{
    LOCATE(parts);
    int i = (int)get_global_id(0);
    if (i >= n)
        return;
    float sum = 0.0f;
    for (int p = 0; p < count; p++)
        sum += parts[p * n + i];
    element_store(out, (int)out_offset + i, out_type, sum);
}

#ifdef ACTIVATION
#include "functions.cl"

static inline float unary_none(float x, float a, float b)
{
    return x;
}

/* out = activation(x + bias); x may be out. */
kernel void product_finish(INPUT(f32, x), INPUT(f32, bias), RESULT(out), int out_type, int n, int count, float a,
                           float b)
{
    int i = (int)get_global_id(0);
    if (i >= count)
        return;
    LOCATE(x);
    LOCATE(bias);
    float v = x[i];
    if (bias)
        v += bias[i % n];
    element_store(out, (int)out_offset + i, out_type, ACTIVATION(v, a, b));
}
#endif

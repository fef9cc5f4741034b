/* winograd.cl — convolution with windows of 3 × 3 and stride 1 by Winograd's method
 * (Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016):
 * a tile of 4 × 4 results takes 36 products for each channel instead of 144. Patches and
 * weights are transformed to 36 planes, planes are multiplied as
 * matrices, and the products are transformed back.
 *
 * The polynomials meet at 0, ±√½, ±√2 and ∞, whose sums lose fewer bits than
 * those at whole numbers.
 */
#include "common.cl"
#include "factor.cl"
#include "lanes.cl"

#define IN     6
#define OUT    4
#define PLANES 36

#define P  0.70710678118654752f
#define Q  1.41421356237309505f
#define P2 0.5f
#define Q2 2.0f
#define P3 0.35355339059327376f
#define Q3 2.82842712474619010f

/* The twin of struct winograd_shape in winograd.c. */
typedef struct winograd_shape {
    int images, source[2], depth; /* channels of the source */
    int out[2], width;            /* channels of the result */
    int start[2];                 /* the source pixel that the first tap of the first result meets */
    int tiles[2];                 /* of an image */
    int factor;
} winograd_shape;

/* y = Bᵀ x */
static inline void transform_input(const lanes *x, lanes *y)
{
    lanes even = x[4] - Q2 * x[2], odd = x[3] - Q2 * x[1];
    y[1] = even + P * odd;
    y[2] = even - P * odd;
    even = x[4] - P2 * x[2], odd = x[3] - P2 * x[1];
    y[3] = even + Q * odd;
    y[4] = even - Q * odd;
    y[0] = x[0] + x[4] - (P2 + Q2) * x[2];
    y[5] = x[1] + x[5] - (P2 + Q2) * x[3];
}

/* y = G x */
static inline void transform_weights(const float *x, float *y)
{
    const float p = 1.0f / (2.0f * P2 * (P2 - Q2)), q = 1.0f / (2.0f * Q2 * (Q2 - P2));
    float even = p * (x[0] + P2 * x[2]), odd = p * x[1];
    y[1] = even + P * odd;
    y[2] = even - P * odd;
    even = q * (x[0] + Q2 * x[2]), odd = q * x[1];
    y[3] = even + Q * odd;
    y[4] = even - Q * odd;
    y[0] = x[0];
    y[5] = x[2];
}

/* y = Aᵀ x */
static inline void transform_output(const lanes *x, lanes *y)
{
    lanes even_p = x[1] + x[2], odd_p = x[1] - x[2], even_q = x[3] + x[4], odd_q = x[3] - x[4];
    y[0] = x[0] + even_p + even_q;
    y[1] = P * odd_p + Q * odd_q;
    y[2] = P2 * even_p + Q2 * even_q;
    y[3] = P3 * odd_p + Q3 * odd_q + x[5];
}

static inline lanes read_lanes(global const void *p, int i, int type, int factor)
{
    float each[LANES];
#pragma unroll
    for (int l = 0; l < LANES; l++)
        each[l] = rounded(element_load(p, i + l, type), type, factor);
    return lanes_from(each);
}

/* out[plane, d, c] from the weight of tap (a, b), channel d, column c at
 * start + a tap[0] + b tap[1] + d row + c column. */
kernel void winograd_weights(ARRAY(w), OUTPUT(f32, out), winograd_shape s, int w_type, int start, int tap_0, int tap_1,
                             int row, int column)
{
    int i = (int)get_global_id(0), d = i / s.width, c = i - d * s.width;
    if (d >= s.depth)
        return;
    LOCATE(out);
    int at = (int)w_offset + start + d * row + c * column;
    float between[3][IN], each[IN];
    for (int b = 0; b < 3; b++) {
        float x[3];
        for (int a = 0; a < 3; a++)
            x[a] = rounded(element_load(w, at + a * tap_0 + b * tap_1, w_type), w_type, s.factor);
        transform_weights(x, between[b]);
    }
#pragma unroll
    for (int p = 0; p < IN; p++) {
        const float x[3] = {between[0][p], between[1][p], between[2][p]};
        transform_weights(x, each);
#pragma unroll
        for (int q = 0; q < IN; q++)
            out[((p * IN + q) * s.depth + d) * s.width + c] = each[q];
    }
}

/* out[plane, tile, d]; an item handles LANES channels of a tile. */
kernel void winograd_input(ARRAY(x), OUTPUT(f32, out), winograd_shape s, int type)
{
    int i = (int)get_global_id(0), vectors = s.depth / LANES, tile = i / vectors, d = (i - tile * vectors) * LANES;
    int per_image = s.tiles[0] * s.tiles[1], image = tile / per_image, rest = tile - image * per_image;
    if (image >= s.images)
        return;
    LOCATE(out);
    int y = rest / s.tiles[1] * OUT + s.start[0], x_ = rest % s.tiles[1] * OUT + s.start[1];
    lanes between[IN][IN], each[IN];
#pragma unroll
    for (int q = 0; q < IN; q++) {
        lanes column[IN];
#pragma unroll
        for (int p = 0; p < IN; p++) {
            bool inside = (uint)(y + p) < (uint)s.source[0] && (uint)(x_ + q) < (uint)s.source[1];
            int at = (int)x_offset + ((image * s.source[0] + y + p) * s.source[1] + x_ + q) * s.depth + d;
            column[p] = inside ? read_lanes(x, at, type, s.factor) : (lanes)(0.0f);
        }
        transform_input(column, between[q]);
    }
    int plane = s.images * per_image * s.depth;
    out += tile * s.depth + d;
#pragma unroll
    for (int p = 0; p < IN; p++) {
        lanes row[IN];
#pragma unroll
        for (int q = 0; q < IN; q++)
            row[q] = between[q][p];
        transform_input(row, each);
#pragma unroll
        for (int q = 0; q < IN; q++)
            *(global lanes *)(out + (p * IN + q) * plane) = each[q];
    }
}

/* The result from products[plane, tile, c], with bias and activation. */
kernel void winograd_output(INPUT(f32, products), INPUT(f32, bias), RESULT(out), winograd_shape s, int type, int relu)
{
    int i = (int)get_global_id(0), vectors = s.width / LANES, tile = i / vectors, c = (i - tile * vectors) * LANES;
    int per_image = s.tiles[0] * s.tiles[1], image = tile / per_image, rest = tile - image * per_image;
    if (image >= s.images)
        return;
    LOCATE(products);
    LOCATE(bias);
    int plane = s.images * per_image * s.width;
    products += tile * s.width + c;
    lanes between[IN][OUT];
#pragma unroll
    for (int q = 0; q < IN; q++) {
        lanes column[IN];
#pragma unroll
        for (int p = 0; p < IN; p++)
            column[p] = *(global const lanes *)(products + (p * IN + q) * plane);
        transform_output(column, between[q]);
    }
    int y = rest / s.tiles[1] * OUT, x = rest % s.tiles[1] * OUT;
    lanes b = bias ? lanes_from(bias + c) : (lanes)(0.0f);
#pragma unroll
    for (int p = 0; p < OUT; p++) {
        lanes row[IN], each[OUT];
#pragma unroll
        for (int q = 0; q < IN; q++)
            row[q] = between[q][p];
        transform_output(row, each);
#pragma unroll
        for (int q = 0; q < OUT; q++) {
            if (y + p >= s.out[0] || x + q >= s.out[1])
                continue;
            lanes v = each[q] + b;
            if (relu)
                v = select(v, (lanes)(0.0f), v < 0.0f); /* stays not a number */
            int at = (int)out_offset + ((image * s.out[0] + y + p) * s.out[1] + x + q) * s.width + c;
            float single[LANES];
            lanes_to(v, single);
#pragma unroll
            for (int l = 0; l < LANES; l++)
                element_store(out, at + l, type, single[l]);
        }
    }
}

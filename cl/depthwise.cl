/* depthwise.cl — convolution with one channel per group, where there is no
 * product to speak of: every work item handles LANES channels of PIXELS
 * neighbouring pixels, which share the weights. Those are packed as [tap, channel].
 */
#include "common.cl"
#include "factor.cl"
#include "lanes.cl"

#define PIXELS 4

/* The twin of struct depthwise_shape in depthwise.c; channels in vectors. */
typedef struct depthwise_shape {
    int images, in[2], out[2], vectors;
    int taps[2], stride[2], pad[2], dilation[2];
    int type, w_type, out_type, factor; /* of the array that is read, …, and what both are rounded to */
} depthwise_shape;

static inline lanes typed_load(global const void *p, int i, int type, int factor)
{
    if (type == TYPE_F32 && factor == TYPE_F32)
        return *(global const lanes *)((global const float *)p + i); /* LANES divides i */
    float each[LANES];
    for (int l = 0; l < LANES; l++)
        each[l] = rounded(element_load(p, i + l, type), type, factor);
    return lanes_from(each);
}

static inline void typed_store(lanes v, global void *p, int i, int type)
{
    if (type == TYPE_F32) {
        *(global lanes *)((global float *)p + i) = v;
        return;
    }
    float each[LANES];
    lanes_to(v, each);
    for (int l = 0; l < LANES; l++)
        element_store(p, i + l, type, each[l]);
}

/* Which pixels and channels an item handles. */
typedef struct strip {
    int image, row, column, c;
} strip;

static inline strip strip_of(depthwise_shape s, int rows, int columns)
{
    int i = (int)get_global_id(0), strips = (columns + PIXELS - 1) / PIXELS;
    int at = i / s.vectors, line = at / strips;
    return (strip){line / rows, line % rows, (at - line * strips) * PIXELS, (i - at * s.vectors) * LANES};
}

kernel void depthwise(ARRAY(x), INPUT(f32, w), INPUT(f32, bias), RESULT(out), depthwise_shape s, int relu)
{
    LOCATE(w);
    LOCATE(bias);
    strip here = strip_of(s, s.out[0], s.out[1]);
    if (here.image >= s.images)
        return;
    int channels = s.vectors * LANES;
    lanes sum[PIXELS];
#pragma unroll
    for (int i = 0; i < PIXELS; i++)
        sum[i] = bias ? lanes_load(bias + here.c) : (lanes)(0.0f);
    for (int p = 0; p < s.taps[0]; p++) {
        int y = here.row * s.stride[0] - s.pad[0] + p * s.dilation[0];
        if ((uint)y >= (uint)s.in[0])
            continue;
        int line = (int)x_offset + (here.image * s.in[0] + y) * s.in[1] * channels + here.c;
        for (int q = 0; q < s.taps[1]; q++) {
            lanes weight = lanes_load(w + (p * s.taps[1] + q) * channels + here.c);
#pragma unroll
            for (int i = 0; i < PIXELS; i++) {
                int z = (here.column + i) * s.stride[1] - s.pad[1] + q * s.dilation[1];
                if ((uint)z < (uint)s.in[1])
                    sum[i] += typed_load(x, line + z * channels, s.type, s.factor) * weight;
            }
        }
    }
    int to = (int)out_offset + ((here.image * s.out[0] + here.row) * s.out[1] + here.column) * channels + here.c;
#pragma unroll
    for (int i = 0; i < PIXELS; i++) {
        lanes v = sum[i];
        if (here.column + i >= s.out[1])
            continue;
        if (relu)
            v = select(v, (lanes)(0.0f), v < 0.0f); /* stays not a number */
        typed_store(v, out, to + i * channels, s.out_type);
    }
}

kernel void depthwise_grad_input(ARRAY(dy), INPUT(f32, w), RESULT(dx), depthwise_shape s)
{
    LOCATE(w);
    strip here = strip_of(s, s.in[0], s.in[1]);
    if (here.image >= s.images)
        return;
    int channels = s.vectors * LANES;
    lanes sum[PIXELS];
#pragma unroll
    for (int i = 0; i < PIXELS; i++)
        sum[i] = (lanes)(0.0f);
    for (int p = 0; p < s.taps[0]; p++) {
        int y = here.row + s.pad[0] - p * s.dilation[0], oy = y / s.stride[0];
        if (y < 0 || oy * s.stride[0] != y || oy >= s.out[0])
            continue;
        int line = (int)dy_offset + (here.image * s.out[0] + oy) * s.out[1] * channels + here.c;
        for (int q = 0; q < s.taps[1]; q++) {
            lanes weight = lanes_load(w + (p * s.taps[1] + q) * channels + here.c);
#pragma unroll
            for (int i = 0; i < PIXELS; i++) {
                int z = here.column + i + s.pad[1] - q * s.dilation[1], oz = z / s.stride[1];
                if (z >= 0 && oz * s.stride[1] == z && oz < s.out[1])
                    sum[i] += typed_load(dy, line + oz * channels, s.type, s.factor) * weight;
            }
        }
    }
    int to = (int)dx_offset + ((here.image * s.in[0] + here.row) * s.in[1] + here.column) * channels + here.c;
#pragma unroll
    for (int i = 0; i < PIXELS; i++)
        if (here.column + i < s.in[1])
            typed_store(sum[i], dx, to + i * channels, s.out_type);
}

/* parts[chunk, c, tap] = Σ dy x over one chunk of the pixels of the output. */
kernel void depthwise_grad_weight(ARRAY(x), ARRAY(dy), OUTPUT(f32, parts), depthwise_shape s, int chunk, int chunks)
{
    LOCATE(parts);
    int i = (int)get_global_id(0), taps = s.taps[0] * s.taps[1], channels = s.vectors * LANES;
    int c = i % s.vectors * LANES, tap = i / s.vectors % taps, part = i / s.vectors / taps;
    if (part >= chunks)
        return;
    int p = tap / s.taps[1], q = tap - p * s.taps[1];
    int end = min((part + 1) * chunk, s.images * s.out[0] * s.out[1]), pixel = part * chunk;
    int row = pixel / s.out[1], column = pixel - row * s.out[1], image = row / s.out[0];
    row -= image * s.out[0];
    lanes sum = (lanes)(0.0f);
    for (; pixel < end; pixel++) {
        int y = row * s.stride[0] - s.pad[0] + p * s.dilation[0];
        int z = column * s.stride[1] - s.pad[1] + q * s.dilation[1];
        if ((uint)y < (uint)s.in[0] && (uint)z < (uint)s.in[1])
            sum += typed_load(dy, (int)dy_offset + pixel * channels + c, s.w_type, s.factor) *
                   typed_load(x, (int)x_offset + ((image * s.in[0] + y) * s.in[1] + z) * channels + c, s.type, s.factor);
        if (++column == s.out[1]) {
            column = 0;
            if (++row == s.out[0])
                row = 0, image++;
        }
    }
    float each[LANES];
    lanes_to(sum, each);
    for (int l = 0; l < LANES; l++)
        parts[(part * channels + c + l) * taps + tap] = each[l];
}

/* depthwise.cl — convolution with one channel per group, where there is no
 * product to speak of: every work item handles LANES channels of a pixel.
 * Weights are packed as [tap, channel].
 */
#include "common.cl"
#include "lanes.cl"

/* The twin of struct depthwise_shape in depthwise.c; channels in vectors. */
typedef struct depthwise_shape {
    int images, in[2], out[2], vectors;
    int taps[2], stride[2], pad[2], dilation[2];
} depthwise_shape;

kernel void depthwise(INPUT(f32, x), INPUT(f32, w), INPUT(f32, bias), OUTPUT(f32, out), depthwise_shape s)
{
    LOCATE(x);
    LOCATE(w);
    LOCATE(bias);
    LOCATE(out);
    int i = (int)get_global_id(0), pixel = i / s.vectors, c = (i - pixel * s.vectors) * LANES;
    int row = pixel / s.out[1], column = pixel - row * s.out[1], image = row / s.out[0];
    if (image >= s.images)
        return;
    row -= image * s.out[0];
    int channels = s.vectors * LANES;
    lanes sum = (lanes)(0.0f);
    for (int p = 0; p < s.taps[0]; p++) {
        int y = row * s.stride[0] - s.pad[0] + p * s.dilation[0];
        if ((uint)y >= (uint)s.in[0])
            continue;
        for (int q = 0; q < s.taps[1]; q++) {
            int z = column * s.stride[1] - s.pad[1] + q * s.dilation[1];
            if ((uint)z < (uint)s.in[1])
                sum += lanes_load(x + ((image * s.in[0] + y) * s.in[1] + z) * channels + c) *
                       lanes_load(w + (p * s.taps[1] + q) * channels + c);
        }
    }
    lanes_finish(sum, out + i * LANES, bias ? bias + c : bias, LANES);
}

kernel void depthwise_grad_input(INPUT(f32, dy), INPUT(f32, w), OUTPUT(f32, dx), depthwise_shape s)
{
    LOCATE(dy);
    LOCATE(w);
    LOCATE(dx);
    int i = (int)get_global_id(0), pixel = i / s.vectors, c = (i - pixel * s.vectors) * LANES;
    int row = pixel / s.in[1], column = pixel - row * s.in[1], image = row / s.in[0];
    if (image >= s.images)
        return;
    row -= image * s.in[0];
    int channels = s.vectors * LANES;
    lanes sum = (lanes)(0.0f);
    for (int p = 0; p < s.taps[0]; p++) {
        int y = row + s.pad[0] - p * s.dilation[0], oy = y / s.stride[0];
        if (y < 0 || oy * s.stride[0] != y || oy >= s.out[0])
            continue;
        for (int q = 0; q < s.taps[1]; q++) {
            int z = column + s.pad[1] - q * s.dilation[1], oz = z / s.stride[1];
            if (z >= 0 && oz * s.stride[1] == z && oz < s.out[1])
                sum += lanes_load(dy + ((image * s.out[0] + oy) * s.out[1] + oz) * channels + c) *
                       lanes_load(w + (p * s.taps[1] + q) * channels + c);
        }
    }
    lanes_store(sum, dx + i * LANES);
}

/* parts[chunk, c, tap] = Σ dy x over one chunk of the pixels of the output. */
kernel void depthwise_grad_weight(INPUT(f32, x), INPUT(f32, dy), OUTPUT(f32, parts), depthwise_shape s, int chunk,
                                  int chunks)
{
    LOCATE(x);
    LOCATE(dy);
    LOCATE(parts);
    int i = (int)get_global_id(0), taps = s.taps[0] * s.taps[1], channels = s.vectors * LANES;
    int c = i % s.vectors * LANES, tap = i / s.vectors % taps, part = i / s.vectors / taps;
    if (part >= chunks)
        return;
    int p = tap / s.taps[1], q = tap - p * s.taps[1];
    int end = min((part + 1) * chunk, s.images * s.out[0] * s.out[1]);
    lanes sum = (lanes)(0.0f);
    for (int pixel = part * chunk; pixel < end; pixel++) {
        int row = pixel / s.out[1], image = row / s.out[0];
        int y = (row - image * s.out[0]) * s.stride[0] - s.pad[0] + p * s.dilation[0];
        int z = (pixel - row * s.out[1]) * s.stride[1] - s.pad[1] + q * s.dilation[1];
        if ((uint)y < (uint)s.in[0] && (uint)z < (uint)s.in[1])
            sum += lanes_load(dy + pixel * channels + c) *
                   lanes_load(x + ((image * s.in[0] + y) * s.in[1] + z) * channels + c);
    }
    float each[LANES];
    lanes_store(sum, each);
    for (int l = 0; l < LANES; l++)
        parts[(part * channels + c + l) * taps + tap] = each[l];
}

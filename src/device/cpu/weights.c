/* weights.c — the weights of a convolution as floats, for the methods that take
 * no other: where the images are of a half type, rounded to it.
 */
#include "device/cpu/window.h"
#include "base/parallel.h"
#include "simd/convert.h"

#define GRAIN 16384
#define STEP  1024 /* elements that are rounded at a time */

struct rounding {
    ursa_convert_kernel *narrow, *widen; /* narrow is NULL where they are halves already */
    const char *w;
    int64_t size; /* bytes of an element */
    float *to;
};

static void round_range(void *context, int64_t begin, int64_t end)
{
    const struct rounding *r = context;
    uint16_t halves[STEP];
    for (int64_t i = begin; i < end; i += STEP) {
        int64_t count = end - i < STEP ? end - i : STEP;
        if (r->narrow)
            r->narrow(count, r->w + i * r->size, halves);
        r->widen(count, r->narrow ? (const void *)halves : r->w + i * r->size, r->to + i);
    }
}

const float *ursa_conv_weights(const struct ursa_conv_shape *s, const void *w, ursa_dtype images)
{
    ursa_dtype half = ursa_is_half(s->w_type) ? s->w_type : images;
    if (!ursa_is_half(half))
        return w;
    const struct ursa_simd_convert *convert = ursa_cpu_simd()->convert;
    int64_t count = s->out_channels * s->kernel[0] * s->kernel[1] * s->group_in;
    struct rounding rounding = {
        .narrow = ursa_is_half(s->w_type) ? NULL : convert->kernel[URSA_F32][half],
        .widen = convert->kernel[half][URSA_F32],
        .w = w,
        .size = (int64_t)ursa_dtype_size(s->w_type),
        .to = ursa_scratch(URSA_SLOT_WEIGHTS, (size_t)count * sizeof(float)),
    };
    return rounding.to && ursa_parallel_range(count, GRAIN, round_range, &rounding) ? rounding.to : NULL;
}

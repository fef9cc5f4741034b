/* folded.c — in inference, a convolution and the batch norm behind it as one convolution.
 *
 * (w x + b - mean) inv_std scale + shift is a convolution with other weights.
 * They are computed when first needed, kept, and computed again when anything
 * they were made of has changed.
 */
#include "folded.h"
#include "base/memory.h"
#include "device/backend.h"
#include "tensor/tensor.h"

#include <stdlib.h>

enum { SOURCES = 6 };

struct folded_conv {
    ursa_tensor *weight, *bias;
    const ursa_buffer *buffer[SOURCES]; /* what they were made of, */
    uint64_t version[SOURCES];          /* and how often it had changed then */
};

void ursa_folded_free(struct folded_conv *folded)
{
    if (!folded)
        return;
    ursa_free(folded->weight);
    ursa_free(folded->bias);
    free(folded);
}

static bool is_current(const struct folded_conv *folded, ursa_tensor *const sources[SOURCES])
{
    for (int i = 0; i < SOURCES; i++) {
        const ursa_buffer *buffer = sources[i] ? sources[i]->array.buffer : NULL;
        if (folded->buffer[i] != buffer || (buffer && folded->version[i] != buffer->version))
            return false;
    }
    return folded->weight && folded->bias;
}

static ursa_tensor *or_number(ursa_tensor *tensor, ursa_tensor *like, double number)
{
    return tensor ? tensor : ursa_scalar_like(like, number);
}

static bool fold(struct folded_conv *folded, const struct conv_parts *conv, const struct norm_parts *norm)
{
    ursa_scope *scope = ursa_scope_begin();
    ursa_tensor *var = norm->running_var, *scale = or_number(norm->scale, var, 1);
    ursa_tensor *factor = ursa_mul(ursa_rsqrt(ursa_add_scalar(var, norm->eps)), scale);
    ursa_tensor *moved = ursa_sub(or_number(conv->options->bias, var, 0), norm->running_mean);
    ursa_free(folded->weight);
    ursa_free(folded->bias);
    folded->weight = ursa_keep(ursa_mul(conv->weight, ursa_reshape(factor, ursa_shape(ursa_count(var), 1, 1, 1))));
    folded->bias = ursa_keep(ursa_add(ursa_mul(moved, factor), or_number(norm->shift, var, 0)));
    ursa_scope_end(scope);
    return folded->weight && folded->bias;
}

static void note_sources(struct folded_conv *folded, ursa_tensor *const sources[SOURCES])
{
    for (int i = 0; i < SOURCES; i++) {
        folded->buffer[i] = sources[i] ? sources[i]->array.buffer : NULL;
        folded->version[i] = sources[i] ? sources[i]->array.buffer->version : 0;
    }
}

static bool all_f32(ursa_tensor *const sources[SOURCES])
{
    for (int i = 0; i < SOURCES; i++)
        if (sources[i] && sources[i]->array.dtype != URSA_F32)
            return false;
    return true;
}

bool ursa_folds(const struct conv_parts *conv, const struct norm_parts *norm, ursa_tensor *x)
{
    ursa_tensor *sources[SOURCES] = {conv->weight, conv->options->bias, norm->scale,
                                     norm->shift,  norm->running_mean,  norm->running_var};
    return ursa_dtype_is_float(x->array.dtype) && all_f32(sources) && !ursa_will_record(SOURCES, sources) &&
           !ursa_will_record(1, &x) && ursa_count(norm->running_var) == ursa_dim(conv->weight, 0);
}

ursa_tensor *ursa_forward_folded(struct folded_conv **kept, const struct conv_parts *conv,
                                 const struct norm_parts *norm, ursa_tensor *x, ursa_activation_fn *activation)
{
    ursa_tensor *sources[SOURCES] = {conv->weight, conv->options->bias, norm->scale,
                                     norm->shift,  norm->running_mean,  norm->running_var};
    if (!*kept)
        *kept = ursa_alloc(sizeof **kept);
    if (!*kept || (!is_current(*kept, sources) && !fold(*kept, conv, norm)))
        return NULL;
    note_sources(*kept, sources);
    ursa_conv_options options = *conv->options;
    options.bias = (*kept)->bias;
    options.activation = activation;
    return ursa_conv2d_opt(x, (*kept)->weight, &options);
}

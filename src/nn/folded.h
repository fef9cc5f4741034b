/* folded.h — convolutions with their batch norm folded into the weights. */
#ifndef URSA_NN_FOLDED_H
#define URSA_NN_FOLDED_H

#include "module.h"

struct conv_parts {
    ursa_tensor *weight;
    const ursa_conv_options *options; /* with the bias */
};

struct norm_parts {
    ursa_tensor *scale, *shift, *running_mean, *running_var; /* the first two may be NULL */
    double eps;
};

struct folded_conv;
void ursa_folded_free(struct folded_conv *folded); /* takes NULL */

/* Whether both are f32 on one device, and no gradient will be asked for. */
bool ursa_folds(const struct conv_parts *conv, const struct norm_parts *norm, ursa_tensor *x);
/* activation(norm(conv(x))), by weights that are kept in *kept. */
ursa_tensor *ursa_forward_folded(struct folded_conv **kept, const struct conv_parts *conv,
                                 const struct norm_parts *norm, ursa_tensor *x, ursa_activation_fn *activation);

#endif

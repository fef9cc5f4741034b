/* nets.h — what the makers of networks share. */
#ifndef URSA_VISION_NETS_H
#define URSA_VISION_NETS_H

#include <ursa/vision.h>

/* Adds a child under a name with a number in it: "features.%d". False, with the
 * child freed, when it cannot. */
bool ursa_net_add(ursa_module *network, const char *format, int number, ursa_module *child);

/* Weights of all convolutions and linear layers anew, and their biases zero. */
bool ursa_net_start(ursa_module *network, ursa_init how);

/* The layer with weights of mean 0 and this deviation, and a bias of zero. Frees
 * it and returns NULL when it cannot. */
ursa_module *ursa_net_normal(ursa_module *layer, double std);

/* Overwrites a parameter with a number. */
bool ursa_net_fill(ursa_module *module, const char *name, double value);

/* max(0, min(x, 6)). */
ursa_module *ursa_net_relu6(void);

/* ResNet-18 with `width` channels in its stem and first stage, where the paper has 64. */
ursa_module *ursa_net_resnet18(int width, int channels, int classes);

/* The name that a parameter has in old files of torchvision's; NULL when it is no
 * other: "denselayer1.norm.1.weight" was "…norm1.weight" later. */
const char *ursa_net_old_name(const char *name, char *text, size_t size);

/* `network` where `whole`, else NULL, and it is freed. */
ursa_module *ursa_net_checked(ursa_module *network, bool whole);

#endif

/* recipe.h — how the network of a learner was made, for those who write it down. */
#ifndef URSA_VISION_RECIPE_H
#define URSA_VISION_RECIPE_H

#include <ursa/vision.h>

typedef struct ursa_vision_recipe {
    const ursa_arch *arch;
    int channels, outputs;
    ursa_head_options head;
} ursa_vision_recipe;

/* Of a learner of ursa_vision_learner(); NULL, without an error, for others. */
const ursa_vision_recipe *ursa_vision_recipe_of(const ursa_learner *learner);
/* Remembers how a learner's network was made. */
bool ursa_vision_remember(ursa_learner *learner, const ursa_vision_recipe *recipe);
/* The network of a recipe, with random weights or a file's. */
ursa_module *ursa_vision_build(const ursa_vision_recipe *recipe, const ursa_checkpoint *pretrained);

#endif

/* recipe.c — how the network of a learner was made, kept with the learner. */
#include "recipe.h"
#include "base/memory.h"
#include "learner/attachment.h"

#include <stdlib.h>

static const char key[] = "vision";

const ursa_vision_recipe *ursa_vision_recipe_of(const ursa_learner *learner)
{
    return ursa_learner_attached(learner, key);
}

bool ursa_vision_remember(ursa_learner *learner, const ursa_vision_recipe *recipe)
{
    ursa_vision_recipe *kept = learner ? ursa_alloc(sizeof *kept) : NULL;
    if (!kept)
        return false;
    *kept = *recipe;
    return ursa_learner_attach(learner, key, kept, free);
}

ursa_module *ursa_vision_build(const ursa_vision_recipe *recipe, const ursa_checkpoint *pretrained)
{
    return ursa_vision_model(recipe->arch, recipe->channels, recipe->outputs, .pretrained = pretrained,
                             .head = recipe->head);
}

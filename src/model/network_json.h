/* network_json.h — how a network was made, in model files. */
#ifndef URSA_MODEL_NETWORK_JSON_H
#define URSA_MODEL_NETWORK_JSON_H

#include "json.h"
#include "vision/recipe.h"

cJSON *ursa_network_to_json(const ursa_vision_recipe *recipe);
/* `room` is how many numbers the file's tensors have: a network that cannot fit
 * them is refused before memory is asked for. */
bool ursa_network_from_json(const cJSON *json, int64_t room, ursa_vision_recipe *recipe);

#endif

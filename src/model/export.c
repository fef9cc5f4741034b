/* export.c — writing model files. */
#include "format.h"
#include "network_json.h"

static cJSON *loss_to_json(const ursa_loss *loss)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "name", loss->class->name);
    cJSON_AddNumberToObject(json, "thresh", loss->thresh);
    return json;
}

/* What prediction needs beside the weights, as text to cJSON_free(). */
static char *contents(const ursa_learner *learner, const ursa_vision_recipe *recipe, const ursa_datablock *block)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "ursa", ursa_version());
    cJSON_AddItemToObject(json, "network", ursa_network_to_json(recipe));
    cJSON_AddItemToObject(json, "data", ursa_datablock_to_json(ursa_datablock_options_of(block)));
    cJSON_AddItemToObject(json, "loss", loss_to_json(ursa_learner_loss(learner)));
    cJSON_AddStringToObject(json, "precision", ursa_dtype_name(ursa_learner_precision(learner)));
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    if (!text)
        ursa_fail(URSA_ERROR_MEMORY, "export: out of memory");
    return text;
}

bool ursa_export(ursa_learner *learner, const char *path)
{
    if (!learner)
        return false;
    const ursa_vision_recipe *recipe = ursa_vision_recipe_of(learner);
    const ursa_datablock *block = ursa_learner_data(learner)->block;
    if (!recipe)
        return ursa_fail(URSA_ERROR_ARGUMENT,
                         "export: the network is not of ursa_vision_learner(): nothing could build "
                         "it again; ursa_save_parameters() saves its weights");
    if (!block)
        return ursa_fail(URSA_ERROR_ARGUMENT, "export: the data have no data block: a loaded model could not read "
                                              "its inputs; ursa_save_parameters() saves the weights");
    char *text = contents(learner, recipe, block);
    ursa_metadata metadata[] = {
        {URSA_MODEL_FORMAT_KEY, URSA_MODEL_FORMAT},
        {URSA_MODEL_VERSION_KEY, URSA_MODEL_VERSION},
        {URSA_MODEL_CONTENTS_KEY, text},
    };
    bool saved =
        text && ursa_save_parameters(ursa_learner_model(learner), path, metadata, sizeof metadata / sizeof *metadata);
    cJSON_free(text);
    return saved;
}

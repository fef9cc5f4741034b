/* load.c — reading model files: everything is built by name, nothing is run. */
#include "format.h"
#include "network_json.h"
#include "base/error.h"
#include "learner/attachment.h"

#include <string.h>

/* What a file says the model is. */
struct parts {
    ursa_vision_recipe recipe;
    ursa_datablock *block;
    ursa_loss loss;
    ursa_dtype precision;
};

static const char *field(const ursa_safetensors *file, const char *key)
{
    const char *value = ursa_safetensors_metadata(file, key);
    if (!value)
        ursa_fail(URSA_ERROR_FORMAT, "not a model of ursa: its metadata has no \"%s\"", key);
    return value;
}

static bool is_ours(const ursa_safetensors *file)
{
    const char *format = field(file, URSA_MODEL_FORMAT_KEY),
               *version = format ? field(file, URSA_MODEL_VERSION_KEY) : NULL;
    if (!version)
        return false;
    return (strcmp(format, URSA_MODEL_FORMAT) == 0 && strcmp(version, URSA_MODEL_VERSION) == 0) ||
           ursa_fail(URSA_ERROR_FORMAT, "format \"%.40s\" version \"%.40s\"; expected \"%s\" version \"%s\"", format,
                     version, URSA_MODEL_FORMAT, URSA_MODEL_VERSION);
}

/* How many numbers the file's tensors have. */
static int64_t room(const ursa_safetensors *file)
{
    int64_t bytes = 0;
    for (int i = 0; i < ursa_safetensors_count(file); i++)
        bytes += (int64_t)ursa_safetensors_at(file, i)->bytes;
    return bytes / (int64_t)sizeof(float);
}

static bool loss_from_json(const cJSON *json, ursa_loss *loss)
{
    double thresh;
    const char *name = json ? ursa_json_text(json, "name") : NULL;
    return name && ursa_json_number(json, "thresh", -1e9, 1e9, &thresh) && ursa_loss_by_name(name, thresh, loss);
}

/* What the network was trained in; files of before there was a choice do not say. */
static bool precision_from_json(const cJSON *json, ursa_dtype *precision)
{
    *precision = URSA_F32;
    if (!cJSON_GetObjectItemCaseSensitive(json, "precision"))
        return true;
    const char *name = ursa_json_text(json, "precision");
    for (ursa_dtype dtype = URSA_F32; name && dtype <= URSA_BF16; dtype++)
        if (strcmp(name, ursa_dtype_name(dtype)) == 0) {
            *precision = dtype;
            return true;
        }
    return name && ursa_fail(URSA_ERROR_FORMAT, "\"precision\" is \"%.40s\"; expected f32, f16 or bf16", name);
}

static bool read_contents(const cJSON *json, int64_t numbers, struct parts *parts)
{
    const cJSON *network = ursa_json_object(json, "network"), *data = ursa_json_object(json, "data");
    return network && data && ursa_network_from_json(network, numbers, &parts->recipe) &&
           loss_from_json(ursa_json_object(json, "loss"), &parts->loss) &&
           precision_from_json(json, &parts->precision) && (parts->block = ursa_datablock_from_json(data));
}

static bool read_parts(const ursa_safetensors *file, struct parts *parts)
{
    const char *text = is_ours(file) ? field(file, URSA_MODEL_CONTENTS_KEY) : NULL;
    if (!text)
        return false;
    cJSON *json = cJSON_Parse(text);
    bool read = cJSON_IsObject(json)
                    ? read_contents(json, room(file), parts)
                    : ursa_fail(URSA_ERROR_FORMAT, "\"%s\" is no JSON object", URSA_MODEL_CONTENTS_KEY);
    cJSON_Delete(json);
    return read;
}

static void free_loaders(void *loaders)
{
    ursa_dataloaders_free(loaders);
}

static bool set_precision(ursa_learner *learner, ursa_dtype precision)
{
    return precision == URSA_F16    ? ursa_to_fp16(learner)
           : precision == URSA_BF16 ? ursa_to_bf16(learner)
                                    : ursa_to_fp32(learner);
}

static ursa_learner *assemble(const ursa_safetensors *file, const struct parts *parts)
{
    ursa_dataloaders *data = ursa_dataloaders_without_data(parts->block);
    ursa_module *network = data ? ursa_vision_build(&parts->recipe, NULL) : NULL;
    if (!network || !ursa_load_parameters(network, file)) {
        ursa_module_free(network);
        ursa_dataloaders_free(data);
        return NULL;
    }
    ursa_train_mode(network, false);
    ursa_learner *learner = ursa_learner_new(data, network, .loss = parts->loss);
    if (!learner)
        ursa_dataloaders_free(data);
    else if (ursa_learner_attach(learner, "data", data, free_loaders) &&
             ursa_vision_remember(learner, &parts->recipe) && set_precision(learner, parts->precision))
        return learner;
    ursa_learner_free(learner);
    return NULL;
}

ursa_learner *ursa_load_learner(const char *path)
{
    ursa_safetensors *file = ursa_safetensors_open(path);
    if (!file)
        return NULL;
    struct parts parts = {0};
    ursa_context_push("%s", path);
    ursa_learner *learner = read_parts(file, &parts) ? assemble(file, &parts) : NULL;
    ursa_context_pop();
    ursa_datablock_free(parts.block);
    ursa_safetensors_close(file);
    return learner;
}

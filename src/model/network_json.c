/* network_json.c — how a network was made, in model files: the architecture by
 * its name, and the head. */
#include "network_json.h"

#include <string.h>

enum { HIDDEN = sizeof((ursa_head_options){0}).hidden / sizeof(int) };
static const char application[] = "vision";

static cJSON *head_to_json(const ursa_head_options *head)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "dropout", head->dropout);
    cJSON_AddItemToObject(json, "hidden", cJSON_CreateIntArray(head->hidden, HIDDEN));
    cJSON_AddBoolToObject(json, "no_concat_pool", head->no_concat_pool);
    cJSON_AddBoolToObject(json, "no_first_norm", head->no_first_norm);
    cJSON_AddBoolToObject(json, "final_norm", head->final_norm);
    cJSON_AddItemToObject(json, "y_range", cJSON_CreateDoubleArray(head->y_range, 2));
    return json;
}

cJSON *ursa_network_to_json(const ursa_vision_recipe *recipe)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "application", application);
    cJSON_AddStringToObject(json, "arch", recipe->arch->name);
    cJSON_AddNumberToObject(json, "channels", recipe->channels);
    cJSON_AddNumberToObject(json, "outputs", recipe->outputs);
    cJSON_AddItemToObject(json, "head", head_to_json(&recipe->head));
    return json;
}

/* A list of `count` numbers between two bounds. */
static bool list_from_json(const cJSON *json, const char *key, int count, double low, double high, double *out)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, key);
    bool fits = cJSON_IsArray(list) && cJSON_GetArraySize(list) == count;
    for (const cJSON *item = fits ? list->child : NULL; fits && item; item = item->next) {
        fits = cJSON_IsNumber(item) && item->valuedouble >= low && item->valuedouble <= high;
        *out++ = item->valuedouble;
    }
    return fits || ursa_fail(URSA_ERROR_FORMAT, "\"%s\" is no list of %d numbers from %g to %g", key, count, low, high);
}

static bool head_from_json(const cJSON *json, int64_t room, ursa_head_options *head)
{
    double hidden[HIDDEN];
    if (!json || !ursa_json_number(json, "dropout", -1, 0.999, &head->dropout) ||
        !list_from_json(json, "hidden", HIDDEN, -1, (double)room, hidden) ||
        !ursa_json_flag(json, "no_concat_pool", &head->no_concat_pool) ||
        !ursa_json_flag(json, "no_first_norm", &head->no_first_norm) ||
        !ursa_json_flag(json, "final_norm", &head->final_norm) ||
        !list_from_json(json, "y_range", 2, -1e9, 1e9, head->y_range))
        return false;
    for (int i = 0; i < HIDDEN; i++)
        head->hidden[i] = (int)hidden[i];
    return true;
}

/* Whether the head's weights can be among so many numbers. */
static bool fits(const ursa_vision_recipe *recipe, int64_t room)
{
    const int *hidden = recipe->head.hidden;
    int64_t in = recipe->arch->features;
    for (int i = 0; i <= HIDDEN && in > 0; i++) {
        bool last = i == HIDDEN || hidden[i] <= 0;
        int64_t out = last ? recipe->outputs : hidden[i];
        if (out > room / in)
            return ursa_fail(URSA_ERROR_FORMAT,
                             "a network with layers of %lld and %lld outputs is larger than the file", (long long)in,
                             (long long)out);
        in = last ? 0 : out;
    }
    return true;
}

bool ursa_network_from_json(const cJSON *json, int64_t room, ursa_vision_recipe *recipe)
{
    const char *found = ursa_json_text(json, "application"), *arch = found ? ursa_json_text(json, "arch") : NULL;
    if (!arch)
        return false;
    if (strcmp(found, application) != 0)
        return ursa_fail(URSA_ERROR_FORMAT, "\"application\" is \"%.40s\"; expected \"%s\"", found, application);
    int most = room < INT32_MAX ? (int)room : INT32_MAX;
    return (recipe->arch = ursa_arch_find(arch)) && ursa_json_whole(json, "channels", 1, 4, &recipe->channels) &&
           ursa_json_whole(json, "outputs", 1, most, &recipe->outputs) &&
           head_from_json(ursa_json_object(json, "head"), most, &recipe->head) && fits(recipe, room);
}

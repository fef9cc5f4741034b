/* data_json.c — data blocks in model files: what inputs and targets are, and
 * what is done to them, by name. */
#include "json.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_CLASSES = 1 << 20 };
/* No argument of a transform is larger; what each allows it checks itself. */
static const double largest_argument = 1e6;

/* ---- blocks ----------------------------------------------------------------------- */

static const ursa_block_class *const block_classes[] = {
    &ursa_image_block_class,          &ursa_mask_block_class,       &ursa_category_block_class,
    &ursa_multi_category_block_class, &ursa_regression_block_class, &ursa_point_block_class,
};
enum { BLOCK_CLASSES = sizeof block_classes / sizeof *block_classes };

static const ursa_block_class *find_block_class(const char *name)
{
    for (int i = 0; name && i < BLOCK_CLASSES; i++)
        if (strcmp(block_classes[i]->name, name) == 0)
            return block_classes[i];
    if (name)
        ursa_fail(URSA_ERROR_FORMAT, "there is no block \"%.40s\"", name);
    return NULL;
}

static cJSON *block_to_json(const ursa_block *block)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "name", block->class->name);
    cJSON_AddNumberToObject(json, "channels", block->channels);
    cJSON_AddNumberToObject(json, "count", block->count);
    if (block->vocab)
        cJSON_AddItemToObject(json, "vocab", cJSON_CreateStringArray(block->vocab, ursa_vocab_count(block->vocab)));
    return json;
}

/* NULL, and no error, where the block has none. The texts stay those of `json`;
 * the array is to free(). */
static bool vocab_from_json(const cJSON *json, const char ***vocab)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "vocab");
    *vocab = NULL;
    if (!list)
        return true;
    int count = cJSON_GetArraySize(list);
    if (!cJSON_IsArray(list) || count < 1 || count > MOST_CLASSES)
        return ursa_fail(URSA_ERROR_FORMAT, "\"vocab\" is no list of names");
    const char **names = ursa_alloc_array((size_t)count + 1, sizeof *names);
    *vocab = names;
    for (const cJSON *name = names ? list->child : NULL; name; name = name->next) {
        if (!cJSON_IsString(name))
            return ursa_fail(URSA_ERROR_FORMAT, "\"vocab\" is no list of names");
        *names++ = name->valuestring;
    }
    return *vocab;
}

/* block->vocab is to free(). */
static bool block_from_json(const cJSON *json, ursa_block *block)
{
    const char **vocab;
    block->class = find_block_class(ursa_json_text(json, "name"));
    bool whole = block->class && ursa_json_whole(json, "channels", 0, 4, &block->channels) &&
                 ursa_json_whole(json, "count", 0, MOST_CLASSES, &block->count) && vocab_from_json(json, &vocab);
    if (whole)
        block->vocab = vocab;
    return whole;
}

/* ---- transforms ---------------------------------------------------------------------- */

static cJSON *transform_to_json(const ursa_transform *transform)
{
    cJSON *json = cJSON_CreateObject(), *arguments = cJSON_AddObjectToObject(json, "arguments");
    cJSON_AddStringToObject(json, "name", transform->class->name);
    for (int i = 0; transform->class->arguments && transform->class->arguments[i]; i++)
        cJSON_AddNumberToObject(arguments, transform->class->arguments[i], transform->argument[i]);
    return json;
}

static cJSON *transforms_to_json(const ursa_transform *list)
{
    cJSON *json = cJSON_CreateArray();
    for (int i = 0; i < URSA_TRANSFORMS && list[i].class; i++)
        cJSON_AddItemToArray(json, transform_to_json(&list[i]));
    return json;
}

static const ursa_transform_class *find_transform_class(const char *name)
{
    int count;
    const ursa_transform_class *const *classes = ursa_vision_transform_classes(&count);
    for (int i = 0; name && i < count; i++)
        if (strcmp(classes[i]->name, name) == 0)
            return classes[i];
    if (name)
        ursa_fail(URSA_ERROR_FORMAT, "there is no transform \"%.40s\"", name);
    return NULL;
}

static bool transform_from_json(const cJSON *json, ursa_transform *transform)
{
    transform->class = find_transform_class(ursa_json_text(json, "name"));
    const cJSON *arguments = transform->class ? ursa_json_object(json, "arguments") : NULL;
    if (!arguments)
        return false;
    for (int i = 0; transform->class->arguments && transform->class->arguments[i]; i++)
        if (!ursa_json_number(arguments, transform->class->arguments[i], -largest_argument, largest_argument,
                              &transform->argument[i]))
            return false;
    return true;
}

static bool transforms_from_json(const cJSON *json, const char *key, ursa_transform *list)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(json, key);
    if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) > URSA_TRANSFORMS)
        return ursa_fail(URSA_ERROR_FORMAT, "\"%s\" is no list of up to %d transforms", key, URSA_TRANSFORMS);
    for (const cJSON *item = array->child; item; item = item->next)
        if (!transform_from_json(item, list++))
            return false;
    return true;
}

/* ---- the whole --------------------------------------------------------------------------- */

cJSON *ursa_datablock_to_json(const ursa_datablock_options *options)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "x", block_to_json(&options->blocks[0]));
    cJSON_AddItemToObject(json, "y", block_to_json(&options->blocks[1]));
    cJSON_AddItemToObject(json, "item_tfms", transforms_to_json(options->item_tfms));
    cJSON_AddItemToObject(json, "batch_tfms", transforms_to_json(options->batch_tfms));
    return json;
}

ursa_datablock *ursa_datablock_from_json(const cJSON *json)
{
    ursa_datablock_options options = {.get_y = ursa_item_label};
    const cJSON *x = ursa_json_object(json, "x"), *y = ursa_json_object(json, "y");
    bool whole = x && y && block_from_json(x, &options.blocks[0]) && block_from_json(y, &options.blocks[1]) &&
                 transforms_from_json(json, "item_tfms", options.item_tfms) &&
                 transforms_from_json(json, "batch_tfms", options.batch_tfms);
    ursa_datablock *block = whole ? ursa_datablock_new_opt(&options) : NULL;
    free((void *)options.blocks[0].vocab);
    free((void *)options.blocks[1].vocab);
    return block;
}

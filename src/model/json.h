/* json.h — reading JSON that nobody vouches for. */
#ifndef URSA_MODEL_JSON_H
#define URSA_MODEL_JSON_H

#include <ursa/datablock.h>
#include <ursa/model.h>
#include <cjson/cJSON.h>

/* Members of an object; an error that names the key when it is missing, of
 * another type or out of range. */
const cJSON *ursa_json_object(const cJSON *object, const char *key);
const char *ursa_json_text(const cJSON *object, const char *key);
bool ursa_json_number(const cJSON *object, const char *key, double low, double high, double *out);
bool ursa_json_whole(const cJSON *object, const char *key, int low, int high, int *out);
bool ursa_json_flag(const cJSON *object, const char *key, bool *out);

/* A data block: its blocks and transforms; where items come from is left out. */
cJSON *ursa_datablock_to_json(const ursa_datablock_options *options);
ursa_datablock *ursa_datablock_from_json(const cJSON *json);

#endif

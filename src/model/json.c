/* json.c — members of JSON objects, with errors that say what was expected. */
#include "json.h"

#include <math.h>

static const cJSON *member(const cJSON *object, const char *key)
{
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(object, key);
    if (!found)
        ursa_fail(URSA_ERROR_FORMAT, "\"%s\" is missing", key);
    return found;
}

const cJSON *ursa_json_object(const cJSON *object, const char *key)
{
    const cJSON *found = member(object, key);
    if (!found || cJSON_IsObject(found))
        return found;
    ursa_fail(URSA_ERROR_FORMAT, "\"%s\" is no object", key);
    return NULL;
}

const char *ursa_json_text(const cJSON *object, const char *key)
{
    const cJSON *found = member(object, key);
    if (found && !cJSON_IsString(found))
        ursa_fail(URSA_ERROR_FORMAT, "\"%s\" is no text", key);
    return cJSON_GetStringValue(found);
}

bool ursa_json_number(const cJSON *object, const char *key, double low, double high, double *out)
{
    const cJSON *found = member(object, key);
    if (!found)
        return false;
    double value = cJSON_IsNumber(found) ? found->valuedouble : NAN;
    if (!(value >= low && value <= high))
        return ursa_fail(URSA_ERROR_FORMAT, "\"%s\" is no number from %g to %g", key, low, high);
    *out = value;
    return true;
}

bool ursa_json_whole(const cJSON *object, const char *key, int low, int high, int *out)
{
    double value = 0;
    if (!ursa_json_number(object, key, low, high, &value))
        return false;
    *out = (int)value;
    return *out == value || ursa_fail(URSA_ERROR_FORMAT, "\"%s\" is %g; expected a whole number", key, value);
}

bool ursa_json_flag(const cJSON *object, const char *key, bool *out)
{
    const cJSON *found = member(object, key);
    if (!found)
        return false;
    *out = cJSON_IsTrue(found);
    return cJSON_IsBool(found) || ursa_fail(URSA_ERROR_FORMAT, "\"%s\" is neither true nor false", key);
}

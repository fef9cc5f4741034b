/* kaggle_table.c — lists in Kaggle's answers as frames. */
#include "kaggle.h"
#include "base/memory.h"
#include "io/files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const cJSON *ursa_kaggle_list(const cJSON *answer, const char *key)
{
    if (cJSON_IsArray(answer))
        return answer;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(answer, key);
    if (cJSON_IsArray(list))
        return list;
    ursa_fail(URSA_ERROR_FORMAT, "kaggle: the server's answer has no list \"%s\"", key);
    return NULL;
}

static const cJSON *value_of(const cJSON *item, const ursa_kaggle_field *field)
{
    for (size_t i = 0; i < sizeof field->keys / sizeof *field->keys && field->keys[i]; i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, field->keys[i]);
        if (value && !cJSON_IsNull(value))
            return value;
    }
    return NULL;
}

/* To free(); NULL, without an error, where there is no value that can be shown. */
static char *text_of(const cJSON *value, bool size)
{
    char text[URSA_SIZE_TEXT];
    if (cJSON_IsString(value))
        return ursa_copy_string(value->valuestring);
    if (cJSON_IsBool(value))
        return ursa_copy_string(cJSON_IsTrue(value) ? "True" : "False");
    if (!cJSON_IsNumber(value) || !isfinite(value->valuedouble))
        return NULL;
    if (size && value->valuedouble >= 0 && value->valuedouble < 0x1p62)
        return ursa_copy_string(ursa_size_text((int64_t)value->valuedouble, text));
    return ursa_format("%.15g", value->valuedouble);
}

static void free_texts(char **texts, int64_t count)
{
    for (int64_t i = 0; texts && i < count; i++)
        free(texts[i]);
    free(texts);
}

static bool fill_texts(const cJSON *list, const ursa_kaggle_field *field, char **texts)
{
    for (const cJSON *item = list->child; item; item = item->next) {
        if (!cJSON_IsObject(item))
            continue;
        *texts++ = text_of(value_of(item, field), field->size);
        if (ursa_error())
            return false;
    }
    return true;
}

static int64_t count_objects(const cJSON *list)
{
    int64_t count = 0;
    for (const cJSON *item = list->child; item; item = item->next)
        count += cJSON_IsObject(item);
    return count;
}

ursa_frame *ursa_kaggle_table(const cJSON *list, const ursa_kaggle_field *fields, int count)
{
    if (!list)
        return NULL;
    int64_t rows = count_objects(list);
    ursa_column_values *columns = ursa_alloc_array((size_t)count, sizeof *columns);
    bool filled = columns;
    for (int c = 0; filled && c < count; c++) {
        char **texts = ursa_alloc_array((size_t)rows + 1, sizeof *texts);
        columns[c] = (ursa_column_values){fields[c].column, .texts = (const char *const *)texts};
        filled = texts && fill_texts(list, &fields[c], texts);
    }
    ursa_frame *frame = filled ? ursa_frame_of(rows, columns, count) : NULL;
    for (int c = 0; columns && c < count; c++)
        free_texts((char **)columns[c].texts, rows);
    free(columns);
    return frame;
}

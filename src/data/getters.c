/* getters.c — finding the input and the target of an item. */
#include "datablock.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- texts ---------------------------------------------------------------------- */

static bool add_between(const ursa_getter *getter, const char *text, size_t length, ursa_found *found)
{
    char *full = ursa_format("%s%.*s%s", getter->prefix ? getter->prefix : "", (int)length, text,
                             getter->suffix ? getter->suffix : "");
    bool added = full && ursa_found_add_text(found, full);
    free(full);
    return added;
}

bool ursa_getter_add(const ursa_getter *getter, const char *text, size_t length, ursa_found *found)
{
    size_t step = getter->delim ? strlen(getter->delim) : 0;
    const char *end = text + length;
    if (step == 0)
        return add_between(getter, text, length, found);
    while (text < end) {
        const char *delim = memmem(text, (size_t)(end - text), getter->delim, step);
        const char *stop = delim ? delim : end;
        if (stop > text && !add_between(getter, text, (size_t)(stop - text), found))
            return false;
        text = stop + step;
    }
    return true;
}

/* ---- items ---------------------------------------------------------------------- */

bool ursa_get_item_itself(const ursa_getter *getter, const ursa_data_item *item, ursa_found *found)
{
    (void)getter;
    if (item->value) {
        found->value = item->value;
        return true;
    }
    if (item->path)
        return ursa_found_add_text(found, item->path);
    return ursa_fail(URSA_ERROR_ARGUMENT, "datablock: get_x is needed: the items are rows of a frame");
}

bool ursa_get_item_label(const ursa_getter *getter, const ursa_data_item *item, ursa_found *found)
{
    if (!item->label)
        return ursa_fail(URSA_ERROR_ARGUMENT, "item_label: the source gives no label");
    return ursa_getter_add(getter, item->label, strlen(item->label), found);
}

bool ursa_get_by_label_function(const ursa_getter *getter, const ursa_data_item *item, ursa_found *found)
{
    return getter->function(getter->context, item, found);
}

bool ursa_get_name_label(const ursa_getter *getter, const ursa_data_item *item, ursa_found *found)
{
    if (!item->path)
        return ursa_fail(URSA_ERROR_ARGUMENT, "name_label: the item has no path");
    const char *slash = strrchr(item->path, '/');
    const char *name = getter->whole_path || !slash ? item->path : slash + 1;
    const char *label = getter->of_name(getter->context, name);
    return label ? ursa_getter_add(getter, label, strlen(label), found)
                 : ursa_fail(URSA_ERROR_ARGUMENT, "name_label: the function gives no label for \"%s\"", name);
}

/* ---- folders ---------------------------------------------------------------------- */

bool ursa_get_parent_label(const ursa_getter *getter, const ursa_data_item *item, ursa_found *found)
{
    const char *slash = item->path ? strrchr(item->path, '/') : NULL;
    const char *start = slash;
    while (start && start > item->path && start[-1] != '/')
        start--;
    if (!slash || start == slash)
        return ursa_fail(URSA_ERROR_ARGUMENT, "parent_label: it is in no folder");
    return ursa_getter_add(getter, start, (size_t)(slash - start), found);
}

/* ---- columns ------------------------------------------------------------------------- */

static bool add_cell(const ursa_getter *getter, const ursa_data_item *item, const char *column, ursa_found *found)
{
    int index = ursa_frame_column_index(item->frame, column);
    if (index < 0)
        return false;
    const char *text = ursa_frame_text(item->frame, item->row, index);
    bool splits = getter->delim && *getter->delim;
    if (!text)
        return splits || ursa_fail(URSA_ERROR_FORMAT, "column \"%s\": the cell is missing", column);
    return ursa_getter_add(getter, text, strlen(text), found);
}

bool ursa_get_column(const ursa_getter *getter, const ursa_data_item *item, ursa_found *found)
{
    if (!getter->columns || !getter->columns[0])
        return ursa_fail(URSA_ERROR_ARGUMENT, "column: no column is named");
    if (!item->frame)
        return ursa_fail(URSA_ERROR_ARGUMENT, "column \"%s\": items are files, not rows of a frame",
                         getter->columns[0]);
    for (int i = 0; getter->columns[i]; i++)
        if (!add_cell(getter, item, getter->columns[i], found))
            return false;
    return true;
}

/* found.c — what getters found. */
#include "datablock.h"
#include "base/memory.h"

#include <stdlib.h>

bool ursa_found_add_text(ursa_found *found, const char *text)
{
    char **grown = ursa_grow(found->texts, (size_t)(found->text_count + 1) * sizeof *grown);
    char *copy = text ? ursa_copy_string(text) : NULL;
    if (grown)
        found->texts = grown;
    if (!grown || !copy) {
        free(copy);
        return text ? false : ursa_fail(URSA_ERROR_ARGUMENT, "found_add_text: the text is NULL");
    }
    found->texts[found->text_count++] = copy;
    return true;
}

bool ursa_found_add_number(ursa_found *found, double number)
{
    double *grown = ursa_grow(found->numbers, (size_t)(found->number_count + 1) * sizeof *grown);
    if (!grown)
        return false;
    found->numbers = grown;
    found->numbers[found->number_count++] = number;
    return true;
}

void ursa_found_clear(ursa_found *found)
{
    for (int i = 0; i < found->text_count; i++)
        free(found->texts[i]);
    free(found->texts);
    free(found->numbers);
    *found = (ursa_found){0};
}

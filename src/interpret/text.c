/* text.c — texts that grow. */
#include "text.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void ursa_text_add(struct ursa_text *text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    size_t needed = text->length + (length > 0 ? (size_t)length : 0) + 1;
    if (needed > text->room) {
        char *grown = ursa_grow(text->data, 2 * needed);
        text->lost = text->lost || !grown;
        text->data = grown ? grown : text->data;
        text->room = grown ? 2 * needed : text->room;
    }
    if (length > 0 && needed <= text->room)
        text->length += (size_t)vsnprintf(text->data + text->length, text->room - text->length, format, again);
    va_end(again);
    va_end(arguments);
}

char *ursa_text_take(struct ursa_text *text)
{
    if (text->lost || !text->data) {
        free(text->data);
        return text->lost ? NULL : ursa_copy_string("");
    }
    return text->data;
}

int ursa_text_columns(const char *text)
{
    int columns = 0;
    for (; *text; text++)
        columns += ((unsigned char)*text & 0xC0) != 0x80;
    return columns;
}

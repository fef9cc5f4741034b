/* text.h — texts that grow. */
#ifndef URSA_INTERPRET_TEXT_H
#define URSA_INTERPRET_TEXT_H

#include <ursa/base.h>

/* Zeroed, it is empty. */
struct ursa_text {
    char *data;
    size_t length, room;
    bool lost; /* memory ran out; an error is latched */
};

void ursa_text_add(struct ursa_text *text, const char *format, ...) URSA_PRINTF(2, 3);
/* The text, which is the caller's to free; NULL after an error. */
char *ursa_text_take(struct ursa_text *text);

/* How many characters a UTF-8 text has. */
int ursa_text_columns(const char *text);

#endif

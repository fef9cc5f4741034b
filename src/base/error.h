/* error.h — latching errors, from inside the library. */
#ifndef URSA_BASE_ERROR_H
#define URSA_BASE_ERROR_H

#include <ursa/base.h>
#include <stdarg.h>

bool ursa_failv(ursa_error_kind kind, const char *format, va_list arguments);

/* Puts "<context>: " in front of every error latched on this thread until the
 * matching pop: "data/bears/a.png: not an image". They nest; the text is
 * copied. */
void ursa_context_push(const char *format, ...) URSA_PRINTF(1, 2);
void ursa_context_pop(void);

/* Moves a latched error from one thread to another. `take` clears it and gives
 * the caller the message to free (NULL when there was none). */
char *ursa_error_take(ursa_error_kind *kind);

/* Registers what ursa_finish() must free, last registered first. */
void ursa_at_finish(void (*run)(void));

#endif

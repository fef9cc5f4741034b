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
 * the caller the message to free (NULL when there was none, and also when the
 * memory for its text ran out: `kind` is then URSA_ERROR_MEMORY). */
char *ursa_error_take(ursa_error_kind *kind);

/* Latches an error that was taken, in the contexts of this thread; frees
 * `message`. */
void ursa_error_give(ursa_error_kind kind, char *message);

/* The error and the contexts of a thread. A thread that runs somebody else's
 * work sets its own aside meanwhile, so that neither mixes with the other. */
typedef struct ursa_error_state {
    ursa_error_kind kind;
    char *message;
    char **contexts;
    int context_count, context_capacity;
    int lost_contexts; /* pushed when memory had run out */
} ursa_error_state;
void ursa_error_set_aside(ursa_error_state *saved);
void ursa_error_restore(const ursa_error_state *saved); /* drops what came between */

/* Registers what ursa_finish() must free, last registered first. It runs once;
 * what is set up again after ursa_finish() is registered again. */
void ursa_at_finish(void (*run)(void));

#endif

/* error.c — the error that a thread has latched, and the contexts it is in. */
#include "error.h"
#include "thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char no_memory_for_text[] = "out of memory, even for the text of the error";

static _Thread_local ursa_error_state state;
static _Thread_local bool clean_registered;

const char *ursa_error(void)
{
    if (state.kind == URSA_ERROR_NONE)
        return NULL;
    return state.message ? state.message : no_memory_for_text;
}

ursa_error_kind ursa_error_kind_of(void)
{
    return state.kind;
}

void ursa_clear_error(void)
{
    free(state.message);
    state.message = NULL;
    state.kind = URSA_ERROR_NONE;
}

static void clean_state(void)
{
    ursa_clear_error();
    while (state.context_count > 0)
        ursa_context_pop();
    free(state.contexts);
    state = (ursa_error_state){0};
    clean_registered = false;
}

static void register_clean(void)
{
    if (clean_registered)
        return;
    clean_registered = true;
    ursa_at_thread_exit(clean_state);
}

/* "<context>: <context>: <text>", on one line; NULL when memory runs out. */
static char *in_context(const char *text)
{
    size_t length = strlen(text) + 1;
    for (int i = 0; i < state.context_count; i++)
        length += state.contexts[i] ? strlen(state.contexts[i]) + 2 : 0;
    char *message = malloc(length), *end = message;
    if (!message)
        return NULL;
    for (int i = 0; i < state.context_count; i++) {
        if (!state.contexts[i])
            continue;
        end = stpcpy(end, state.contexts[i]);
        end = stpcpy(end, ": ");
    }
    strcpy(end, text);
    for (char *c = message; *c; c++) {
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    }
    return message;
}

static void latch(ursa_error_kind kind, const char *text)
{
    register_clean();
    state.message = text ? in_context(text) : NULL;
    state.kind = state.message ? kind : URSA_ERROR_MEMORY;
}

bool ursa_failv(ursa_error_kind kind, const char *format, va_list arguments)
{
    if (state.kind != URSA_ERROR_NONE || kind == URSA_ERROR_NONE)
        return false;
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    latch(kind, text);
    free(text);
    return false;
}

bool ursa_fail(ursa_error_kind kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    ursa_failv(kind, format, arguments);
    va_end(arguments);
    return false;
}

static bool grow_contexts(void)
{
    if (state.context_count < state.context_capacity)
        return true;
    int capacity = state.context_capacity ? 2 * state.context_capacity : 8;
    char **grown = realloc(state.contexts, (size_t)capacity * sizeof *grown);
    if (!grown)
        return false;
    state.contexts = grown;
    state.context_capacity = capacity;
    return true;
}

/* Without memory a context is lost, but never the balance of push and pop. */
void ursa_context_push(const char *format, ...)
{
    register_clean();
    if (state.lost_contexts > 0 || !grow_contexts()) {
        state.lost_contexts++;
        return;
    }
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    state.contexts[state.context_count++] = text;
}

void ursa_context_pop(void)
{
    if (state.lost_contexts > 0)
        state.lost_contexts--;
    else if (state.context_count > 0)
        free(state.contexts[--state.context_count]);
}

char *ursa_error_take(ursa_error_kind *kind)
{
    char *message = state.message;
    *kind = state.kind;
    state.message = NULL;
    state.kind = URSA_ERROR_NONE;
    return message;
}

void ursa_error_give(ursa_error_kind kind, char *message)
{
    if (kind != URSA_ERROR_NONE && state.kind == URSA_ERROR_NONE)
        latch(kind, message);
    free(message);
}

void ursa_error_set_aside(ursa_error_state *saved)
{
    register_clean();
    *saved = state;
    state = (ursa_error_state){0};
}

void ursa_error_restore(const ursa_error_state *saved)
{
    ursa_clear_error();
    while (state.context_count > 0)
        ursa_context_pop();
    free(state.contexts);
    state = *saved;
}

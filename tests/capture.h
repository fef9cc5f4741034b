/* capture.h — what a piece of code writes to standard error. */
#ifndef URSA_TESTS_CAPTURE_H
#define URSA_TESTS_CAPTURE_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct capture {
    FILE *file;
    int saved;
} capture;

static inline capture capture_begin(void)
{
    capture c = {tmpfile(), dup(STDERR_FILENO)};
    fflush(stderr);
    dup2(fileno(c.file), STDERR_FILENO);
    return c;
}

/* Fills `text` with what was written, cut to `bytes` - 1. */
static inline void capture_end(capture c, char *text, size_t bytes)
{
    fflush(stderr);
    dup2(c.saved, STDERR_FILENO);
    close(c.saved);
    rewind(c.file);
    text[fread(text, 1, bytes - 1, c.file)] = 0;
    fclose(c.file);
}

#endif

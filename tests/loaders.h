/* loaders.h — what tests of data blocks and loaders look at. Included behind unit.h. */
#ifndef URSA_TESTS_LOADERS_H
#define URSA_TESTS_LOADERS_H

#include <ursa/ursa.h>

#include <stdio.h>
#include <string.h>

/* The names of classes, joined by spaces. */
static inline const char *vocab_of(const ursa_dataloaders *loaders)
{
    static char text[256];
    const char *const *names = NULL;
    int count = ursa_dataloaders_vocab(loaders, &names);
    text[0] = '\0';
    for (int i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", names[i]);
    return text;
}

static inline const char *error_and_clear(void)
{
    static char text[400];
    snprintf(text, sizeof text, "%s", ursa_error() ? ursa_error() : "no error");
    ursa_clear_error();
    return text;
}

/* The expression is false or NULL, and the error says what is expected. */
#define assert_fails(expression, expected)                                                                             \
    do {                                                                                                               \
        assert_false(expression);                                                                                      \
        const char *said = error_and_clear();                                                                          \
        if (!strstr(said, expected))                                                                                   \
            fail_msg("\"%s\" is not in \"%s\"", expected, said);                                                       \
    } while (0)

#endif

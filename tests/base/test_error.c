/* Errors: the first one stays, with its contexts, on its own thread. */
#include "base/error.h"

#include "../unit.h"
#include <pthread.h>

static void first_error_stays(void **state)
{
    (void)state;
    assert_null(ursa_error());
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_NONE);
    assert_false(ursa_fail(URSA_ERROR_SHAPE, "conv2d: w has %d input channels, x has %d", 3, 4));
    assert_false(ursa_fail(URSA_ERROR_IO, "a later error"));
    assert_string_equal(ursa_error(), "conv2d: w has 3 input channels, x has 4");
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_SHAPE);
    ursa_clear_error();
    assert_null(ursa_error());
    ursa_fail(URSA_ERROR_IO, "a later error");
    assert_string_equal(ursa_error(), "a later error");
    ursa_clear_error();
}

static void an_error_is_one_line(void **state)
{
    (void)state;
    ursa_fail(URSA_ERROR_FORMAT, "two\nlines\r");
    assert_string_equal(ursa_error(), "two lines ");
    ursa_clear_error();
}

static void contexts_nest(void **state)
{
    (void)state;
    char name[] = "data/bears";
    ursa_context_push("%s", name);
    name[0] = 'X'; /* the text was copied */
    ursa_context_push("row %d", 7);
    ursa_fail(URSA_ERROR_FORMAT, "not an image");
    ursa_context_pop();
    assert_string_equal(ursa_error(), "data/bears: row 7: not an image");
    ursa_clear_error();
    ursa_fail(URSA_ERROR_FORMAT, "empty");
    assert_string_equal(ursa_error(), "data/bears: empty");
    ursa_clear_error();
    ursa_context_pop();
    ursa_context_pop(); /* one too many does no harm */
    ursa_fail(URSA_ERROR_FORMAT, "alone");
    assert_string_equal(ursa_error(), "alone");
    ursa_clear_error();
}

static void many_contexts(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        ursa_context_push("%d", i);
    for (int i = 0; i < 98; i++)
        ursa_context_pop();
    ursa_fail(URSA_ERROR_STATE, "here");
    assert_string_equal(ursa_error(), "0: 1: here");
    ursa_context_pop();
    ursa_context_pop();
    ursa_clear_error();
}

static void taken_errors_move(void **state)
{
    (void)state;
    ursa_error_kind kind = URSA_ERROR_IO;
    assert_null(ursa_error_take(&kind));
    assert_int_equal(kind, URSA_ERROR_NONE);

    ursa_fail(URSA_ERROR_TYPE, "inner");
    char *message = ursa_error_take(&kind);
    assert_null(ursa_error());
    ursa_context_push("outer");
    ursa_error_give(kind, message);
    ursa_context_pop();
    assert_string_equal(ursa_error(), "outer: inner");
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_TYPE);
    ursa_clear_error();
}

static void set_aside_and_back(void **state)
{
    (void)state;
    ursa_error_state own;
    ursa_context_push("mine");
    ursa_fail(URSA_ERROR_IO, "my error");
    ursa_error_set_aside(&own);
    assert_null(ursa_error());
    ursa_fail(URSA_ERROR_TYPE, "another's");
    assert_string_equal(ursa_error(), "another's");
    ursa_error_restore(&own);
    assert_string_equal(ursa_error(), "mine: my error");
    ursa_context_pop();
    ursa_clear_error();
}

static void *fail_elsewhere(void *seen)
{
    *(bool *)seen = ursa_error() != NULL;
    ursa_fail(URSA_ERROR_IO, "on the other thread");
    ursa_context_push("never popped"); /* the end of the thread frees both */
    return NULL;
}

static void threads_have_their_own(void **state)
{
    (void)state;
    bool seen = true;
    pthread_t thread;
    ursa_fail(URSA_ERROR_STATE, "on this thread");
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, &seen), 0);
    pthread_join(thread, NULL);
    assert_false(seen);
    assert_string_equal(ursa_error(), "on this thread");
    ursa_clear_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_error_stays),      cmocka_unit_test(an_error_is_one_line),
        cmocka_unit_test(contexts_nest),          cmocka_unit_test(many_contexts),
        cmocka_unit_test(taken_errors_move),      cmocka_unit_test(set_aside_and_back),
        cmocka_unit_test(threads_have_their_own),
    };
    return run_unit_tests("error", tests);
}

/* The end of a program: the error is printed, hooks run in reverse order, and
 * the library can be used again. */
#include "base/error.h"
#include "base/owned.h"
#include "base/parallel.h"

#include "../capture.h"
#include "../unit.h"
#include <stdatomic.h>

static char order[8];

static void first(void)
{
    strcat(order, "1");
}

static void second(void)
{
    strcat(order, "2");
}

static void registers_another(void)
{
    strcat(order, "3");
    ursa_at_finish(second);
}

static void hooks_run_once_in_reverse(void **state)
{
    (void)state;
    ursa_at_finish(first);
    ursa_at_finish(second);
    ursa_at_finish(registers_another);
    assert_int_equal(ursa_finish(), 0);
    assert_string_equal(order, "3221");
    assert_int_equal(ursa_finish(), 0);
    assert_string_equal(order, "3221");
}

struct thing {
    ursa_owned owned;
    const char *name;
};

static void free_thing(void *object)
{
    struct thing *thing = object;
    ursa_disown(&thing->owned);
    strcat(order, thing->name);
}

static void what_is_left_is_freed_newest_first(void **state)
{
    (void)state;
    struct thing things[] = {{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}};
    order[0] = 0;
    for (int i = 0; i < 4; i++)
        ursa_own(&things[i].owned, &things[i], free_thing);
    free_thing(&things[1]);
    free_thing(&things[3]);
    assert_int_equal(ursa_finish(), 0);
    assert_string_equal(order, "bdca");
    assert_int_equal(ursa_finish(), 0);
    assert_string_equal(order, "bdca");
}

static void errors_are_printed(void **state)
{
    (void)state;
    char text[200];
    capture c = capture_begin();
    ursa_fail(URSA_ERROR_IO, "bears.ursa: no such file");
    int status = ursa_finish();
    int again = ursa_finish();
    capture_end(c, text, sizeof text);
    assert_string_equal(text, "ursa: bears.ursa: no such file\n");
    assert_int_equal(status, 1);
    assert_int_equal(again, 0);
    assert_null(ursa_error());
}

static void add_index(void *context, int64_t index)
{
    atomic_fetch_add((atomic_int *)context, (int)index);
}

static void usable_again(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        atomic_int sum = 0;
        assert_true(ursa_set_threads(3));
        assert_true(ursa_parallel(10, add_index, &sum));
        assert_int_equal(sum, 45);
        ursa_context_push("left open");
        assert_non_null(ursa_scratch(0, 1000));
        assert_int_equal(ursa_finish(), 0);
    }
    ursa_fail(URSA_ERROR_IO, "clean");
    assert_string_equal(ursa_error(), "clean");
    ursa_clear_error();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hooks_run_once_in_reverse),
        cmocka_unit_test(what_is_left_is_freed_newest_first),
        cmocka_unit_test(errors_are_printed),
        cmocka_unit_test(usable_again),
    };
    return run_unit_tests("finish", tests);
}

/* Progress: what bars and lines look like, and when they are shown. */
#include "base/clock.h"
#include "base/progress.h"

#include "../capture.h"
#include "../unit.h"

static double now;

static double test_clock(void)
{
    return now;
}

static int use_test_clock(void **state)
{
    (void)state;
    now = 1000;
    ursa_set_clock(test_clock);
    return 0;
}

static int use_real_clock(void **state)
{
    (void)state;
    ursa_set_clock(NULL);
    return 0;
}

static void the_bar(void **state)
{
    (void)state;
    char line[200];
    ursa_progress_view view = {"training", "loss 0.412", 45, 100, 12, 14.6};
    ursa_progress_bar(line, sizeof line, &view, 60);
    assert_string_equal(line, "training  45% [======>         ] 0:12, 0:15 left  loss 0.412");
    ursa_progress_bar(line, sizeof line, &view, 45); /* no room for a bar */
    assert_string_equal(line, "training  45% 0:12, 0:15 left  loss 0.412");
    ursa_progress_bar(line, sizeof line, &view, 12);
    assert_string_equal(line, "training  45");
    for (int columns = 1; columns < 200; columns++) {
        ursa_progress_bar(line, sizeof line, &view, columns);
        assert_true((int)strlen(line) <= columns);
    }
}

static void ends_of_the_bar(void **state)
{
    (void)state;
    char line[200];
    ursa_progress_view view = {"x", "", 0, 10, 3725, -1};
    ursa_progress_bar(line, sizeof line, &view, 27);
    assert_string_equal(line, "x   0% [          ] 1:02:05");
    view.done = 10;
    ursa_progress_bar(line, sizeof line, &view, 27);
    assert_string_equal(line, "x 100% [==========] 1:02:05");
    view.done = 11;
    ursa_progress_bar(line, sizeof line, &view, 27);
    assert_string_equal(line, "x 100% [==========] 1:02:05");
    view.total = 0;
    ursa_progress_bar(line, sizeof line, &view, 27);
    assert_string_equal(line, "x 11 1:02:05");
}

static void characters_are_not_cut(void **state)
{
    (void)state;
    char line[200];
    ursa_progress_view view = {"ééé", "", 1, 2, 0, -1};
    ursa_progress_bar(line, sizeof line, &view, 2);
    assert_string_equal(line, "éé");
}

/* Steps of one second each, and what was written meanwhile. */
static void run_job(int seconds, char *text, size_t bytes)
{
    capture c = capture_begin();
    ursa_progress *progress = ursa_progress_begin("reading", seconds);
    for (int i = 1; i <= seconds; i++) {
        now += 1;
        ursa_progress_step(progress, i, i == 1 ? "note" : NULL);
    }
    ursa_progress_end(progress);
    capture_end(c, text, bytes);
}

static void plain_lines_every_ten_seconds(void **state)
{
    (void)state;
    char text[1000];
    run_job(25, text, sizeof text);
    assert_string_equal(text, "reading  40% (10 of 25), 0:10, 0:15 left  note\n"
                              "reading  80% (20 of 25), 0:20, 0:05 left  note\n"
                              "reading 100% (25 of 25), 0:25  note\n");
}

static void short_jobs_are_silent(void **state)
{
    (void)state;
    char text[1000];
    for (int i = 0; i < 5; i++) {
        run_job(2, text, sizeof text);
        assert_string_equal(text, "");
    }
    run_job(5, text, sizeof text);
    assert_string_equal(text, "reading 100% (5 of 5), 0:05  note\n");
}

static void switched_off(void **state)
{
    (void)state;
    char text[1000];
    ursa_set_progress(false);
    run_job(100, text, sizeof text);
    assert_string_equal(text, "");
    ursa_set_progress(true);
}

static void only_the_innermost_is_shown(void **state)
{
    (void)state;
    char text[1000];
    capture c = capture_begin();
    ursa_progress *outer = ursa_progress_begin("outer", 2), *inner = ursa_progress_begin("inner", 2);
    now += 20;
    ursa_progress_step(outer, 1, NULL);
    ursa_progress_step(inner, 1, NULL);
    ursa_progress_end(outer); /* in the wrong order, too */
    ursa_progress_end(inner);
    ursa_progress_end(NULL);
    ursa_progress_step(NULL, 1, "x");
    capture_end(c, text, sizeof text);
    assert_string_equal(text, "inner  50% (1 of 2), 0:20, 0:20 left\n"
                              "outer  50% (1 of 2), 0:20\n"
                              "inner  50% (1 of 2), 0:20\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bar),
        cmocka_unit_test(ends_of_the_bar),
        cmocka_unit_test(characters_are_not_cut),
        cmocka_unit_test_setup_teardown(plain_lines_every_ten_seconds, use_test_clock, use_real_clock),
        cmocka_unit_test_setup_teardown(short_jobs_are_silent, use_test_clock, use_real_clock),
        cmocka_unit_test_setup_teardown(switched_off, use_test_clock, use_real_clock),
        cmocka_unit_test_setup_teardown(only_the_innermost_is_shown, use_test_clock, use_real_clock),
    };
    return run_unit_tests("progress", tests);
}

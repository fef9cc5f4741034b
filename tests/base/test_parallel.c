/* The thread pool: every task once, whatever the number of threads, nested or
 * from several threads at once; errors reach the caller. */
#include "base/error.h"
#include "base/parallel.h"

#include "../unit.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TASKS 1000

static const int thread_counts[] = {1, 2, 5};

typedef struct counts {
    atomic_int of_task[TASKS];
    atomic_int total;
} counts;

static void count_task(void *context, int64_t index)
{
    counts *c = context;
    atomic_fetch_add(&c->of_task[index], 1);
    atomic_fetch_add(&c->total, 1);
}

static void every_task_runs_once(void **state)
{
    (void)state;
    for (int t = 0; t < 3; t++) {
        assert_true(ursa_set_threads(thread_counts[t]));
        assert_int_equal(ursa_threads(), thread_counts[t]);
        for (int64_t n = 0; n <= TASKS; n = n < 8 ? n + 1 : 5 * n) {
            counts c = {0};
            assert_true(ursa_parallel(n, count_task, &c));
            assert_int_equal(c.total, n);
            for (int i = 0; i < n; i++)
                assert_int_equal(c.of_task[i], 1);
        }
    }
}

/* Loops in quick succession: a thread that comes late must not touch the next
 * one's tasks. */
static void many_short_loops(void **state)
{
    (void)state;
    for (int t = 0; t < 3; t++) {
        assert_true(ursa_set_threads(thread_counts[t]));
        counts c = {0};
        for (int i = 0; i < 20000; i++) {
            int before = c.total;
            assert_true(ursa_parallel(3, count_task, &c));
            assert_int_equal(c.total, before + 3);
        }
        for (int i = 0; i < 3; i++)
            assert_int_equal(c.of_task[i], 20000);
    }
}

/* Loops that start when the threads are asleep or falling asleep. */
static void loops_after_pauses(void **state)
{
    (void)state;
    assert_true(ursa_set_threads(5));
    counts c = {0};
    for (int i = 0; i < 300; i++) {
        struct timespec pause = {.tv_nsec = 1000L * (i % 100)};
        nanosleep(&pause, NULL);
        assert_true(ursa_parallel(7, count_task, &c));
        assert_int_equal(c.total, 7 * (i + 1));
    }
}

static void nest(void *context, int64_t index)
{
    (void)index;
    ursa_parallel(10, count_task, context);
}

static void nested_loops(void **state)
{
    (void)state;
    for (int t = 0; t < 3; t++) {
        assert_true(ursa_set_threads(thread_counts[t]));
        counts c = {0};
        assert_true(ursa_parallel(20, nest, &c));
        assert_int_equal(c.total, 200);
        for (int i = 0; i < 10; i++)
            assert_int_equal(c.of_task[i], 20);
    }
}

static void check_same_thread(void *context, int64_t index)
{
    (void)index;
    if (!pthread_equal(pthread_self(), *(pthread_t *)context))
        ursa_fail(URSA_ERROR_STATE, "a nested task ran on another thread");
}

static void nest_and_check(void *unused, int64_t index)
{
    (void)unused, (void)index;
    pthread_t self = pthread_self();
    ursa_parallel(10, check_same_thread, &self);
}

static void nested_loops_run_inline(void **state)
{
    (void)state;
    assert_true(ursa_set_threads(5));
    assert_true(ursa_parallel(20, nest_and_check, NULL));
    assert_null(ursa_error());
}

static void fail_some(void *unused, int64_t index)
{
    (void)unused;
    ursa_context_push("task %d", (int)index);
    if (index % 10 == 3)
        ursa_fail(URSA_ERROR_FORMAT, "refused");
    ursa_context_pop();
}

static void the_lowest_error_reaches_the_caller(void **state)
{
    (void)state;
    for (int t = 0; t < 3; t++) {
        assert_true(ursa_set_threads(thread_counts[t]));
        for (int i = 0; i < 100; i++) {
            ursa_context_push("caller");
            assert_false(ursa_parallel(64, fail_some, NULL));
            ursa_context_pop();
            assert_string_equal(ursa_error(), "caller: task 3: refused");
            assert_int_equal(ursa_error_kind_of(), URSA_ERROR_FORMAT);
            ursa_clear_error();
            assert_true(ursa_parallel(3, fail_some, NULL)); /* nothing is left over */
        }
    }
}

static void an_earlier_error_stays(void **state)
{
    (void)state;
    for (int t = 0; t < 3; t++) {
        assert_true(ursa_set_threads(thread_counts[t]));
        counts c = {0};
        ursa_fail(URSA_ERROR_IO, "earlier");
        assert_true(ursa_parallel(50, count_task, &c)); /* the tasks did not fail */
        assert_false(ursa_parallel(50, fail_some, NULL));
        assert_string_equal(ursa_error(), "earlier");
        ursa_clear_error();
    }
}

static void mark_range(void *context, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++)
        count_task(context, i);
    if (begin % 7 != 0 || end - begin > 7)
        ursa_fail(URSA_ERROR_STATE, "a range is %d to %d", (int)begin, (int)end);
}

static void ranges_cover_everything(void **state)
{
    (void)state;
    for (int t = 0; t < 3; t++) {
        assert_true(ursa_set_threads(thread_counts[t]));
        for (int64_t total = 0; total < 40; total++) {
            counts c = {0};
            assert_true(ursa_parallel_range(total, 7, mark_range, &c));
            assert_int_equal(c.total, total);
            for (int i = 0; i < total; i++)
                assert_int_equal(c.of_task[i], 1);
        }
    }
}

static void *loop_from_thread(void *context)
{
    for (int i = 0; i < 500; i++)
        ursa_parallel(11, count_task, context);
    return NULL;
}

static void several_callers_at_once(void **state)
{
    (void)state;
    assert_true(ursa_set_threads(3));
    counts c = {0};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, loop_from_thread, &c), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(c.total, 4 * 500 * 11);
}

static void use_scratch(void *context, int64_t index)
{
    (void)context;
    size_t bytes = (size_t)(index + 1) * 1000;
    unsigned char *a = ursa_scratch(0, bytes), *b = ursa_scratch(1, bytes);
    if (!a || !b)
        return;
    memset(a, 1, bytes);
    memset(b, 2, bytes);
    if (a[bytes - 1] != 1 || ((uintptr_t)a | (uintptr_t)b) % 64 != 0)
        ursa_fail(URSA_ERROR_STATE, "scratch memory overlaps or is not aligned");
}

static void scratch_is_per_thread_and_slot(void **state)
{
    (void)state;
    assert_true(ursa_set_threads(5));
    assert_true(ursa_parallel(200, use_scratch, NULL));
    void *first = ursa_scratch(2, 100);
    assert_ptr_equal(ursa_scratch(2, 50), first);
    assert_null(ursa_scratch(7, 1));
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_ARGUMENT);
    ursa_clear_error();
}

static void set_threads_in_task(void *unused, int64_t index)
{
    (void)unused, (void)index;
    ursa_set_threads(2);
}

static void set_threads_refuses(void **state)
{
    (void)state;
    assert_true(ursa_set_threads(2));
    assert_false(ursa_set_threads(-1));
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_ARGUMENT);
    ursa_clear_error();
    assert_false(ursa_parallel(4, set_threads_in_task, NULL));
    assert_int_equal(ursa_error_kind_of(), URSA_ERROR_STATE);
    ursa_clear_error();
}

static void remember_warning(void *context, ursa_log_level level, const char *line)
{
    (void)level;
    snprintf(context, 200, "%s", line);
}

static void threads_from_the_environment(void **state)
{
    (void)state;
    char warning[200] = "";
    setenv("URSA_THREADS", "3", 1);
    assert_true(ursa_set_threads(0));
    assert_int_equal(ursa_threads(), 3);
    ursa_set_log(URSA_LOG_WARN, remember_warning, warning);
    const char *bad[] = {"0", "-2", "three", "3x", "99999999999999999999"};
    for (int i = 0; i < 5; i++) {
        warning[0] = 0;
        setenv("URSA_THREADS", bad[i], 1);
        assert_true(ursa_set_threads(0));
        assert_true(ursa_threads() >= 1);
        assert_non_null(strstr(warning, bad[i]));
        assert_null(ursa_error());
    }
    ursa_set_log(URSA_LOG_SILENT, NULL, NULL);
    unsetenv("URSA_THREADS");
    assert_true(ursa_set_threads(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_runs_once),    cmocka_unit_test(many_short_loops),
        cmocka_unit_test(loops_after_pauses),      cmocka_unit_test(nested_loops),
        cmocka_unit_test(nested_loops_run_inline), cmocka_unit_test(the_lowest_error_reaches_the_caller),
        cmocka_unit_test(an_earlier_error_stays),  cmocka_unit_test(ranges_cover_everything),
        cmocka_unit_test(several_callers_at_once), cmocka_unit_test(scratch_is_per_thread_and_slot),
        cmocka_unit_test(set_threads_refuses),     cmocka_unit_test(threads_from_the_environment),
    };
    return run_unit_tests("parallel", tests);
}

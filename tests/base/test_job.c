/* Background jobs: all run, with any number of threads; errors reach the
 * waiting thread; kernels inside them work. */
#include "base/error.h"
#include "base/parallel.h"

#include "../unit.h"
#include <stdatomic.h>
#include <time.h>

static const int thread_counts[] = {1, 2, 5};

static void add_one(void *context)
{
    atomic_fetch_add((atomic_int *)context, 1);
}

static void all_jobs_run(void **state)
{
    (void)state;
    for (int t = 0; t < 3; t++) {
        assert_true(ursa_set_threads(thread_counts[t]));
        atomic_int ran = 0;
        ursa_job *jobs[200];
        for (int i = 0; i < 200; i++)
            assert_non_null(jobs[i] = ursa_job_start(add_one, &ran));
        for (int i = 0; i < 200; i++)
            assert_true(ursa_job_wait(jobs[i]));
        assert_int_equal(ran, 200);
    }
}

static void waiting_in_any_order(void **state)
{
    (void)state;
    for (int t = 0; t < 3; t++) {
        assert_true(ursa_set_threads(thread_counts[t]));
        atomic_int ran = 0;
        ursa_job *jobs[7];
        for (int round = 0; round < 100; round++) {
            for (int i = 0; i < 7; i++)
                jobs[i] = ursa_job_start(add_one, &ran);
            for (int i = 0; i < 7; i++)
                assert_true(ursa_job_wait(jobs[i * 3 % 7]));
        }
        assert_int_equal(ran, 700);
    }
}

static void a_null_job(void **state)
{
    (void)state;
    assert_false(ursa_job_wait(NULL));
    assert_null(ursa_error());
}

static void fail_job(void *unused)
{
    (void)unused;
    ursa_context_push("cat.png");
    ursa_fail(URSA_ERROR_FORMAT, "not an image");
    ursa_context_pop();
}

static void errors_reach_the_waiting_thread(void **state)
{
    (void)state;
    for (int t = 0; t < 3; t++) {
        assert_true(ursa_set_threads(thread_counts[t]));
        atomic_int ran = 0;
        ursa_job *bad = ursa_job_start(fail_job, NULL), *good = ursa_job_start(add_one, &ran);
        ursa_context_push("batch 4");
        assert_true(ursa_job_wait(good));
        assert_null(ursa_error());
        assert_false(ursa_job_wait(bad));
        ursa_context_pop();
        assert_string_equal(ursa_error(), "batch 4: cat.png: not an image");
        ursa_clear_error();
    }
}

static void add_index(void *context, int64_t index)
{
    atomic_fetch_add((atomic_int *)context, (int)index);
}

static void loop_in_job(void *context)
{
    ursa_parallel(10, add_index, context);
}

static void jobs_and_loops_together(void **state)
{
    (void)state;
    for (int t = 0; t < 3; t++) {
        assert_true(ursa_set_threads(thread_counts[t]));
        atomic_int sum = 0;
        ursa_job *jobs[20];
        for (int i = 0; i < 20; i++) {
            jobs[i] = ursa_job_start(loop_in_job, &sum);
            assert_true(ursa_parallel(10, add_index, &sum));
        }
        for (int i = 0; i < 20; i++)
            assert_true(ursa_job_wait(jobs[i]));
        assert_int_equal(sum, 40 * 45);
    }
}

static void start_and_wait(void *context)
{
    ursa_job_wait(ursa_job_start(add_one, context));
}

static void jobs_start_jobs(void **state)
{
    (void)state;
    for (int t = 0; t < 3; t++) {
        assert_true(ursa_set_threads(thread_counts[t]));
        atomic_int ran = 0;
        ursa_job *jobs[30];
        for (int i = 0; i < 30; i++)
            jobs[i] = ursa_job_start(start_and_wait, &ran);
        for (int i = 0; i < 30; i++)
            assert_true(ursa_job_wait(jobs[i]));
        assert_int_equal(ran, 30);
    }
}

/* Jobs outlive the threads: what was queued runs on the next pool, or inline. */
static void the_number_of_threads_changes(void **state)
{
    (void)state;
    atomic_int ran = 0;
    ursa_job *jobs[60];
    for (int i = 0; i < 60; i++) {
        if (i % 20 == 0)
            assert_true(ursa_set_threads(thread_counts[(i / 20) % 3]));
        jobs[i] = ursa_job_start(add_one, &ran);
    }
    assert_true(ursa_set_threads(1));
    for (int i = 0; i < 60; i++)
        assert_true(ursa_job_wait(jobs[i]));
    assert_int_equal(ran, 60);
}

static void jobs_run_in_the_background(void **state)
{
    (void)state;
    assert_true(ursa_set_threads(2));
    atomic_int ran = 0;
    ursa_job *job = ursa_job_start(add_one, &ran);
    struct timespec moment = {.tv_nsec = 1000000};
    for (int i = 0; i < 20000 && atomic_load(&ran) == 0; i++)
        nanosleep(&moment, NULL);
    assert_int_equal(ran, 1); /* nobody has waited for it yet */
    assert_true(ursa_job_wait(job));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_jobs_run),
        cmocka_unit_test(waiting_in_any_order),
        cmocka_unit_test(a_null_job),
        cmocka_unit_test(errors_reach_the_waiting_thread),
        cmocka_unit_test(jobs_and_loops_together),
        cmocka_unit_test(jobs_start_jobs),
        cmocka_unit_test(the_number_of_threads_changes),
        cmocka_unit_test(jobs_run_in_the_background),
    };
    return run_unit_tests("job", tests);
}

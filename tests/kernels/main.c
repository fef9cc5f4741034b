/* main.c — test_kernels: every operator of ops.def on a device, against the
 * same operator in double precision.
 *
 *     test_kernels [--device SPEC] [--op NAME] [--cases N] [--case K] [--seed S] [--part N] [--quick] [--small]
 *                  [--list]
 *
 * --part runs one trial of N, --quick one of 15, for devices that compile each of them;
 * --small keeps arrays and products small, for devices that interpret them.
 * One line per operator, with the trials that failed below it; --op, --seed and
 * --case repeat one of them. An operator without a draw_ and a bound_ function
 * does not link.
 */
#include "trial.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URSA_OP(name, types, text)                                                                                     \
    static void draw_any_##name(struct trial *t, void *args)                                                           \
    {                                                                                                                  \
        draw_##name(t, args);                                                                                          \
    }                                                                                                                  \
    static void bound_any_##name(struct trial *t, const void *args)                                                    \
    {                                                                                                                  \
        bound_##name(t, args);                                                                                         \
    }                                                                                                                  \
    static bool run_any_##name(ursa_device *device, const void *args)                                                  \
    {                                                                                                                  \
        return ursa_op_##name(device, args);                                                                           \
    }                                                                                                                  \
    _Static_assert(sizeof(struct ursa_##name##_args) <= MAX_ARGS, "MAX_ARGS is too small");
#include "device/ops.def"
#undef URSA_OP

static const struct kernel_test tests[] = {
#define URSA_OP(name, types, text)                                                                                     \
    {#name, types, sizeof(struct ursa_##name##_args), draw_any_##name, bound_any_##name, run_any_##name},
#include "device/ops.def"
#undef URSA_OP
};
enum { TEST_COUNT = sizeof tests / sizeof *tests };

/* What meson takes for a test that does not apply: no such device here. */
enum { SKIPPED = 77 };

#define QUICK_PART 15

struct options {
    const char *device, *op;
    int64_t cases, one_case;
    uint64_t seed;
    int64_t part;
    bool list, small;
};

/* How many trials: every function of an operator so many times. */
static int64_t default_cases(const char *name, int64_t part)
{
    static const struct {
        const char *name;
        int64_t functions, times;
    } table[] = {{"unary", URSA_UNARY_COUNT, 15},
                 {"unary_grad", URSA_UNARY_COUNT, 15},
                 {"binary", URSA_BINARY_COUNT, 30},
                 {"copy", (int64_t)URSA_DTYPE_COUNT * URSA_DTYPE_COUNT, 10},
                 {"reduce", URSA_REDUCE_COUNT, 50},
                 {"gemm", 1, 400},
                 {"conv2d", 1, 200},
                 {NULL, 1, 150}};
    int i = 0;
    while (table[i].name && strcmp(name, table[i].name))
        i++;
    return table[i].functions * ((table[i].times + part - 1) / part);
}

/* A stream of its own for every operator and trial. */
static uint64_t key_of(const char *name, uint64_t seed, int64_t number)
{
    uint64_t key = 14695981039346656037u ^ seed; /* FNV-1a */
    for (; *name; name++)
        key = (key ^ (unsigned char)*name) * 1099511628211u;
    return key + (uint64_t)number * 0x9E3779B97F4A7C15u;
}

static void begin_trial(struct trial *t, const struct kernel_test *test, const struct options *options, int64_t number,
                        void *args)
{
    memset(args, 0, MAX_ARGS);
    t->test = test;
    t->number = number;
    t->key = key_of(test->name, options->seed, number);
    t->counter = 0;
    t->integers = false;
    t->args = args;
    t->operand_count = 0;
    t->notes[0] = 0;
    test->draw(t, args);
}

static void describe_failure(struct trial *t, const struct options *options, const struct report *report)
{
    printf("  %s --op %s --seed %llu --case %lld: %s\n", t->test->name, t->test->name,
           (unsigned long long)options->seed, (long long)t->number, report->text);
    trial_describe(t);
}

/* Trials that fail, printing the first few. */
static int64_t run_trials(struct trial *t, const struct kernel_test *test, const struct options *options, int64_t first,
                          int64_t last)
{
    static _Alignas(64) unsigned char args[MAX_ARGS];
    struct report report = {.threads = t->libm_is_tight};
    int64_t failed = 0;
    for (int64_t number = first; number < last; number++) {
        begin_trial(t, test, options, number, args);
        if (!trial_run(t, &report) && failed++ < 3)
            describe_failure(t, options, &report);
        trial_free(t);
    }
    return failed;
}

static bool run_refusals(struct trial *t, const struct kernel_test *test, const struct options *options)
{
    static _Alignas(64) unsigned char args[MAX_ARGS];
    struct report report = {0};
    bool fine = true;
    for (int64_t number = 0; fine && number < 4; number++) {
        begin_trial(t, test, options, number, args);
        fine = trial_refuses(t, &report);
        if (!fine) {
            printf("  %s: wrong arguments: %s\n", test->name, report.text);
            trial_describe(t);
        }
        trial_free(t);
    }
    for (int64_t number = 0; fine && number < 8; number++) {
        begin_trial(t, test, options, number, args);
        fine = trial_refuses_index(t, &report);
        if (!fine) {
            printf("  %s: index out of range: %s\n", test->name, report.text);
            trial_describe(t);
        }
        trial_free(t);
    }
    return fine;
}

static bool run_test(struct trial *t, const struct kernel_test *test, const struct options *options)
{
    int64_t first = options->one_case >= 0 ? options->one_case : 0;
    int64_t cases = options->cases ? options->cases : default_cases(test->name, options->part);
    int64_t last = options->one_case >= 0 ? first + 1 : cases;
    int64_t failed = run_trials(t, test, options, first, last);
    bool refuses = options->one_case >= 0 || run_refusals(t, test, options);
    bool fine = failed == 0 && refuses;
    printf("%-4s %-20s %lld of %lld trials%s\n", fine ? "ok" : "FAIL", test->name, (long long)(last - first - failed),
           (long long)(last - first), refuses ? "" : ", takes wrong arguments");
    fflush(stdout);
    ursa_device_trim(t->reference);
    ursa_device_trim(t->tested);
    return fine;
}

static bool parse(struct options *options, int argc, char **argv)
{
    *options = (struct options){.device = "cpu", .one_case = -1, .seed = 1, .part = 1};
    for (int i = 1; i < argc; i++) {
        bool *flag = !strcmp(argv[i], "--list") ? &options->list : !strcmp(argv[i], "--small") ? &options->small : NULL;
        if (flag) {
            *flag = true;
            continue;
        }
        if (!strcmp(argv[i], "--quick")) {
            options->part = options->part > QUICK_PART ? options->part : QUICK_PART;
            continue;
        }
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!value)
            return false;
        if (!strcmp(argv[i], "--device"))
            options->device = value;
        else if (!strcmp(argv[i], "--op"))
            options->op = value;
        else if (!strcmp(argv[i], "--cases"))
            options->cases = atoll(value);
        else if (!strcmp(argv[i], "--case"))
            options->one_case = atoll(value);
        else if (!strcmp(argv[i], "--part"))
            options->part = atoll(value) > 0 ? atoll(value) : 1;
        else if (!strcmp(argv[i], "--seed"))
            options->seed = strtoull(value, NULL, 10);
        else
            return false;
        i++;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct options options;
    if (!parse(&options, argc, argv)) {
        fprintf(stderr, "usage: test_kernels [--device SPEC] [--op NAME] [--cases N] [--case K] [--seed S] [--part N] "
                        "[--quick] [--small] [--list]\n");
        return 2;
    }
    if (options.list) {
        for (int i = 0; i < TEST_COUNT; i++)
            printf("%s\n", tests[i].name);
        return 0;
    }
    struct trial trial = {.reference = reference64_open(), .tested = ursa_device_open(options.device)};
    if (!trial.tested && ursa_error_kind_of() == URSA_ERROR_DEVICE) {
        printf("skipped: %s\n", ursa_error());
        return SKIPPED;
    }
    if (!trial.reference || !trial.tested)
        return ursa_finish();
    trial.small = options.small;
    trial.libm_is_tight = !strcmp(options.device, "cpu");
    printf("%s (%s, %s)\n", ursa_device_id(trial.tested), ursa_device_name(trial.tested), trial.tested->info.level);
    int passed = 0, failed = 0;
    for (int i = 0; i < TEST_COUNT; i++) {
        if (options.op && strcmp(options.op, tests[i].name))
            continue;
        *(run_test(&trial, &tests[i], &options) ? &passed : &failed) += 1;
    }
    printf("%d passed, %d failed\n", passed, failed);
    int status = ursa_finish();
    return failed > 0 || passed == 0 ? 1 : status;
}

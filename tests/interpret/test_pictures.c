/* test_pictures.c — every kind of target can be shown, and the report holds what it should. */
#include "learners.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/ursa-looking-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static const char *in_folder(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* The content of a file, which goes. */
static char *take(const char *name)
{
    FILE *file = fopen(in_folder(name), "rb");
    if (!file)
        fail_msg("there is no %s", name);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *data = malloc((size_t)size + 1);
    assert_int_equal(fread(data, 1, (size_t)size, file), size);
    data[size] = '\0';
    fclose(file);
    unlink(in_folder(name));
    return data;
}

static int count_of(const char *text, const char *part)
{
    int count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

static const char *const names[] = {"ant", "bee & <wasp>", "猫"};

/* How often a text is in the picture that a function draws. */
#define assert_texts(drawn, part, times)                                                                               \
    do {                                                                                                               \
        if (!(drawn))                                                                                                  \
            fail_msg("%s: %s", #drawn, ursa_error());                                                                  \
        char *svg = take("a.svg");                                                                                     \
        assert_int_equal(count_of(svg, part), times);                                                                  \
        free(svg);                                                                                                     \
    } while (0)

static const char *svg(void)
{
    return in_folder("a.svg");
}

static void test_classes(void **state)
{
    (void)state;
    struct known known = know_pictures(7, 12, 10, 3, URSA_KIND_CATEGORY, 1, names, 3);
    assert_texts(ursa_show_batch(known.data, svg(), .max_n = 4, .unique = true), "<text ", 4);
    assert_texts(ursa_show_batch(known.data, svg(), .valid = true, .max_n = 3), ">bee &amp; &lt;wasp&gt;</text>", 1);
    assert_texts(ursa_show_batch(known.data, svg(), .max_n = 100), "<text ", 7);
    assert_texts(ursa_show_results(known.learner, svg(), .max_n = 3), ">is ", 2);
    ursa_interpretation *interp = ursa_interpret(known.learner);
    assert_texts(ursa_plot_confusion_matrix(interp, svg()), "Confusion matrix</text>", 1);
    assert_texts(ursa_plot_confusion_matrix(interp, svg(), .normalize = true), ">0.00</text>", 6);
    assert_texts(ursa_plot_top_losses(interp, 2, svg()), ">loss ", 2);
    assert_texts(ursa_plot_top_losses(interp, 100, svg(), .smallest = true), ">loss ", 7);
    assert_texts(ursa_grad_cam(known.learner, 0, 1, svg()), "looks like bee &amp; &lt;wasp&gt;</text>", 1);
    ursa_interpretation_free(interp);
    forget(&known);
}

static void test_labels(void **state)
{
    (void)state;
    struct known known = know_pictures(4, 8, 8, 1, URSA_KIND_MULTI_CATEGORY, 3, names, 3);
    /* Numbers alternate: the items are (0 1 0), (1 0 1), … */
    assert_texts(ursa_show_batch(known.data, svg(), .valid = true), ">ant; 猫</text>", 2);
    assert_texts(ursa_show_results(known.learner, svg()), "<text ", 8);
    forget(&known);
}

static void test_points(void **state)
{
    (void)state;
    struct known known = know_pictures(4, 8, 8, 3, URSA_KIND_POINTS, 4, NULL, 0);
    assert_texts(ursa_show_batch(known.data, svg(), .valid = true), "<text ", 0);
    assert_texts(ursa_show_results(known.learner, svg()), "<text ", 0);
    ursa_interpretation *interp = ursa_interpret(known.learner);
    assert_texts(ursa_plot_top_losses(interp, 2, svg()), ">loss ", 2);
    assert_texts(ursa_plot_regression(interp, svg()), ">predicted</text>", 1);
    ursa_interpretation_free(interp);
    forget(&known);
}

static void test_masks(void **state)
{
    (void)state;
    struct known known = know_pictures(4, 8, 8, 3, URSA_KIND_MASK, 64, names, 3);
    assert_texts(ursa_show_batch(known.data, svg(), .valid = true), "<text ", 1);
    assert_texts(ursa_show_batch(known.data, svg(), .valid = true), ">bee &amp; &lt;wasp&gt;</text>", 1);
    assert_texts(ursa_show_results(known.learner, svg()), ">predicted</text>", 4);
    ursa_interpretation *interp = ursa_interpret(known.learner);
    assert_texts(ursa_plot_top_losses(interp, 2, svg()), ">predicted, loss ", 2);
    ursa_interpretation_free(interp);
    forget(&known);
}

static void test_numbers(void **state)
{
    (void)state;
    struct known known = know_pictures(4, 8, 8, 3, URSA_KIND_REGRESSION, 1, NULL, 0);
    assert_texts(ursa_show_batch(known.data, svg(), .valid = true), ">0.5</text>", 4);
    assert_texts(ursa_show_results(known.learner, svg()), ">is 0.5</text>", 4);
    forget(&known);
}

static void test_losses(void **state)
{
    (void)state;
    struct known known = know_pictures(7, 12, 10, 3, URSA_KIND_REGRESSION, 1, NULL, 0);
    assert_false(ursa_plot_losses(known.learner, svg()));
    assert_string_equal(ursa_error(), "plot_losses: the learner has not been trained");
    ursa_clear_error();
    assert_true(ursa_add_callback(known.learner, ursa_live_losses(in_folder("live.svg"))));
    assert_true(ursa_fit(known.learner, 1, 1e-3));
    assert_texts(ursa_plot_losses(known.learner, svg()), ">validation</text>", 1);
    char *live = take("live.svg");
    assert_int_equal(count_of(live, ">training</text>"), 1);
    free(live);
    assert_texts(ursa_plot_rates(known.learner, svg()), ">learning rate</text>", 1);
    /* A loss that is no number leaves a gap. */
    ursa_tensor *bias = ursa_find_parameter(ursa_learner_model(known.learner), "head.bias");
    const float nan = __builtin_nanf("");
    ursa_requires_grad(bias, false);
    assert_true(ursa_write_(bias, URSA_F32, &nan, 1));
    ursa_requires_grad(bias, true);
    assert_true(ursa_fit(known.learner, 1, 1e-3));
    assert_texts(ursa_plot_losses(known.learner, svg()), ">validation</text>", 1);
    unlink(in_folder("live.svg"));
    forget(&known);
}

static void remove_all(const char *path)
{
    DIR *directory = opendir(path);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char inside[600];
        snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
        unlink(inside);
    }
    closedir(directory);
    rmdir(path);
}

static void test_report(void **state)
{
    (void)state;
    struct known known = know_pictures(7, 12, 10, 3, URSA_KIND_CATEGORY, 1, names, 3);
    assert_true(ursa_report(known.learner, in_folder("report")));
    char *page = take("report/index.html");
    const char *parts[] = {"<h2>A batch</h2>",
                           "<h2>Results</h2>",
                           "<h2>Classes</h2>",
                           "<h2>Confusion</h2>",
                           "<h2>Top losses</h2>",
                           "<h2>Network</h2>",
                           "bee &amp; &lt;wasp&gt;",
                           "猫",
                           "<td class=name>seed</td><td class=name>7</td>"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(page, parts[i]))
            fail_msg("the page lacks %s", parts[i]);
    assert_null(strstr(page, "<wasp>"));
    /* Nothing is fetched from anywhere. */
    assert_int_equal(count_of(page, "src="), 5);
    assert_int_equal(count_of(page, "src=\"data:image/png;base64,iVBORw0KGgo"), 5);
    assert_int_equal(count_of(page, "href="), 0);
    assert_int_equal(count_of(page, "<table"), count_of(page, "</table>"));
    free(page);
    remove_all(in_folder("report"));
    forget(&known);
}

static void test_errors(void **state)
{
    (void)state;
    const float outputs[] = {1, 2};
    const int64_t classes[] = {0};
    struct known known = know_outputs(outputs, 1, 2, classes, NULL, URSA_KIND_CATEGORY, names);
    assert_false(ursa_show_batch(known.data, svg()));
    assert_string_equal(ursa_error(), "show_batch: there is no such set of items");
    ursa_clear_error();
    assert_false(ursa_show_batch(known.data, svg(), .valid = true));
    assert_string_equal(ursa_error(), "show: inputs have 2 axes; expected images [N, H, W, C]");
    ursa_clear_error();
    assert_false(ursa_report(known.learner, "/proc/nowhere/report"));
    assert_non_null(strstr(ursa_error(), "/proc/nowhere/report: cannot be made"));
    ursa_clear_error();
    assert_false(ursa_show_batch(NULL, svg()));
    assert_false(ursa_plot_top_losses(NULL, 3, svg()));
    assert_null(ursa_error());
    forget(&known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes), cmocka_unit_test(test_labels),  cmocka_unit_test(test_points),
        cmocka_unit_test(test_masks),   cmocka_unit_test(test_numbers), cmocka_unit_test(test_losses),
        cmocka_unit_test(test_report),  cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests_name("pictures", tests, make_folder, remove_folder) + (ursa_error() ? 1 : 0) +
           ursa_finish();
}

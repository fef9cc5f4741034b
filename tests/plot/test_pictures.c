/* test_pictures.c — pictures have the size and the texts they should, and no text lies over another or beyond the page.
 */
#include "../unit.h"

#include <ursa/ursa.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/ursa-pictures-XXXXXX";

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
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* The file's bytes with a 0 behind them, and the file gone. */
static char *take(const char *name, size_t *bytes)
{
    FILE *file = fopen(in_folder(name), "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *data = malloc((size_t)size + 1);
    assert_int_equal(fread(data, 1, (size_t)size, file), size);
    data[size] = '\0';
    fclose(file);
    unlink(in_folder(name));
    if (bytes)
        *bytes = (size_t)size;
    return data;
}

static uint32_t big_endian(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void assert_png(const char *name, uint32_t width, uint32_t height)
{
    size_t bytes;
    char *data = take(name, &bytes);
    assert_true(bytes > 100);
    assert_memory_equal(data, "\x89PNG\r\n\x1a\n", 8);
    assert_int_equal(big_endian(data + 16), width);
    assert_int_equal(big_endian(data + 20), height);
    free(data);
}

/* ---- the texts of an SVG ------------------------------------------------------------ */

struct text {
    double x, y, angle, size, width; /* the left end of the base line, and how it is turned (clockwise) */
    char words[256];
};

enum { TEXTS = 4000 };

static int texts_of(const char *svg, struct text *texts)
{
    int count = 0;
    for (const char *at = strstr(svg, "<text "); at; at = strstr(at + 1, "<text ")) {
        struct text *text = &texts[count++];
        assert_true(count < TEXTS);
        assert_int_equal(sscanf(at,
                                "<text transform=\"translate(%lf %lf) rotate(%lf)\" font-size=\"%lf\" "
                                "textLength=\"%lf\">%255[^<]",
                                &text->x, &text->y, &text->angle, &text->size, &text->width, text->words),
                         6);
    }
    return count;
}

static bool has_text(const struct text *texts, int count, const char *words)
{
    for (int i = 0; i < count; i++)
        if (strcmp(texts[i].words, words) == 0)
            return true;
    return false;
}

/* The corners of what a text covers: from a little below the base line to the top of its capitals. */
static void corners_of(const struct text *text, double corners[4][2])
{
    double angle = text->angle * M_PI / 180, below = 0.12 * text->size, above = 0.73 * text->size;
    for (int i = 0; i < 4; i++) {
        double along = i == 1 || i == 2 ? text->width : 0, up = i < 2 ? -below : above;
        corners[i][0] = text->x + along * cos(angle) + up * sin(angle);
        corners[i][1] = text->y + along * sin(angle) - up * cos(angle);
    }
}

/* Whether a line along one of the sides of `a` parts the two. */
static bool parted_by(double a[4][2], double b[4][2])
{
    for (int side = 0; side < 2; side++) {
        double nx = a[side][1] - a[side + 1][1], ny = a[side + 1][0] - a[side][0];
        double a_low = INFINITY, a_high = -INFINITY, b_low = INFINITY, b_high = -INFINITY;
        for (int i = 0; i < 4; i++) {
            double pa = nx * a[i][0] + ny * a[i][1], pb = nx * b[i][0] + ny * b[i][1];
            a_low = fmin(a_low, pa), a_high = fmax(a_high, pa);
            b_low = fmin(b_low, pb), b_high = fmax(b_high, pb);
        }
        if (a_high <= b_low || b_high <= a_low)
            return true;
    }
    return false;
}

static void assert_apart(const char *name, const struct text *texts, int count)
{
    for (int i = 0; i < count; i++)
        for (int j = i + 1; j < count; j++) {
            double a[4][2], b[4][2];
            corners_of(&texts[i], a);
            corners_of(&texts[j], b);
            if (!parted_by(a, b) && !parted_by(b, a))
                fail_msg("%s: \"%s\" lies over \"%s\"", name, texts[i].words, texts[j].words);
        }
}

static void assert_on_page(const char *name, const char *svg, const struct text *texts, int count)
{
    double width, height, corners[4][2];
    assert_int_equal(sscanf(strstr(svg, "viewBox="), "viewBox=\"0 0 %lf %lf\"", &width, &height), 2);
    for (int i = 0; i < count; i++) {
        corners_of(&texts[i], corners);
        for (int c = 0; c < 4; c++)
            if (corners[c][0] < 0 || corners[c][1] < 0 || corners[c][0] > width || corners[c][1] > height)
                fail_msg("%s: \"%s\" reaches beyond the page", name, texts[i].words);
    }
}

/* All that holds for every picture; fills texts[] and returns how many. */
static int examine(const char *name, struct text *texts)
{
    char *svg = take(name, NULL);
    assert_non_null(strstr(svg, "</svg>"));
    int count = texts_of(svg, texts);
    assert_apart(name, texts, count);
    assert_on_page(name, svg, texts, count);
    free(svg);
    return count;
}

static struct text texts[TEXTS];

/* ---- charts -------------------------------------------------------------------------- */

static void test_chart(void **state)
{
    (void)state;
    const double y[] = {3, 2, 1.5, 1.2, 1.1};
    const ursa_series series[] = {{.y = y, .count = 5, .label = "training <1>"},
                                  {.y = y + 1, .count = 4, .label = "validation & more", .dashed = true}};
    assert_true(ursa_plot_chart(series, 2, in_folder("a.svg"), .title = "Loss", .x_label = "step", .y_label = "loss"));
    int count = examine("a.svg", texts);
    assert_true(has_text(texts, count, "Loss") && has_text(texts, count, "step") && has_text(texts, count, "loss"));
    assert_true(has_text(texts, count, "training &lt;1&gt;") && has_text(texts, count, "validation &amp; more"));
    assert_true(has_text(texts, count, "2.0") && has_text(texts, count, "0") && has_text(texts, count, "4"));
    assert_true(ursa_plot_chart(series, 2, in_folder("a.png")));
    assert_png("a.png", 1120, 760);
    assert_true(ursa_plot_chart(series, 2, in_folder("a.PNG"), .width = 300, .height = 200));
    assert_png("a.PNG", 600, 400);
}

static void test_chart_of_odd_numbers(void **state)
{
    (void)state;
    const double cases[][4] = {{NAN, NAN, NAN, NAN},  {1, NAN, 2, INFINITY},       {0, 0, 0, 0},
                               {1e300, -1e300, 0, 1}, {1e-300, 2e-300, 0, NAN},    {-INFINITY, 1, 2, NAN},
                               {5, 5, 5, 5},          {1e12, 1e12 + 1, 1e12, 1e12}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int kind = 0; kind < 6; kind++) {
            const ursa_series series = {
                .y = cases[i], .count = kind == 5 ? 0 : 4, .mark = (ursa_mark)(kind % 3), .label = "odd"};
            assert_true(ursa_plot_chart(&series, 1, in_folder("odd.svg"), .title = "Odd", .log_y = kind == 3,
                                        .log_x = kind == 4));
            assert_true(examine("odd.svg", texts) >= 2);
        }
}

static void fill_names(char (*names)[128], const char **list, int count, const char *format)
{
    for (int i = 0; i < count; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(names[i], sizeof names[i], format, i);
#pragma GCC diagnostic pop
        list[i] = names[i];
    }
}

static const char *const formats[] = {"%d", "class %d", "a very long name of a class that goes on and on, number %d",
                                      "Ångström-Übergröße der Größenordnung γράμματα и буквы %d"};

static void test_bars_with_names(void **state)
{
    (void)state;
    static char names[40][128];
    const char *list[40];
    double y[40];
    const int counts[] = {1, 2, 10, 40};
    for (int f = 0; f < 4; f++)
        for (int c = 0; c < 4; c++) {
            fill_names(names, list, counts[c], formats[f]);
            for (int i = 0; i < counts[c]; i++)
                y[i] = 0.5 + 0.01 * i;
            const ursa_series bars = {.y = y, .count = counts[c], .mark = URSA_BARS, .label = "recall"};
            assert_true(ursa_plot_chart(&bars, 1, in_folder("bars.svg"), .title = "Recall", .y_label = "share",
                                        .names = list, .name_count = counts[c]));
            assert_true(examine("bars.svg", texts) >= 5);
        }
}

/* ---- heat maps ------------------------------------------------------------------------- */

static void test_heat_map(void **state)
{
    (void)state;
    static char names[40][128];
    const char *list[40];
    double values[1600];
    const int sides[] = {1, 2, 10, 40};
    for (int f = 0; f < 4; f++)
        for (int s = 0; s < 4; s++) {
            int side = sides[s];
            fill_names(names, list, side, formats[f]);
            for (int i = 0; i < side * side; i++)
                values[i] = i % (side + 1) == 0 ? 98765 : i % 7;
            assert_true(ursa_plot_heat_map(values, side, side, in_folder("heat.svg"), .title = "Confusion",
                                           .x_label = "predicted", .y_label = "actual", .row_names = list,
                                           .column_names = list, .format = "%.0f"));
            int count = examine("heat.svg", texts);
            /* Names twice, a number in each cell where it fits, three titles, the ends of the colour bar. */
            assert_true(count >= 2 * side + 3 + 2);
            assert_true(side > 10 || count == 2 * side + side * side + 3 + 2);
            assert_true(has_text(texts, count, "predicted") && has_text(texts, count, "Confusion"));
        }
}

/* A thousand classes make a picture that can still be looked at. */
static void test_large_heat_map(void **state)
{
    (void)state;
    enum { SIDE = 1000 };
    static char names[SIDE][128];
    static const char *list[SIDE];
    static double values[SIDE * SIDE];
    fill_names(names, list, SIDE, formats[1]);
    assert_true(ursa_plot_heat_map(values, 300, 300, in_folder("large.svg"), .row_names = list, .column_names = list,
                                   .format = "%.0f"));
    assert_true(examine("large.svg", texts) > 100);
    assert_true(ursa_plot_heat_map(values, SIDE, SIDE, in_folder("large.png"), .row_names = list));
    size_t bytes;
    char *png = take("large.png", &bytes);
    assert_true(big_endian(png + 16) < 4000 && big_endian(png + 20) < 4000);
    free(png);
}

/* Names that only differ at their ends still do when they are shortened. */
static void test_shortened_names_differ(void **state)
{
    (void)state;
    static char names[12][128];
    const char *list[12];
    double values[12] = {0};
    fill_names(names, list, 12, formats[2]);
    assert_true(ursa_plot_heat_map(values, 12, 1, in_folder("names.svg"), .row_names = list));
    int count = examine("names.svg", texts);
    assert_int_equal(count, 14);
    for (int i = 0; i < 12; i++) {
        assert_non_null(strstr(texts[i].words, "…"));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(texts[i].words, texts[j].words);
    }
}

/* Names come from folders, whose bytes may be anything; the picture stays well-formed. */
static void test_names_that_are_no_text(void **state)
{
    (void)state;
    const char *names[] = {"caf\xE9", "a\tb\001c", "\xF0\x9F", "\xC0\xAF", "\xED\xA0\x80", "猫 and 犬", ""};
    double values[49] = {0};
    assert_true(ursa_plot_heat_map(values, 7, 7, in_folder("names.svg"), .row_names = names, .column_names = names));
    char *svg = take("names.svg", NULL);
    assert_non_null(strstr(svg, ">caf\xEF\xBF\xBD</text>"));
    assert_non_null(strstr(svg, ">a b c</text>"));
    assert_non_null(strstr(svg, ">\xEF\xBF\xBD\xEF\xBF\xBD</text>"));
    assert_non_null(strstr(svg, ">猫 and 犬</text>"));
    assert_null(strchr(svg, 1));
    free(svg);
    assert_true(ursa_plot_heat_map(values, 7, 7, in_folder("names.png"), .row_names = names));
    free(take("names.png", NULL));
}

/* ---- grids ------------------------------------------------------------------------------- */

static void test_grid(void **state)
{
    (void)state;
    uint8_t pixels[3 * 16 * 12] = {0};
    const ursa_image image = {12, 16, 3, pixels};
    const float points[] = {1, 2, 15, 11};
    ursa_plot_cell cells[40];
    for (int count = 1; count <= 40; count = 3 * count + 1) {
        for (int i = 0; i < count; i++)
            cells[i] = (ursa_plot_cell){
                .image = &image,
                .caption = i % 3 == 0
                               ? "predicted a very long name of a class\nis another very long name\nloss 3.21, 99 %"
                           : i % 3 == 1 ? "short"
                                        : NULL,
                .wrong = i % 2,
                .points = points,
                .guesses = points,
                .point_count = 2};
        const ursa_plot_key keys[] = {{"road", 1, 0, 0},
                                      {"a key that is as long as a sentence of many words", 0, 1, 0},
                                      {"sky", 0, 0, 1},
                                      {"building", 0.5, 0.5, 0.5}};
        assert_true(ursa_plot_grid(in_folder("grid.svg"), cells, count, .title = "Results of a training with a title",
                                   .keys = keys, .key_count = count % 5));
        assert_true(examine("grid.svg", texts) >= 1 + count % 5);
    }
    assert_true(ursa_plot_grid(in_folder("grid.png"), cells, 8, .columns = 4));
    /* 4 cells of 128, 3 gaps of 14, 2 margins of 16; 2 rows with three lines of text of 14 and 4 more. */
    assert_png("grid.png", 2 * (4 * 128 + 3 * 14 + 2 * 16), 2 * (2 * (128 + 46) + 14 + 2 * 16));
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void assert_refused(bool drawn, const char *text)
{
    assert_false(drawn);
    assert_non_null(ursa_error());
    if (!strstr(ursa_error(), text))
        fail_msg("expected \"%s\", found \"%s\"", text, ursa_error());
    ursa_clear_error();
}

static void test_errors(void **state)
{
    (void)state;
    const double y[] = {1, 2};
    const ursa_series series = {.y = y, .count = 2}, none = {.count = 2};
    assert_refused(ursa_plot_chart(&series, 1, in_folder("a.bmp")), "pictures are written as .png or .svg");
    assert_refused(ursa_plot_chart(&series, 1, in_folder("png")), "pictures are written as .png or .svg");
    assert_refused(ursa_plot_chart(&series, 1, in_folder("missing/a.png")), "missing/a.png: cannot be written");
    assert_refused(ursa_plot_chart(&series, 0, in_folder("a.png")), "plot_chart: 0 series; expected 1 to 64");
    assert_refused(ursa_plot_chart(&none, 1, in_folder("a.png")), "plot_chart: series 0 has no numbers");
    assert_refused(ursa_plot_heat_map(y, 0, 2, in_folder("a.png")), "plot_heat_map: 0 × 2 cells");
    assert_refused(ursa_plot_grid(in_folder("a.png"), &(ursa_plot_cell){0}, 0), "plot_grid: 0 images");
    assert_false(ursa_plot_chart(NULL, 1, in_folder("a.png")));
    assert_null(ursa_error());
}

/* ---- training ---------------------------------------------------------------------------------- */

static void test_lr_find(void **state)
{
    (void)state;
    double lrs[100], losses[100];
    for (int i = 0; i < 100; i++) {
        lrs[i] = 1e-7 * pow(10, 8 * i / 99.0);
        losses[i] = 2.3 - 1.5 / (1 + exp(-(i - 50) / 6.0)) + (i > 80 ? exp((i - 80) / 5.0) * 0.1 : 0);
    }
    const ursa_lr_found found = {
        .suggested = {.minimum = 1e-3, .steep = 2e-3, .valley = 3e-3, .slide = NAN, .shoot = 4e-3},
        .count = 100,
        .lrs = lrs,
        .losses = losses};
    assert_true(ursa_plot_lr_find(&found, in_folder("find.svg")));
    int count = examine("find.svg", texts);
    assert_true(has_text(texts, count, "valley: 3.0e-03") && has_text(texts, count, "minimum / 10: 1.0e-03"));
    for (int i = 0; i < count; i++)
        assert_null(strstr(texts[i].words, "slide"));
}

static void test_schedule(void **state)
{
    (void)state;
    ursa_schedule *schedule = ursa_schedule_one_cycle(4e-3, 0, 0, 0);
    assert_true(ursa_plot_schedule(schedule, in_folder("schedule.svg")));
    int count = examine("schedule.svg", texts);
    assert_true(has_text(texts, count, "0.004"));
    ursa_schedule_free(schedule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chart),
        cmocka_unit_test(test_chart_of_odd_numbers),
        cmocka_unit_test(test_bars_with_names),
        cmocka_unit_test(test_heat_map),
        cmocka_unit_test(test_large_heat_map),
        cmocka_unit_test(test_shortened_names_differ),
        cmocka_unit_test(test_names_that_are_no_text),
        cmocka_unit_test(test_grid),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_lr_find),
        cmocka_unit_test(test_schedule),
    };
    return cmocka_run_group_tests_name("pictures", tests, make_folder, remove_folder) + (ursa_error() ? 1 : 0) +
           ursa_finish();
}

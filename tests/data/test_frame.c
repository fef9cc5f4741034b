/* test_frame.c — tables: CSV read as pandas reads it, refused where it is wrong, made, shown and written. */
#include "../unit.h"

#include <ursa/ursa.h>

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PARSE(text, ...) ursa_parse_csv(text, strlen(text), "t.csv", __VA_ARGS__)

static void assert_cell(const ursa_frame *frame, int64_t row, int column, const char *expected)
{
    const char *found = ursa_frame_text(frame, row, column);
    if (expected)
        assert_true(found && strcmp(found, expected) == 0);
    else
        assert_null(found);
}

static void assert_error(const char *expected)
{
    if (!ursa_error() || !strstr(ursa_error(), expected))
        fail_msg("expected \"%s\", found \"%s\"", expected, ursa_error() ? ursa_error() : "no error");
    ursa_clear_error();
}

static void assert_refused(ursa_frame *frame, const char *expected)
{
    assert_null(frame);
    assert_error(expected);
}

static void test_types(void **state)
{
    (void)state;
    ursa_frame *df = PARSE("name,age,height,member,nothing\nAnna,31,1.71,True,\nBo,,1e2,False,\n\"Cé, \"\"x\"\"\", 7 ,"
                           "-inf,,NA\n");
    assert_non_null(df);
    assert_int_equal(ursa_frame_rows(df), 3);
    assert_int_equal(ursa_frame_columns(df), 5);
    const ursa_column_type types[] = {URSA_COLUMN_TEXT, URSA_COLUMN_INT, URSA_COLUMN_FLOAT, URSA_COLUMN_BOOL,
                                      URSA_COLUMN_FLOAT};
    for (int c = 0; c < 5; c++)
        assert_int_equal(ursa_frame_column_at(df, c)->type, types[c]);
    assert_cell(df, 2, 0, "Cé, \"x\"");
    assert_cell(df, 1, 1, NULL);
    assert_true(ursa_frame_missing(df, 1, 1) && !ursa_frame_missing(df, 0, 1));
    assert_true(ursa_frame_number(df, 0, 1) == 31 && ursa_frame_number(df, 2, 1) == 7);
    assert_int_equal(ursa_frame_integer(df, 2, 1), 7);
    assert_true(isnan(ursa_frame_number(df, 1, 1)) && isnan(ursa_frame_number(df, 0, 4)));
    assert_true(ursa_frame_number(df, 1, 2) == 100 && ursa_frame_number(df, 2, 2) < -1e308);
    const ursa_column *member = ursa_frame_column(df, "member");
    assert_true(member->numbers[0] == 1 && member->numbers[1] == 0 && isnan(member->numbers[2]));
    assert_int_equal(ursa_frame_integer(df, 0, 3), 1);
    ursa_frame_free(df);
}

static void test_integers_of_64_bits(void **state)
{
    (void)state;
    ursa_frame *df = PARSE("a,b,c,d\n9223372036854775807,9223372036854775808,0x10,1.5e\n");
    assert_int_equal(ursa_frame_integer(df, 0, 0), INT64_MAX);
    assert_int_equal(ursa_frame_column_at(df, 1)->type, URSA_COLUMN_FLOAT);
    assert_int_equal(ursa_frame_column_at(df, 2)->type, URSA_COLUMN_TEXT);
    assert_int_equal(ursa_frame_column_at(df, 3)->type, URSA_COLUMN_TEXT);
    ursa_frame_free(df);
}

static void test_corners_of_the_format(void **state)
{
    (void)state;
    static const char *const line_ends[] = {"\n", "\r\n", "\r"};
    for (int i = 0; i < 3; i++) {
        char text[256];
        const char *end = line_ends[i];
        snprintf(text, sizeof text, "\xef\xbb\xbf%s\"a b\",c%s%s1,\"x%sy\"%s\"\",5\" pipe", end, end, end, end, end);
        ursa_frame *df = PARSE(text);
        assert_non_null(df);
        assert_int_equal(ursa_frame_rows(df), 2);
        assert_int_equal(ursa_frame_column_index(df, "a b"), 0);
        char expected[8];
        snprintf(expected, sizeof expected, "x%sy", end);
        assert_cell(df, 0, 1, expected);
        assert_cell(df, 1, 0, NULL);
        assert_cell(df, 1, 1, "5\" pipe");
        ursa_frame_free(df);
    }
    ursa_frame *df = PARSE("a,b\n1,\n,2");
    assert_int_equal(ursa_frame_rows(df), 2);
    assert_cell(df, 0, 1, NULL);
    assert_cell(df, 1, 1, "2");
    ursa_frame_free(df);
    df = PARSE("a,b\n");
    assert_int_equal(ursa_frame_rows(df), 0);
    ursa_frame_free(df);
}

static void test_names(void **state)
{
    (void)state;
    ursa_frame *df = PARSE("a,,a,a\n1,2,3,4\n");
    const char *const names[] = {"a", "Unnamed: 1", "a.1", "a.2"};
    for (int c = 0; c < 4; c++)
        assert_string_equal(ursa_frame_column_at(df, c)->name, names[c]);
    assert_int_equal(ursa_frame_column_index(df, "b"), -1);
    assert_error("no column \"b\"; it has: a, Unnamed: 1, a.1, a.2");
    ursa_frame_free(df);
    df = PARSE("1|Toy Story|x\n2|Ren\xe9|y\n", .delimiter = '|', .no_header = true, .latin1 = true,
               .names = {"id", "title"});
    assert_int_equal(ursa_frame_rows(df), 2);
    assert_int_equal(ursa_frame_column_index(df, "title"), 1);
    assert_int_equal(ursa_frame_column_index(df, "2"), 2);
    assert_cell(df, 1, 1, "René");
    ursa_frame_free(df);
}

static void test_options(void **state)
{
    (void)state;
    ursa_frame *df =
        PARSE("id,n\n007,-\n008,NA\n", .types = {{"id", URSA_COLUMN_TEXT}}, .na_values = {"-"}, .only_na_values = true);
    assert_int_equal(ursa_frame_column_at(df, 0)->type, URSA_COLUMN_TEXT);
    assert_cell(df, 0, 0, "007");
    assert_cell(df, 0, 1, NULL);
    assert_cell(df, 1, 1, "NA");
    ursa_frame_free(df);
    static const char *const texts[] = {"a;b\n1,5;2\n2,5;3\n", "a\tb\n\"x\ty\"\t2\n", "a|b\n1|2\n", "a,b\n1,2\n"};
    for (int i = 0; i < 4; i++) {
        df = PARSE(texts[i], .sniff = true);
        assert_int_equal(ursa_frame_columns(df), 2);
        ursa_frame_free(df);
    }
}

static void test_what_is_refused(void **state)
{
    (void)state;
    assert_refused(PARSE(""), "t.csv: empty");
    assert_refused(PARSE("\n\n"), "t.csv: empty");
    assert_refused(PARSE("a,b\n1,2\n\n1,2,3\n"), "t.csv: row 2 (line 4) has 3 fields; expected 2, as in the header");
    assert_refused(PARSE("a,b\n1\n"), "row 1 (line 2) has 1 field; expected 2");
    assert_refused(PARSE("a,b\n\"x\ny\",1\n1,\"never"), "t.csv: row 2 (line 4), column 2: a quote is opened");
    assert_refused(PARSE("a,b\n\"x\"y,1\n"), "row 1 (line 2), column 1: a quoted field goes on");
    assert_refused(PARSE("a,b\n1,x\n", .types = {{"b", URSA_COLUMN_INT}}),
                   "row 1 (line 2), column \"b\": \"x\" is no int");
    assert_refused(PARSE("a,b\n1,x\n", .types = {{"c", URSA_COLUMN_INT}}), "no column \"c\"; it has: a, b");
    assert_refused(PARSE("a\nb\n\xe9"), "t.csv: line 3: not UTF-8: byte 0xe9");
    assert_refused(PARSE("a\n\xc0\x80\n"), "not UTF-8");
    assert_refused(PARSE("a\n\xed\xa0\x80\n"), "not UTF-8");
    assert_refused(ursa_parse_csv("a\n\0b", 4, "t.csv", .latin1 = true), "line 2: holds a zero byte");
    assert_refused(PARSE("\x1f\x8b..."), "compressed by gzip");
    assert_refused(PARSE("a", .delimiter = '"'), "delimiter");
    assert_refused(ursa_read_csv("/nonexistent/t.csv"), "/nonexistent/t.csv: cannot be read: No such file");
    assert_refused(ursa_read_csv("/tmp"), "/tmp: cannot be read: it is a folder");
}

static void test_cells_that_are_not_there(void **state)
{
    (void)state;
    ursa_frame *df = PARSE("a,b\n1,x\n2,\n");
    assert_null(ursa_frame_text(df, 2, 0));
    assert_error("no row 2; it has 2");
    assert_null(ursa_frame_text(df, 0, 2));
    assert_error("no column 2; it has 2");
    assert_true(isnan(ursa_frame_number(df, 0, 1)));
    assert_error("column \"b\" of the table is text; row 0 is \"x\"");
    ursa_frame_integer(df, 1, 1);
    assert_error("column \"b\" of the table: row 1 is missing");
    ursa_frame_free(df);
    assert_int_equal(ursa_frame_rows(NULL), -1);
    assert_null(ursa_frame_text(NULL, 0, 0));
    assert_null(ursa_error());
}

static ursa_frame *people(void)
{
    static const char *const names[] = {"Anna", NULL, "Bo \"the\" bear, jr.\n"};
    static const double heights[] = {1.7, 0.1 + 0.2, NAN};
    static const int64_t ages[] = {31, -5, INT64_MAX};
    static const bool members[] = {true, false, true};
    return ursa_frame_new(3, {"name", .texts = names}, {"height", .numbers = heights}, {"age", .integers = ages},
                          {"member", .bools = members});
}

static void assert_same(const ursa_frame *a, const ursa_frame *b)
{
    assert_int_equal(ursa_frame_rows(a), ursa_frame_rows(b));
    assert_int_equal(ursa_frame_columns(a), ursa_frame_columns(b));
    for (int c = 0; c < ursa_frame_columns(a); c++) {
        const ursa_column *left = ursa_frame_column_at(a, c), *right = ursa_frame_column_at(b, c);
        assert_string_equal(left->name, right->name);
        assert_int_equal(left->type, right->type);
        for (int64_t row = 0; row < left->count; row++) {
            assert_int_equal(!left->text[row], !right->text[row]);
            if (left->text[row])
                assert_string_equal(left->text[row], right->text[row]);
            if (left->text[row] && left->numbers)
                assert_true(left->numbers[row] == right->numbers[row]);
        }
    }
}

static void test_made_and_selected(void **state)
{
    (void)state;
    ursa_frame *df = people();
    assert_cell(df, 1, 1, "0.30000000000000004");
    assert_cell(df, 0, 1, "1.7");
    assert_int_equal(ursa_frame_integer(df, 2, 2), INT64_MAX);
    ursa_frame *some = ursa_frame_select(df, (const int64_t[]){2, 0, 2}, 3);
    ursa_frame_free(df);
    assert_int_equal(ursa_frame_rows(some), 3);
    assert_cell(some, 0, 0, "Bo \"the\" bear, jr.\n");
    assert_cell(some, 1, 0, "Anna");
    assert_true(ursa_frame_number(some, 1, 1) == 1.7 && isnan(ursa_frame_number(some, 2, 1)));
    assert_null(ursa_frame_select(some, (const int64_t[]){3}, 1));
    assert_error("row 3 at position 0; the frame has 3 rows");
    ursa_frame_free(some);
    const double one = 1;
    assert_null(ursa_frame_new(1, {"x", .numbers = &one}, {"y"}));
    assert_error("column 1 (\"y\") has 0 arrays");
}

static void test_written_and_read_back(void **state)
{
    (void)state;
    char path[] = "/tmp/ursa-test-XXXXXX";
    assert_true(close(mkstemp(path)) == 0);
    ursa_frame *df = people();
    for (int i = 0; i < 2; i++) {
        char delimiter = i ? '\t' : ',';
        assert_true(ursa_write_csv(df, path, .delimiter = delimiter));
        ursa_frame *back = ursa_read_csv(path, .delimiter = delimiter);
        assert_same(df, back);
        ursa_frame_free(back);
    }
    ursa_frame_free(df);
    /* A column of its own keeps its missing cells. */
    const char *const texts[] = {"x", NULL, " y"};
    df = ursa_frame_new(3, {"only", .texts = texts});
    assert_true(ursa_write_csv(df, path));
    ursa_frame *back = ursa_read_csv(path);
    assert_same(df, back);
    ursa_frame_free(back);
    assert_false(ursa_write_csv(df, "/nonexistent/t.csv"));
    assert_error("/nonexistent/t.csv");
    ursa_frame_free(df);
    unlink(path);
}

static void assert_head(const ursa_frame *frame, int64_t rows, int width, const char *expected)
{
    char *text = ursa_frame_head_text(frame, rows, width);
    assert_string_equal(text, expected);
    free(text);
}

static void test_head(void **state)
{
    (void)state;
    ursa_frame *df = PARSE("image_name,tags\ntrain_0,haze primary\ntrain_1,\nürsa,\"a\nb\t\x1b[2J\"\n東京,x\n");
    assert_head(df, 0, 0,
                "   image_name           tags\n"
                "0     train_0   haze primary\n"
                "1     train_1            NaN\n"
                "2        ürsa  a\\nb\\t\\x1b[2J\n"
                "3        東京              x\n"
                "\n[4 rows × 2 columns]\n");
    assert_head(df, 1, 0,
                "   image_name          tags\n"
                "0     train_0  haze primary\n"
                "\n[1 of 4 rows × 2 columns]\n");
    ursa_frame_free(df);
    df = PARSE("a,b,c,d,e,f\n1111,2222,3333,4444,5555,6666\n");
    assert_head(df, 0, 30,
                "      a     b  …     e     f\n"
                "0  1111  2222  …  5555  6666\n"
                "\n[1 row × 6 columns]\n");
    ursa_frame_free(df);
    df = PARSE("a,b\n");
    assert_head(df, 3, 0, "  a  b\n\n[0 rows × 2 columns]\n");
    ursa_frame_free(df);
    df = PARSE("a\nA text that is quite long, which nobody wants to see whole in a table\n", .delimiter = ';');
    assert_head(df, 0, 0,
                "                                                    a\n"
                "0  A text that is quite long, which nobody wants to …\n"
                "\n[1 row × 1 column]\n");
    ursa_frame_free(df);
}

/* Numbers do not depend on the language of the program: in this one and, where it is installed, in German. */
static void test_languages(void **state)
{
    (void)state;
    static const char *const languages[] = {"C", "de_DE.UTF-8"};
    for (int i = 0; i < 2; i++) {
        setlocale(LC_NUMERIC, languages[i]);
        ursa_frame *df = PARSE("a,b\n1.5,\"1,5\"\n");
        assert_true(ursa_frame_number(df, 0, 0) == 1.5);
        assert_int_equal(ursa_frame_column_at(df, 1)->type, URSA_COLUMN_TEXT);
        ursa_frame_free(df);
        const double half = 0.5;
        df = ursa_frame_new(1, {"x", .numbers = &half});
        assert_cell(df, 0, 0, "0.5");
        ursa_frame_free(df);
    }
    setlocale(LC_NUMERIC, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_integers_of_64_bits),
        cmocka_unit_test(test_corners_of_the_format),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_cells_that_are_not_there),
        cmocka_unit_test(test_made_and_selected),
        cmocka_unit_test(test_written_and_read_back),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_languages),
    };
    return run_unit_tests("frame", tests);
}

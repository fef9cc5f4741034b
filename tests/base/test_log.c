/* Logging: silent unless asked. */
#include "base/log.h"

#include "../capture.h"
#include "../unit.h"

static void silent_by_default(void **state)
{
    (void)state;
    char text[200];
    capture c = capture_begin();
    ursa_log_line(URSA_LOG_WARN, "nobody asked");
    capture_end(c, text, sizeof text);
    assert_string_equal(text, "");
}

static void levels(void **state)
{
    (void)state;
    char text[200];
    ursa_set_log(URSA_LOG_INFO, NULL, NULL);
    capture c = capture_begin();
    ursa_log_line(URSA_LOG_WARN, "%d is odd", 3);
    ursa_log_line(URSA_LOG_INFO, "fine");
    ursa_log_line(URSA_LOG_DEBUG, "too much");
    capture_end(c, text, sizeof text);
    assert_string_equal(text, "ursa [warn] 3 is odd\nursa [info] fine\n");
    ursa_set_log(URSA_LOG_SILENT, NULL, NULL);
}

static void remember(void *context, ursa_log_level level, const char *line)
{
    snprintf(context, 100, "%d %s", (int)level, line);
}

static void a_sink_gets_the_lines(void **state)
{
    (void)state;
    char got[100] = "";
    ursa_set_log(URSA_LOG_DEBUG, remember, got);
    ursa_log_line(URSA_LOG_DEBUG, "to the sink");
    assert_string_equal(got, "3 to the sink");
    ursa_set_log(URSA_LOG_SILENT, NULL, NULL);
    ursa_log_line(URSA_LOG_WARN, "not this");
    assert_string_equal(got, "3 to the sink");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silent_by_default),
        cmocka_unit_test(levels),
        cmocka_unit_test(a_sink_gets_the_lines),
    };
    return run_unit_tests("log", tests);
}

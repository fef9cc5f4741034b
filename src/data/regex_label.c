/* regex_label.c — labels by a regular expression. PCRE2's patterns are those of
 * Perl, as Python's are. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "datablock.h"

#include <pcre2.h>
#include <string.h>

static pcre2_code *compile(const char *pattern)
{
    int code;
    PCRE2_SIZE where;
    pcre2_code *regex = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF,
                                      &code, &where, NULL);
    if (!regex) {
        char message[120] = "";
        pcre2_get_error_message(code, (PCRE2_UCHAR *)message, sizeof message);
        ursa_fail(URSA_ERROR_ARGUMENT, "regex_label: \"%s\" is no regular expression: %s, at character %zu", pattern,
                  message, (size_t)where);
    }
    return regex;
}

/* The first group that took part in the match. */
static bool add_group(const ursa_getter *getter, const char *text, pcre2_match_data *match, int groups,
                      ursa_found *found)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(match);
    if (groups < 2 || ends[2] == PCRE2_UNSET)
        return ursa_fail(URSA_ERROR_ARGUMENT, "regex_label: \"%s\" matches, but has no group in parentheses",
                         getter->pattern);
    return ursa_getter_add(getter, text + ends[2], ends[3] - ends[2], found);
}

static bool search(const ursa_getter *getter, const pcre2_code *regex, const char *text, ursa_found *found)
{
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(regex, NULL);
    if (!match)
        return ursa_fail(URSA_ERROR_MEMORY, "out of memory for a match");
    int groups = pcre2_match(regex, (PCRE2_SPTR)text, strlen(text), 0, 0, match, NULL);
    bool added = groups > 0 ? add_group(getter, text, match, groups, found)
                            : ursa_fail(URSA_ERROR_ARGUMENT, "regex_label: \"%s\" is not found in \"%s\"",
                                        getter->pattern, text);
    pcre2_match_data_free(match);
    return added;
}

bool ursa_get_regex_label(const ursa_getter *getter, const ursa_data_item *item, ursa_found *found)
{
    if (!item->path)
        return ursa_fail(URSA_ERROR_ARGUMENT, "regex_label: the item has no path");
    const char *slash = strrchr(item->path, '/');
    const char *text = getter->whole_path || !slash ? item->path : slash + 1;
    pcre2_code *regex = compile(getter->pattern);
    bool found_one = regex && search(getter, regex, text, found);
    pcre2_code_free(regex);
    return found_one;
}
